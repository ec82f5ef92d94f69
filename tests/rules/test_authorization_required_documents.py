"""Authorization Required Documents: a held claim whose day no uploaded authorization covers."""

from copy import deepcopy

import pytest

RULE = "authorization_required_documents"


@pytest.fixture
def held(practice):
    """A claim for a visit on 1 October, held since the 5th."""
    practice.patient("A").add("policies", "PO1", patient_id="A", case_id="C-A").add(
        "policies", "PO2", patient_id="A", case_id="C-A"
    )
    practice.add("claims", "CL1", case_id="C-A", policy_id="PO1", date_of_service="2026-10-01")
    return practice.add(
        "claim_holds",
        "H1",
        claim_id="CL1",
        reason_code="AUTH_MISSING",
        reason="No authorization",
        held_at="2026-10-05T08:00:00",
    )


def authorized(practice, **values):
    return practice.add(
        "authorizations",
        "AU1",
        **{
            "policy_id": "PO1",
            "case_id": "C-A",
            "document_uploaded_at": "2026-10-20T10:00:00",
            **values,
        },
    )


def test_a_hold_for_paperwork_opens(answers, held):
    row = answers(RULE, held)["H1"]
    assert (str(row["since"]), row["case_id"], row["patient_id"], row["staff_id"]) == (
        "2026-10-05",
        "C-A",
        "A",
        None,
    )
    assert row["reason"] == (
        "Claim for the visit on 2026-10-01 held on 2026-10-05: "
        "no uploaded authorization covers that day"
    )


@pytest.mark.parametrize(("code", "subjects"), [("pre-auth", ["H1"]), ("CODING", [])])
def test_the_reason_code_decides(opens, held, code, subjects):
    assert opens(RULE, held.add("claim_holds", "H1", reason_code=code)) == subjects


def test_the_code_is_a_parameter(opens, held):
    assert opens(RULE, held.add("claim_holds", "H1", reason_code="PA-12"), code_contains="pa-") == [
        "H1"
    ]


def test_a_released_hold_is_resolved(opens, held):
    assert opens(RULE, held.add("claim_holds", "H1", released_at="2026-10-06T08:00:00")) == []


@pytest.mark.parametrize(
    ("authorization", "subjects"),
    [
        ({}, []),
        ({"starts_on": "2026-10-01", "ends_on": "2026-10-01"}, []),
        ({"starts_on": "2026-10-02"}, ["H1"]),
        ({"ends_on": "2026-09-30"}, ["H1"]),
        ({"is_stub": "true"}, ["H1"]),
        ({"document_uploaded_at": None}, ["H1"]),
        ({"policy_id": "PO2"}, ["H1"]),
    ],
)
def test_an_uploaded_real_authorization_of_the_policy_on_that_day_resolves_it(
    opens, held, authorization, subjects
):
    assert opens(RULE, authorized(held, **authorization)) == subjects


def test_a_claim_without_policy_takes_any_of_the_case(opens, held):
    assert opens(RULE, authorized(held.add("claims", "CL1", policy_id=None), policy_id="PO2")) == []


def test_another_case_s_authorization_does_not_help(opens, held):
    assert opens(RULE, authorized(held.patient("B"), case_id="C-B")) == ["H1"]


def told(row):
    return (row["is_work"], row["record_table"], row["record_id"], row["says"])


@pytest.fixture
def changed(explains, held):
    """changed(table, key, **values): the evidence about H1 after a change overnight."""

    def ask(table, key, **values):
        earlier = deepcopy(held)
        return explains(RULE, earlier, held.add(table, key, **values)).get("H1")

    return ask


def test_a_release_is_work(changed):
    row = changed("claim_holds", "H1", released_at="2026-11-02T08:00:00")
    assert told(row) == (True, "claim_holds", "H1", "hold released on 2026-11-02")
    assert (str(row["happened_on"]), row["amount"]) == ("2026-11-02", None)


@pytest.mark.parametrize(
    "before",
    [
        None,
        {"document_uploaded_at": None},
        {"is_stub": "true"},
        {"policy_id": "PO2"},
        {"case_id": "C-B"},
        {"starts_on": "2026-10-02"},
        {"ends_on": "2026-09-30"},
    ],
)
def test_an_authorization_that_covers_the_day_now_is_work(explains, held, before):
    held.patient("B")
    earlier = authorized(deepcopy(held), **before) if before else deepcopy(held)
    row = explains(RULE, earlier, authorized(held, number="A-7"))["H1"]
    says = "authorization A-7 covers 2026-10-01, document uploaded on 2026-10-20"
    assert told(row) == (True, "authorizations", "AU1", says)
    assert str(row["happened_on"]) == "2026-10-20"


def test_of_two_the_one_that_did_not_cover_it_before_is_named(explains, held):
    """AU1 covered it all along, but the claim had another policy."""
    authorized(held.add("claims", "CL1", policy_id="PO2"))
    earlier = deepcopy(held)
    held.add("claims", "CL1", policy_id=None)
    held.add(
        "authorizations",
        "AU2",
        policy_id="PO2",
        case_id="C-A",
        document_uploaded_at="2026-10-01T10:00:00",
    )
    assert explains(RULE, earlier, held)["H1"]["record_id"] == "AU2"


def test_another_code_is_no_work(changed):
    says = "the hold has the code CODING, which is not about authorization"
    assert told(changed("claim_holds", "H1", reason_code="CODING")) == (
        False,
        "claim_holds",
        "H1",
        says,
    )


def test_another_day_of_the_claim_is_no_work(held, changed):
    authorized(held, starts_on="2026-10-02")
    says = "the claim is now for 2026-10-02, which authorization AU1 covers"
    assert told(changed("claims", "CL1", date_of_service="2026-10-02")) == (
        False,
        "authorizations",
        "AU1",
        says,
    )


def test_of_two_new_ones_the_last_uploaded_is_named_then_the_first_entered(explains, held):
    earlier = deepcopy(held)
    authorized(held)
    for key, uploaded in (("AU10", "20T10"), ("AU9", "20T10"), ("AU2", "19T10")):
        held.add(
            "authorizations",
            key,
            policy_id="PO1",
            case_id="C-A",
            document_uploaded_at=f"2026-10-{uploaded}:00:00",
        )
    assert explains(RULE, earlier, held)["H1"]["record_id"] == "AU1"
    held.add("authorizations", "AU1", document_uploaded_at="2026-10-18T10:00:00")
    assert explains(RULE, earlier, held)["H1"]["record_id"] == "AU9"


def test_the_last_day_that_it_covers_counts_on_both_nights(explains, held):
    """AU1 covered the claim's day before, too: another policy was the reason for the task."""
    authorized(held.add("claims", "CL1", policy_id="PO2"), ends_on="2026-10-01")
    earlier = deepcopy(held)
    row = explains(RULE, earlier, held.add("claims", "CL1", policy_id="PO1"))["H1"]
    assert told(row)[:3] == (False, "authorizations", "AU1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"document_uploaded_at": None},
        {"policy_id": "PO2"},
        {"starts_on": "2026-10-02"},
        {"ends_on": "2026-09-30"},
    ],
)
def test_one_that_does_not_cover_it_is_not_named(explains, held, wrong):
    earlier = deepcopy(held)
    authorized(held, **wrong)
    held.add("claim_holds", "H1", reason_code="CODING")
    assert told(explains(RULE, earlier, held)["H1"])[1] == "claim_holds"


class TestAuthorizationsFromADayOn:
    """A case that opened earlier may have an authorization that was not delivered."""

    @pytest.mark.parametrize(
        ("since", "asked"), [("2026-01-05", True), ("2026-01-06", False)], ids=["same day", "later"]
    )
    def test_is_not_answered_where_the_case_opened_earlier(self, opens, unseen, held, since, asked):
        held.since = {"authorizations": since}
        assert (opens(RULE, held), unseen(RULE, held)) == ((["H1"], []) if asked else ([], ["H1"]))

    @pytest.mark.parametrize(
        "change", [{"released_at": "2026-11-01T09:00:00"}, {"reason_code": "CODING"}]
    )
    def test_a_hold_that_asks_for_nothing_is_answered(self, unseen, held, change):
        held.since = {"authorizations": "2026-06-01"}
        assert unseen(RULE, held.add("claim_holds", "H1", **change)) == []
