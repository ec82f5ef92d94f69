"""The facts of a document in the panel: its visit that day, and its signature."""

import pytest

from pipelines.records import patients
from tests.practice import Practice

SIGNED = "2026-10-30T15:00:00"


@pytest.fixture(scope="module")
def chart(read):
    practice = Practice().patient("A").add("cases", "C-A2", patient_id="A")
    days = {"Completed": 5, "Arrived": 6, "Confirmed": 7, "No Show": 8}
    for status, day in days.items():
        practice.visit(status, "A", f"2026-10-0{day}T09:00:00", status=status)
        practice.document(f"of {status}", "A", appointment_id=status)
        practice.document(f"on the day of {status}", "A", date_of_service=f"2026-10-0{day}")
    practice.add("documents", "on the day of Completed", case_id="C-A2")
    for name, values in {
        "unsigned": {"has_plan_of_care": "true"},
        "signed": {"has_plan_of_care": "true", "signed_at": SIGNED},
        "not sent": {"has_plan_of_care": "true", "signed_at": SIGNED},
        "no plan": {"signed_at": SIGNED},
    }.items():
        practice.document(name, "A", status="Completed", **values)
        status = "Queued" if name == "not sent" else "Sent"
        practice.add("faxes", f"X-{name}", document_id=name, status=status)
    return read(practice)


@pytest.mark.parametrize(
    ("visit", "seen"),
    [
        ("Completed", "yes"),
        ("Arrived", "yes"),
        ("Confirmed", "not checked in"),
        ("No Show", "no"),
    ],
)
def test_a_document_says_whether_the_patient_was_seen_that_day(chart, visit, seen):
    for document in (f"of {visit}", f"on the day of {visit}"):
        assert patients.facts(chart, "documents", document)["Patient seen that day"] == seen


def test_a_document_names_the_day_of_its_visit(chart):
    facts = patients.facts(chart, "documents", "of Completed")
    assert (facts["Visit"], facts["Started"]) == ("October 5, 2026", "January 5, 2026, 09:00")


@pytest.mark.parametrize(
    ("document", "signature"),
    [
        ("unsigned", None),
        ("signed", "signed on Oct 30, 2026: complete it"),
        ("not sent", "signed on Oct 30, 2026"),
        ("no plan", "signed on Oct 30, 2026"),
    ],
)
def test_a_recorded_signature_asks_to_complete_the_task(chart, document, signature):
    assert patients.facts(chart, "documents", document).get("Signature") == signature


@pytest.fixture(scope="module")
def approvals(read):
    practice = Practice().patient("A").add("policies", "PO1", patient_id="A", ends_on="2026-10-01")
    practice.add("policies", "PO2", patient_id="A", authorization_required="true", rank="2")
    practice.visit("V1", "A", "2026-11-20T09:00:00", status="Scheduled")
    for key, values in {
        "untracked": {"policy_id": "PO1", "visit_limit": "0"},
        "units": {
            "policy_id": "PO2",
            "limit_unit": "units",
            "visit_limit": "20",
            "visits_used": "21",
            "ends_on": "2026-11-25",
        },
        "next": {"policy_id": "PO2", "starts_on": "2026-11-26"},
    }.items():
        practice.add("authorizations", key, case_id="C-A", **values)
    return read(practice)


def test_an_authorization_says_what_is_used_in_its_unit(approvals):
    facts = patients.facts(approvals, "authorizations", "units")
    assert {name: facts[name] for name in ("Allowed", "Used", "Remaining", "Visits booked")} == {
        "Allowed": "20 units",
        "Used": "21",
        "Remaining": "0",
        "Visits booked": "1",
    }
    assert facts["Next one starts"] == "November 26, 2026"
    assert facts["Its policy is"] == "in force"


def test_an_authorization_without_a_limit_counts_nothing(approvals):
    facts = patients.facts(approvals, "authorizations", "untracked")
    assert not {"Allowed", "Used", "Remaining", "Visits booked", "Next one starts"} & facts.keys()
    assert facts["Its policy is"] == "not required"
