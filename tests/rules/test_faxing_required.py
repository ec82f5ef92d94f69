"""Faxing Required: a completed plan of care that is neither sent nor finally failed."""

from copy import deepcopy

import pytest

from tests.rules.conftest import after

RULE = "faxing_required"


@pytest.fixture
def evaluated(practice):
    """An evaluation with a plan of care, completed on 1 November."""
    practice.add("staff", "PT").patient("A").add("cases", "C-A", therapist_id="PT")
    return practice.document(
        "D1",
        "A",
        kind="Initial Evaluation",
        has_plan_of_care="true",
        status="Completed",
        completed_at="2026-11-01T17:00:00",
    )


def test_opens_when_completed(answers, evaluated):
    row = answers(RULE, evaluated)["D1"]
    assert (str(row["since"]), row["staff_id"], row["reason"]) == (
        "2026-11-01",
        "PT",
        "Initial Evaluation completed on 2026-11-01 and not faxed to the referring provider "
        "(no name and no fax number on the case)",
    )


@pytest.mark.parametrize(
    ("provider", "number", "names"),
    [
        ("Dr. Lee", "555-0100", "Dr. Lee (fax 555-0100)"),
        ("Dr. Lee", None, "Dr. Lee (no fax number on the case)"),
        (None, "555-0100", "the referring provider (fax 555-0100)"),
    ],
)
def test_names_the_referring_provider_and_the_fax_number(
    answers, evaluated, provider, number, names
):
    evaluated.add("cases", "C-A", referring_provider=provider, referring_fax=number)
    reason = answers(RULE, evaluated)["D1"]["reason"]
    assert reason == f"Initial Evaluation completed on 2026-11-01 and not faxed to {names}"


def test_names_whom_a_waiting_fax_goes_to(answers, evaluated):
    evaluated.add("cases", "C-A", referring_provider="Dr. Lee", referring_fax="555-0100")
    evaluated.add("faxes", "X1", document_id="D1", number="555-0199")
    assert answers(RULE, evaluated)["D1"]["reason"] == (
        "Initial Evaluation completed on 2026-11-01, "
        "its fax is waiting to be sent to Dr. Lee (fax 555-0199)"
    )


@pytest.mark.parametrize(
    "values", [{"has_plan_of_care": "false"}, {"status": "Draft"}, {"status": "Review"}]
)
def test_only_a_completed_plan_of_care(opens, evaluated, values):
    assert opens(RULE, evaluated.add("documents", "D1", **values)) == []


@pytest.mark.parametrize(
    ("failed_on", "since"), [("2026-10-31", "2026-11-01"), ("2026-11-02", "2026-11-02")]
)
def test_a_fax_sent_again_waits_since_the_failure(answers, evaluated, failed_on, since):
    evaluated.add(
        "faxes", "X1", document_id="D1", status="Failed", failed_at=f"{failed_on}T09:00:00"
    )
    evaluated.add("faxes", "X0", document_id="D1", status="Failed", failed_at="2026-10-30T09:00:00")
    evaluated.add("faxes", "X2", document_id="D1", status="Queued")
    assert str(answers(RULE, evaluated)["D1"]["since"]) == since


@pytest.mark.parametrize(
    ("fax", "subjects"),
    [
        ({"status": "Queued"}, ["D1"]),
        ({"status": "Sent", "sent_at": "2026-11-02T09:00:00"}, []),
        ({"status": "Failed", "failed_at": "2026-11-02T09:00:00"}, []),
    ],
)
def test_a_fax_on_its_way_is_not_yet_one_sent(opens, evaluated, fax, subjects):
    assert opens(RULE, evaluated.add("faxes", "X1", document_id="D1", **fax)) == subjects


def test_each_document_is_in_one_link_of_the_chain(opens, evaluated):
    faxes = {"none": None, "queued": "Queued", "sent": "Sent", "failed": "Failed"}
    for name, status in faxes.items():
        evaluated.document(
            name,
            "A",
            has_plan_of_care="true",
            status="Completed",
            completed_at="2026-11-01T17:00:00",
        )
        if status:
            evaluated.add("faxes", f"X-{name}", document_id=name, status=status)
    evaluated.remove("documents", "D1")
    assert opens(RULE, evaluated) == ["none", "queued"]
    assert opens("pending_signature", evaluated) == ["sent"]
    assert opens("failed_fax", evaluated) == ["failed"]


def test_without_a_time_of_completion_nobody_knows_since_when(answers, evaluated):
    evaluated.add("documents", "D1", completed_at=None, date_of_service="2026-10-30")
    row = answers(RULE, evaluated)["D1"]
    assert row["since"] is None
    assert row["reason"].startswith("Initial Evaluation completed and not faxed to")


class TestCertification:
    """With a signed order on file, the plan must be sent within 30 days of the first visit."""

    @pytest.fixture
    def ordered(self, evaluated):
        """A Medicare patient with an order, evaluated 10 days ago."""
        evaluated.add("payers", "PAY2", name="Medicare Part B", kind="Medicare")
        evaluated.add("policies", "PO1", patient_id="A", payer_id="PAY2")
        evaluated.add("cases", "C-A", order_signed_on=after(-20))
        return evaluated.visit("V1", "A", f"{after(-10)}T09:00:00")

    def marker(self, answers, practice, **params):
        return answers(RULE, practice, **params)["D1"]["reason"].partition("on the case)")[2]

    @pytest.mark.parametrize(
        ("days", "marker"),
        [
            (-29, f", to be sent by {after(1)} for Medicare"),
            (-30, f", to be sent by {after(0)} for Medicare"),
            (-31, f", at risk: was to be sent by {after(-1)} for Medicare"),
        ],
    )
    def test_is_at_risk_after_the_last_day(self, answers, ordered, days, marker):
        ordered.add("appointments", "V1", starts_at=f"{after(days)}T09:00:00")
        assert self.marker(answers, ordered) == marker

    def test_without_an_order_it_is_the_signature_that_is_due(self, answers, ordered):
        ordered.add("cases", "C-A", order_signed_on=None)
        ordered.add("appointments", "V1", starts_at=f"{after(-40)}T09:00:00")
        assert self.marker(answers, ordered) == f", signature due by {after(-10)} for Medicare"

    def test_other_payers_want_no_certificate(self, answers, ordered):
        assert self.marker(answers, ordered.add("payers", "PAY2", kind="Medicaid")) == ""

    def test_kinds_and_days_are_parameters(self, answers, ordered):
        ordered.add("payers", "PAY2", kind="Tricare")
        marker = self.marker(
            answers, ordered, certification_kinds="Medicare, TRICARE", certify_days=9
        )
        assert marker == f", at risk: was to be sent by {after(-1)} for Tricare"
        assert self.marker(answers, ordered, certification_kinds="Medicare, Tri") == ""


class TestEvidence:
    """A fax that went out is work; a document that is no longer a completed plan is a change."""

    @pytest.mark.parametrize(
        ("fax", "says"),
        [
            (
                {"sent_at": f"{after(0)}T08:00:00", "recipient": "Dr. Lee", "number": "555-0100"},
                f"faxed to Dr. Lee (555-0100) on {after(0)}, fax X1",
            ),
            ({"sent_at": f"{after(0)}T08:00:00"}, f"faxed on {after(0)}, fax X1"),
            ({"recipient": "Dr. Lee"}, "faxed to Dr. Lee, fax X1"),
            ({"number": "555-0100"}, "faxed to 555-0100, fax X1"),
        ],
    )
    def test_names_the_fax_that_went_out(self, explains, evaluated, fax, says):
        earlier = deepcopy(evaluated)
        evaluated.add("faxes", "X1", document_id="D1", status="Sent", **fax)
        row = explains(RULE, earlier, evaluated)["D1"]
        assert (row["is_work"], row["says"]) == (True, says)
        assert (row["record_table"], row["record_id"]) == ("faxes", "X1")
        assert str(row["happened_on"]) == (after(0) if "sent_at" in fax else "None")

    def test_a_fax_is_work_whatever_became_of_the_document(self, explains, evaluated):
        earlier = deepcopy(evaluated)
        evaluated.add("faxes", "X1", document_id="D1", status="Sent")
        evaluated.add("documents", "D1", status="Draft")
        assert explains(RULE, earlier, evaluated)["D1"]["is_work"] is True

    def test_a_failed_fax_is_named_and_no_work(self, explains, evaluated):
        earlier = deepcopy(evaluated)
        failed = {"status": "Failed", "failed_at": f"{after(0)}T08:00:00", "recipient": "Dr. Lee"}
        row = explains(RULE, earlier, evaluated.add("faxes", "X1", document_id="D1", **failed))[
            "D1"
        ]
        assert (row["is_work"], row["record_table"], row["record_id"]) == (False, "faxes", "X1")
        assert (str(row["happened_on"]), row["says"]) == (
            after(0),
            f"the fax to Dr. Lee failed on {after(0)}, fax X1",
        )

    def test_a_fax_that_failed_nobody_knows_when_is_named_without_a_day(self, explains, evaluated):
        earlier = deepcopy(evaluated)
        evaluated.add("faxes", "X1", document_id="D1", status="Failed")
        assert explains(RULE, earlier, evaluated)["D1"]["says"] == "the fax failed, fax X1"

    @pytest.mark.parametrize(
        ("values", "says"),
        [
            ({"status": "Draft"}, "the document was put back to draft"),
            ({"status": "Review"}, "the document was put back to review"),
            ({"has_plan_of_care": "false"}, "the document is no longer a plan of care"),
        ],
    )
    @pytest.mark.parametrize("fax", [None, "Queued", "Failed"])
    def test_names_what_became_of_the_document(self, explains, evaluated, values, says, fax):
        earlier = deepcopy(evaluated)
        if fax is not None:
            evaluated.add("faxes", "X1", document_id="D1", status=fax)
        row = explains(RULE, earlier, evaluated.add("documents", "D1", **values))["D1"]
        assert (row["is_work"], row["record_table"], row["record_id"], row["says"]) == (
            False,
            "documents",
            "D1",
            says,
        )


class TestTablesFromADayOn:
    """A plan completed on 1 November, in a case opened on 5 January."""

    @pytest.mark.parametrize(
        ("since", "asked"), [("2026-11-01", True), ("2026-11-02", False)], ids=["that day", "later"]
    )
    def test_a_plan_that_may_have_been_faxed_is_not_answered(
        self, opens, unseen, evaluated, since, asked
    ):
        evaluated.since = {"faxes": since}
        found = (opens(RULE, evaluated), unseen(RULE, evaluated))
        assert found == ((["D1"], []) if asked else ([], ["D1"]))

    def test_a_fax_that_was_delivered_answers(self, opens, unseen, evaluated):
        evaluated.add("faxes", "X1", document_id="D1", status="Queued")
        evaluated.since = {"faxes": "2026-11-02"}
        assert (opens(RULE, evaluated), unseen(RULE, evaluated)) == (["D1"], [])

    @pytest.mark.parametrize("change", [{"has_plan_of_care": "false"}, {"status": "Review"}])
    def test_other_documents_are_answered(self, unseen, evaluated, change):
        evaluated.since = {"faxes": "2026-11-02"}
        assert unseen(RULE, evaluated.add("documents", "D1", **change)) == []

    @pytest.mark.parametrize(("since", "is_known"), [("2026-01-05", True), ("2026-01-06", False)])
    def test_no_day_is_said_where_the_first_visit_may_be_missing(
        self, answers, evaluated, since, is_known
    ):
        evaluated.add("payers", "PAY2", name="Medicare Part B", kind="Medicare")
        evaluated.add("policies", "PO1", patient_id="A", payer_id="PAY2")
        evaluated.visit("V1", "A", f"{after(-10)}T09:00:00").since = {"appointments": since}
        reason = answers(RULE, evaluated)["D1"]["reason"]
        assert (f"signature due by {after(20)}" in reason) == is_known
