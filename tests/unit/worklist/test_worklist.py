"""The worklist of one moment: filters, options, counts, history, fresh actions."""

from __future__ import annotations

import datetime as dt

import pytest

from pipelines import settings
from pipelines.errors import UserError
from pipelines.worklist.columns import JSON_KEYS
from pipelines.worklist.filters import Filters
from pipelines.worklist.live import LiveWorklist
from pipelines.worklist.worklist import open_worklist
from tests.conftest import Workbench
from tests.practice import Practice


@pytest.fixture
def two_facilities(workbench: Workbench, practice: Practice) -> Workbench:
    """A owes at F1 with Aetna; B owes at F2, pays himself, and has a draft of S2."""
    practice.add("facilities", "F2", name="South Clinic").patient("A").patient(
        "B", facility_id="F2"
    ).add("cases", "C-B", facility_id="F2")
    practice.add("policies", "POL", patient_id="A").visit(
        "V1", "A", "2026-10-30T09:00:00", amount_due="40.00"
    )
    practice.visit(
        "V2", "B", "2026-10-20T09:00:00", amount_due="5.00", facility_id="F2", staff_id="S2"
    )
    practice.document("D", "B", appointment_id="V2", started_at="2026-10-20T10:00:00")
    for number, patient in enumerate("AB"):
        practice.visit(
            f"N{number}",
            patient,
            "2026-11-10T09:00:00",
            status="Scheduled",
            facility_id=f"F{number + 1}",
        )
    workbench.once(lambda: workbench.run(practice, 1))
    return workbench


def subjects(workbench: Workbench, **filters: str) -> list[str]:
    return [task["subject_id"] for task in workbench.tasks(1, "pending", **filters)]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["D", "V2", "V1"]),
        ({"facility": "F2"}, ["D", "V2"]),
        ({"type": "uncollected_payments"}, ["V2", "V1"]),
        ({"category": "Clinical"}, ["D"]),
        ({"payer": "PAY1"}, ["V1"]),
        ({"payer": "self-pay"}, ["D", "V2"]),
        ({"staff": "S2"}, ["D"]),
        ({"staff": "unassigned"}, ["V2", "V1"]),
        ({"patient": "A"}, ["V1"]),
        ({"facility": "F1", "category": "Clinical"}, []),
        ({"payer": "' OR 1=1 --"}, []),
    ],
)
def test_filters_narrow_the_list_oldest_first(
    two_facilities: Workbench, filters: dict[str, str], expected: list[str]
) -> None:
    assert subjects(two_facilities, **filters) == expected


def test_options_offer_only_values_with_active_tasks_given_the_other_filters(
    two_facilities: Workbench,
) -> None:
    with open_worklist(settings.load(), two_facilities.day(1)) as worklist:
        assert worklist.options() == {
            "facility": {"F1": 1, "F2": 2},
            "category": {"Billing": 2, "Clinical": 1},
            "type": {"draft_documents": 1, "uncollected_payments": 2},
            "payer": {"PAY1": 1, "self-pay": 2},
            "staff": {"S2": 1, "unassigned": 2},
            "age": {"2-3": 1, "8-14": 2},
        }
        at_the_first = worklist.options(Filters(facility_ids=("F1",)))
        assert list(at_the_first["facility"]) == ["F1", "F2"], (
            "the filter itself does not narrow its own choices"
        )
        assert [list(at_the_first[name]) for name in ("category", "payer", "staff")] == [
            ["Billing"],
            ["PAY1"],
            ["unassigned"],
        ]


def test_a_deferred_task_is_no_option_until_it_is_back(two_facilities: Workbench) -> None:
    two_facilities.act("defer", two_facilities.one(1, "draft_documents", "D"), 1.1, "--for", "2d")
    for day, categories in ((2, ["Billing"]), (3.1, ["Billing", "Clinical"])):
        with open_worklist(settings.load(), two_facilities.day(day)) as worklist:
            assert list(worklist.options()["category"]) == categories


def test_counts_name_category_type_overdue_and_oldest(two_facilities: Workbench) -> None:
    with open_worklist(settings.load(), two_facilities.day(1)) as worklist:
        rows = {
            row.rule_id: (row.tasks, row.overdue, str(row.oldest))
            for row in worklist.counts().itertuples()
        }
    assert rows == {
        "uncollected_payments": (2, 1, "2026-10-20"),
        "draft_documents": (1, 1, "2026-10-20"),
    }


def test_the_json_carries_the_keys_of_the_contract(two_facilities: Workbench) -> None:
    task = two_facilities.one(1, "draft_documents", "D")
    assert tuple(task) == JSON_KEYS
    assert (task["payer_id"], task["payer"], task["staff"], task["age_days"], task["overdue"]) == (
        None,
        "Self-pay",
        "Omar Reyes",
        13,
        True,
    )
    assert two_facilities.one(1, "uncollected_payments", "V1")["staff"] == "Unassigned"


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_every_form_prints_every_task(two_facilities: Workbench, form: str) -> None:
    code, out, _ = two_facilities.command(
        "tasks", "--at", two_facilities.day(1).isoformat(), "--format", form
    )
    assert code == 0
    assert all(task["task_id"] in out for task in two_facilities.tasks(1))


def test_an_earlier_moment_shows_the_list_as_it_stood(two_facilities: Workbench) -> None:
    task = two_facilities.one(1, "uncollected_payments", "V2")
    two_facilities.act("complete", task, 1.5)
    folder = two_facilities.extracts / "001"
    two_facilities.run(folder, 2)
    assert [
        two_facilities.one(day, "uncollected_payments", "V2")["status"] for day in (1.4, 1.5, 2)
    ] == ["pending", "completed", "completed"]
    assert two_facilities.tasks(0.5) == []


def test_the_history_tells_who_did_what_and_when(two_facilities: Workbench) -> None:
    task = two_facilities.one(1, "uncollected_payments", "V2")
    two_facilities.act("note", task, 1.1, "--reason", "left a message")
    two_facilities.act("assign", task, 1.2, "--to", "S2")
    two_facilities.act("complete", task, 1.3, staff="S2")
    events = [e for e in two_facilities.history("B", 2) if e["task_id"] == task["task_id"]]
    assert [(e["event"], e["staff"]) for e in events] == [
        ("opened", "System"),
        ("noted", "Dana Whitfield"),
        ("assigned", "Dana Whitfield"),
        ("completed", "Omar Reyes"),
    ]
    assert events[3]["happened_at"].startswith("2026-11-02T18:12:00")
    assert events[1]["reason"] == "left a message"


def test_a_clock_a_little_behind_the_run_shows_the_list_of_the_run(
    two_facilities: Workbench,
) -> None:
    shared = LiveWorklist(settings.load())
    as_of = two_facilities.day(1)
    assert shared.at(as_of - dt.timedelta(minutes=4)).at == as_of
    assert len(shared.at(as_of - dt.timedelta(minutes=3)).tasks()) == 3
    with pytest.raises(UserError, match="set the clock right"):
        LiveWorklist(settings.load()).at(as_of - dt.timedelta(minutes=6))
