"""Pending Signature: the newest fax of a plan of care went out."""

from copy import deepcopy

import pytest

from tests.rules.conftest import after

RULE = "pending_signature"


@pytest.fixture
def sent(practice):
    """A plan of care faxed yesterday."""
    practice.add("staff", "PT").patient("A")
    practice.document(
        "D1",
        "A",
        kind="Plan of Care",
        has_plan_of_care="true",
        status="Completed",
        completed_at=f"{after(-3)}T17:00:00",
        last_editor_id="PT",
    )
    return practice.add(
        "faxes", "X1", document_id="D1", status="Sent", sent_at=f"{after(-1)}T09:00:00"
    )


def test_opens_when_sent(answers, sent):
    row = answers(RULE, sent)["D1"]
    assert (str(row["since"]), row["staff_id"], row["episode"]) == (after(-1), "PT", "X1")
    assert row["reason"] == f"Plan of Care faxed on {after(-1)}, not yet signed"


def test_without_a_time_nobody_knows_since_when(answers, sent):
    row = answers(RULE, sent.add("faxes", "X1", sent_at=None))["D1"]
    assert (row["since"], row["reason"]) == (None, "Plan of Care faxed, not yet signed")


def test_names_whom_it_was_faxed_to(answers, sent):
    reason = answers(RULE, sent.add("faxes", "X1", recipient="Dr. Lee"))["D1"]["reason"]
    assert reason == f"Plan of Care faxed on {after(-1)} to Dr. Lee, not yet signed"


@pytest.mark.parametrize("signed_on", [after(-2), after(-1), after(0)])
def test_one_recorded_as_signed_opens_nothing(opens, sent, signed_on):
    assert opens(RULE, sent.add("documents", "D1", signed_at=f"{signed_on}T08:00:00")) == []


class TestCertification:
    """Medicare wants the signature within 30 days of the plan's first treated visit."""

    @pytest.fixture
    def treated(self, sent):
        """A Medicare patient evaluated 10 days ago and treated since."""
        sent.add("payers", "PAY2", name="Medicare Part B", kind="Medicare")
        sent.add("policies", "PO1", patient_id="A", payer_id="PAY2")
        sent.add("documents", "D1", appointment_id="V1")
        sent.visit("V1", "A", f"{after(-10)}T09:00:00")
        return sent.visit("V2", "A", f"{after(-8)}T09:00:00")

    def marker(self, answers, practice, document="D1", **params):
        reason = answers(RULE, practice, **params)[document]["reason"]
        return reason.partition(f"faxed on {after(-1)}, ")[2]

    @pytest.mark.parametrize(
        ("days", "marker"),
        [
            (-29, f"signature due by {after(1)} for Medicare"),
            (-30, f"signature due by {after(0)} for Medicare"),
            (-31, f"at risk: signature was due by {after(-1)} for Medicare"),
        ],
    )
    def test_is_at_risk_after_the_last_day(self, answers, treated, days, marker):
        treated.add("appointments", "V1", starts_at=f"{after(days)}T09:00:00")
        assert self.marker(answers, treated) == marker

    def test_counts_from_the_visit_and_never_from_the_fax(self, answers, treated):
        treated.add("faxes", "X1", sent_at=f"{after(-60)}T09:00:00")
        reason = answers(RULE, treated)["D1"]["reason"]
        assert reason.endswith(f", signature due by {after(20)} for Medicare")

    @pytest.mark.parametrize(
        ("status", "due"), [("No Show", 22), ("Cancelled", 22), ("Scheduled", 22), ("Arrived", 20)]
    )
    def test_only_a_treated_visit_counts(self, answers, treated, status, due):
        treated.add("appointments", "V1", status=status)
        assert self.marker(answers, treated) == f"signature due by {after(due)} for Medicare"

    def test_the_evaluation_before_the_plan_counts(self, answers, treated):
        treated.add("documents", "D1", appointment_id="V2")
        assert self.marker(answers, treated) == f"signature due by {after(20)} for Medicare"

    @pytest.mark.parametrize(
        ("values", "marker"),
        [
            ({"date_of_service": after(-12)}, f"signature due by {after(18)} for Medicare"),
            ({}, "not yet signed"),
        ],
    )
    def test_without_any_visit_the_date_of_service_counts(self, answers, treated, values, marker):
        treated.add("documents", "D1", appointment_id=None, **values)
        treated.remove("appointments", "V1").remove("appointments", "V2")
        assert self.marker(answers, treated) == marker

    def test_visits_of_another_case_do_not_count(self, answers, treated):
        treated.add("cases", "C-A2", patient_id="A")
        treated.visit("V0", "A", f"{after(-50)}T09:00:00").add("appointments", "V0", case_id="C-A2")
        assert self.marker(answers, treated) == f"signature due by {after(20)} for Medicare"

    @pytest.mark.parametrize(
        "policy",
        [
            {"payer_id": "PAY1"},
            {"rank": "2"},
            {"ends_on": after(-11)},
            {"starts_on": after(-9)},
            {"case_id": "C-A2"},
        ],
    )
    def test_only_the_case_s_primary_payer_at_the_plan_s_visit_counts(
        self, answers, treated, policy
    ):
        treated.add("cases", "C-A2", patient_id="A").add("policies", "PO1", **policy)
        assert self.marker(answers, treated) == "not yet signed"

    @pytest.mark.parametrize(
        "policy",
        [
            {"case_id": "C-A"},
            {"starts_on": after(-10), "ends_on": after(-10)},
            {"rank": "Primary", "starts_on": after(-300)},
        ],
    )
    def test_a_policy_in_force_on_that_day_counts(self, answers, treated, policy):
        treated.add("policies", "PO1", **policy)
        assert self.marker(answers, treated) == f"signature due by {after(20)} for Medicare"

    @pytest.mark.parametrize(
        ("other", "marker"),
        [
            ({"case_id": "C-A"}, "not yet signed"),
            ({"starts_on": after(-100)}, "not yet signed"),
            ({"rank": "2"}, f"signature due by {after(20)} for Medicare"),
        ],
    )
    def test_of_two_primary_policies_the_one_of_the_task_counts(
        self, answers, treated, other, marker
    ):
        treated.add("policies", "PO2", patient_id="A", **other)
        assert self.marker(answers, treated) == marker

    def test_kinds_and_days_are_parameters(self, answers, treated):
        treated.add("payers", "PAY2", kind="Tricare")
        for kinds in ("medicare,Tricare", "Medicare, TRICARE, HMO"):
            marker = self.marker(answers, treated, certification_kinds=kinds, certify_days=9)
            assert marker == f"at risk: signature was due by {after(-1)} for Tricare"

    def test_an_initial_plan_with_a_signed_order_is_not_at_risk(self, answers, treated):
        treated.add("cases", "C-A", order_signed_on=after(-20))
        treated.add("appointments", "V1", starts_at=f"{after(-70)}T09:00:00")
        says = f"the order signed on {after(-20)} is on file"
        assert self.marker(answers, treated) == says

    @pytest.mark.parametrize(
        ("days", "marker"),
        [
            (-29, f"signature due by {after(1)} for Medicare"),
            (-31, f"at risk: signature was due by {after(-1)} for Medicare"),
        ],
    )
    def test_a_later_plan_needs_its_signature_in_spite_of_the_order(
        self, answers, treated, days, marker
    ):
        treated.add("cases", "C-A", order_signed_on=after(-80))
        treated.add("appointments", "V1", starts_at=f"{after(-70)}T09:00:00")
        treated.visit("V3", "A", f"{after(days - 1)}T09:00:00")
        treated.visit("V4", "A", f"{after(days)}T09:00:00")
        treated.document(
            "D2", "A", has_plan_of_care="true", status="Completed", date_of_service=after(days)
        )
        treated.add("faxes", "X2", document_id="D2", status="Sent", sent_at=f"{after(-1)}T09:00:00")
        assert self.marker(answers, treated, "D2") == marker
        assert "is on file" in self.marker(answers, treated)

    def test_a_draft_begun_before_is_not_the_initial_plan(self, answers, treated):
        treated.add("cases", "C-A", order_signed_on=after(-20))
        treated.document("D0", "A", has_plan_of_care="true", date_of_service=after(-11))
        assert "is on file" in self.marker(answers, treated)


def test_a_fax_of_another_document_waits_for_no_signature(opens, sent):
    assert opens(RULE, sent.add("documents", "D1", has_plan_of_care="false")) == []


@pytest.mark.parametrize(
    ("newer", "subjects"),
    [
        ({"status": "Sent", "sent_at": f"{after(0)}T08:00:00"}, ["D1"]),
        ({"status": "Failed", "failed_at": f"{after(0)}T08:00:00"}, []),
        ({"status": "Queued"}, []),
        ({"status": "Failed", "failed_at": f"{after(-2)}T08:00:00"}, ["D1"]),
    ],
)
def test_two_faxes_count_as_one_the_newest(opens, sent, newer, subjects):
    assert opens(RULE, sent.add("faxes", "X0", document_id="D1", **newer)) == subjects


def test_a_resend_is_another_episode(answers, sent):
    assert (
        answers(
            RULE,
            sent.add(
                "faxes", "X2", document_id="D1", status="Sent", sent_at=f"{after(0)}T08:00:00"
            ),
        )["D1"]["episode"]
        == "X2"
    )


def test_its_evidence_names_the_fax_that_failed_after_all(explains, sent):
    earlier = deepcopy(sent)
    sent.add("faxes", "X1", status="Failed", failed_at=f"{after(0)}T08:00:00", recipient="Dr. Lee")
    row = explains(RULE, earlier, sent)["D1"]
    assert (row["is_work"], row["record_table"], row["record_id"], row["says"]) == (
        False,
        "faxes",
        "X1",
        f"the fax to Dr. Lee failed on {after(0)}, fax X1",
    )


def test_its_evidence_needs_no_recipient(explains, sent):
    earlier = deepcopy(sent)
    row = explains(RULE, earlier, sent.add("faxes", "X1", status="Failed"))["D1"]
    assert row["says"] == "the fax failed, fax X1"


def test_a_signature_is_no_fax_that_failed(explains, sent):
    earlier = deepcopy(sent)
    assert (
        explains(RULE, earlier, sent.add("documents", "D1", signed_at=f"{after(0)}T08:00:00")) == {}
    )


class TestTablesFromADayOn:
    """A plan of the day before three days ago, in a case opened on 5 January."""

    @pytest.mark.parametrize(("since", "is_known"), [("2026-01-05", True), ("2026-01-06", False)])
    def test_no_day_is_said_where_the_first_visit_may_be_missing(
        self, answers, sent, since, is_known
    ):
        sent.add("payers", "PAY2", name="Medicare Part B", kind="Medicare")
        sent.add("policies", "PO1", patient_id="A", payer_id="PAY2")
        sent.visit("V1", "A", f"{after(-10)}T09:00:00").since = {"appointments": since}
        says = f"signature due by {after(20)} for Medicare" if is_known else "not yet signed"
        assert answers(RULE, sent)["D1"]["reason"].endswith(f", {says}")

    def test_a_later_plan_looks_back_to_its_own_visit(self, answers, sent):
        sent.add("payers", "PAY2", name="Medicare Part B", kind="Medicare")
        sent.add("policies", "PO1", patient_id="A", payer_id="PAY2")
        first = {"has_plan_of_care": "true", "status": "Completed", "completed_at": after(-30)}
        sent.document("D0", "A", started_at=f"{after(-30)}T09:00:00", **first)
        sent.visit("V1", "A", f"{after(-4)}T09:00:00")
        sent.add("documents", "D1", appointment_id="V1", started_at=f"{after(-4)}T10:00:00")
        sent.since = {"appointments": after(-4)}
        assert f"due by {after(26)}" in answers(RULE, sent)["D1"]["reason"]
        sent.since = {"appointments": after(-3)}
        assert answers(RULE, sent)["D1"]["reason"].endswith(", not yet signed")

    @pytest.mark.parametrize(("days", "unanswered"), [(-3, []), (-2, ["D1"])])
    def test_a_plan_whose_fax_may_be_missing_is_not_answered(self, unseen, sent, days, unanswered):
        sent.since = {"faxes": after(days)}
        assert unseen(RULE, sent) == []
        assert unseen(RULE, sent.remove("faxes", "X1")) == unanswered
        assert unseen(RULE, sent.add("documents", "D1", signed_at=after(-1))) == []
