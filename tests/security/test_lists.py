"""A person limited to a facility gets the answers of a practice without the others.

Every query of lists, records, analytics and runs is asked here, now and of the past.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from pipelines import analytics, records, runs, worklist
from pipelines.analytics import flow, outcomes
from pipelines.errors import UserError
from pipelines.records import patient_search
from pipelines.records import patients as records_patients
from pipelines.runs import history
from pipelines.worklist import actions
from pipelines.worklist.actions import ActionRequest
from pipelines.worklist.filters import Filters
from pipelines.worklist.live import LiveWorklist
from pipelines.worklist.past import PastWorklists
from pipelines.worklist.worklist import Worklist
from tests.unit.worklist.two_facilities import AT, BOTH, NORTH, SOUTH, listed, practice_of

EVENING = dt.datetime(2026, 11, 2, 23, 30, tzinfo=dt.UTC)  # between the two runs
FIRST, LAST = dt.date(2026, 10, 28), dt.date(2026, 11, 3)
EVERY = Filters(status="all")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveWorklist]:
    shared = listed(tmp_path_factory.mktemp("both"), practice_of("nora", "soren"))
    yield shared
    shared.ledger.close()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveWorklist]:
    """The same practice, had South no patient."""
    shared = listed(tmp_path_factory.mktemp("alone"), practice_of("nora"))
    yield shared
    shared.ledger.close()


@pytest.fixture(scope="module")
def past() -> Callable[[LiveWorklist], PastWorklists]:
    """The past lists beside a list, each made once."""
    return cache(lambda shared: PastWorklists(shared.settings, shared.ledger))


def measured(name: str, **more: object) -> Callable[[Worklist, str], object]:
    return lambda now, _: now.question(analytics.sql(name), EVERY, **more)


def of_patient(name: str) -> Callable[[Worklist, str], object]:
    return lambda now, patient: getattr(records_patients, name)(now.con, patient)


def fact(table: str, subject: str) -> Callable[[Worklist, str], object]:
    return lambda now, patient: records_patients.facts(now.con, table, subject.format(patient))


FLOW = {"before_on": dt.date(2026, 10, 21), "first_on": FIRST, "last_on": LAST, "step": "day"}
# How to ask each query. A patient of South must give nothing, one of North something.
ASKED: dict[str, Callable[[Worklist, str], object]] = {
    "ages": measured("ages"),
    "authorizations": of_patient("authorizations"),
    "balances": lambda now, patient: records_patients.balances(now.con, patient).days,
    "cases": of_patient("cases"),
    "counted": lambda now, _: pd.DataFrame(
        [now.summary(), {name: str(found) for name, found in now.options().items()}]
    ),
    "counts": lambda now, _: now.counts(EVERY),
    "deferrals": lambda now, _: outcomes.deferrals(now, EVERY, "person"),
    "documents": of_patient("documents"),
    "durations": measured("durations", split_by="facility", clock="since", late_days=1),
    "ends": lambda now, _: outcomes.ends(now, EVERY, "facility"),
    "facilities": lambda now, _: now.facilities(),
    "facts_appointments": fact("appointments", "visit-2026-10-30-of-{}"),
    "facts_authorizations": fact("authorizations", "authorization-of-{}"),
    "facts_cases": fact("cases", "of-{}"),
    "facts_documents": fact("documents", "draft-of-{}"),
    "facts_patients": fact("patients", "{}"),
    "facts_policies": fact("policies", "policy-of-{}"),
    "faxes": of_patient("faxes"),
    "find_patients": lambda now, patient: pd.concat(
        [patient_search.find_patients(now.con, text) for text in ("test", patient, "0100")]
    ),
    "first_tasks": lambda now, _: now.first_tasks(EVERY, 9),
    "flow": measured("flow", split_by="facility", **FLOW),
    "happened": lambda now, _: now.tasks(
        Filters("all", happened=("deferred", "deferred_again", "reopened"))
    ),
    "held": lambda now, _: outcomes.held(now, EVERY),
    "history": lambda now, patient: now.history(patient),
    "matching": lambda now, _: now.tasks(Filters("all", in_from=FIRST, in_to=LAST), limit=50),
    "moved_often": measured("moved_often", first_on=FIRST, last_on=LAST),
    "movements": lambda now, _: now.movements(dt.datetime(2026, 11, 1, tzinfo=dt.UTC)),
    "options": lambda now, _: pd.DataFrame(now.options(EVERY)).reset_index(),
    "patient": lambda now, patient: (
        vars(found) if (found := records_patients.patient(now.con, patient)) else {}
    ),
    "payments": of_patient("payments"),
    "policies": of_patient("policies"),
    "schedule": of_patient("schedule"),
    "schedule_week": lambda now, patient: records_patients.schedule_week(
        now.con, "F1" if patient == "nora" else "F2", dt.date(2026, 10, 25)
    ),
    "set_aside": lambda now, _: pd.DataFrame(map(vars, history.set_aside(now.con))),
    "standing": lambda now, _: flow.standing(now, EVERY, "facility"),
    "standing_then": lambda now, _: flow.standing_then(
        now, EVERY, dt.date(2026, 11, 2), "facility"
    ),
    "stood": lambda now, _: now.tasks(
        Filters("all", open_on=dt.date(2026, 11, 2), stood_as="deferred")
    ),
    "summary": lambda now, _: now.summary(EVERY),
    "tasks": lambda now, _: pd.concat([now.tasks(EVERY), now.tasks(Filters("open"), limit=50)]),
    "undated_money": lambda now, patient: records_patients.balances(now.con, patient).undated,
    "waits": lambda now, _: outcomes.waits(now, EVERY, "facility"),
}
OF_ONE = {
    name for name, ask in ASKED.items() if ask.__qualname__.startswith(("of_patient", "fact"))
} | {
    "balances",
    "history",
    "patient",
    "undated_money",
    "schedule_week",
}
WITHOUT_FILES = {"counted", "matching", "options", "tasks"}  # put together by question_sql
OF_THE_PRACTICE = {"payers", "staff", "rules"}  # names, which everybody may know
OF_RUNS = {  # counts of rows and tasks
    "freshness",
    "guards_of_run",  # those of other facilities are left out: visibility.OF_FACILITIES_OR_ALL
    "held_by_rows",
    "held_guards",
    "in_part",
    "not_accepted",
    "not_connected",
    "previous_run",
    "previous_tables",
    "refusals",
    "rejected_now",
    "retired_rules",
    "rule_runs",
    "run_rules",
    "run_tables",
    "runs",
    "start",
    "withheld",
}
OF_THE_LIST_ITSELF = {
    "listed",
    "past_tasks",
    "held_runs",  # asked of one task, after the reader was shown it
    "moved_to",  # asked of one patient id; tests/app/patient
}  # make the tables that everybody's answers come from; no page asks them


def plain(answer: object) -> list[dict[str, object]]:
    """The rows without the ledger's numbers, which count the acts of all facilities."""
    rows = answer if isinstance(answer, pd.DataFrame) else pd.DataFrame([answer] if answer else [])
    rows = rows.drop(columns=[name for name in ("seq", "last_seq") if name in rows.columns])
    return sorted(rows.astype(str).to_dict("records"), key=str)


def test_every_query_is_asked_here() -> None:
    rooms = (analytics, records, runs, worklist)
    files = {path.stem for room in rooms for path in room.FOLDER.glob("*.sql")}
    assert files - OF_THE_PRACTICE - OF_RUNS - OF_THE_LIST_ITSELF == set(ASKED) - WITHOUT_FILES


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("at", [AT, EVENING], ids=["now", "then"])
def test_a_limited_person_is_answered_as_if_there_were_no_other_facility(
    name: str,
    at: dt.datetime,
    both: LiveWorklist,
    alone: LiveWorklist,
    past: Callable[[LiveWorklist], PastWorklists],
) -> None:
    def answer(
        shared: LiveWorklist, facility_ids: tuple[str, ...] | None, patient: str
    ) -> list[dict[str, object]]:
        with (shared if at == AT else past(shared)).at(at, facility_ids) as now:
            return plain(ASKED[name](now, patient))

    limited, whole = answer(both, NORTH, "nora"), answer(both, None, "nora")
    assert limited == answer(alone, NORTH, "nora")
    assert limited, "nothing is proved by an empty answer"
    if name in OF_ONE:
        assert answer(both, NORTH, "soren") == []
        assert answer(both, None, "soren"), "or nothing was withheld"
    elif name != "moved_often" or at == AT:
        assert limited != whole, "or nothing was withheld"
    assert answer(both, BOTH, "nora") == whole


@pytest.mark.parametrize(
    "table",
    [
        "tasks",
        "events",
        "stays",
        "closed_tasks",
        "snapshot",
        "waiting_actions",
        "touched_tasks",
        "staging.claims",
    ],
)
def test_what_the_limit_does_not_name_is_not_there(table: str, both: LiveWorklist) -> None:
    with both.at(AT, NORTH) as now, pytest.raises(duckdb.CatalogException):
        now.con.execute(f"FROM {table}")


def test_another_facility_is_named_as_one_that_does_not_exist(both: LiveWorklist) -> None:
    with both.at(AT, NORTH) as now, pytest.raises(UserError, match="no facility F2; there are F1$"):
        now.tasks(Filters(facility_ids=SOUTH))


def test_who_has_no_facility_sees_no_task_and_no_patient(both: LiveWorklist) -> None:
    with both.at(AT, ()) as now:
        assert now.tasks(EVERY).empty
        assert patient_search.find_patients(now.con, "test").empty


def test_answers_of_two_people_cannot_be_taken_for_each_other(both: LiveWorklist) -> None:
    lists = [both.at(AT, facility_ids) for facility_ids in (None, NORTH, SOUTH, BOTH, ())]
    assert len({now.state for now in lists}) == len(lists)
    assert [sorted(now.facilities()["facility_id"]) for now in lists] == [
        ["F1", "F2"],
        ["F1"],
        ["F2"],
        ["F1", "F2"],
        [],
    ]


def test_nobody_acts_on_a_task_of_another_facility(both: LiveWorklist) -> None:
    before = both.ledger.last_seq()
    with both.at(AT) as whole, both.at(AT, NORTH) as now:
        foreign = whole.tasks(Filters("open", facility_ids=SOUTH)).iloc[0]
        for action in ("complete", "defer", "assign", "note"):
            wish = ActionRequest(
                foreign["task_id"], action, reason="why", span=dt.timedelta(days=1)
            )
            with pytest.raises(UserError, match="There is no task [0-9a-f]+ at your facilities"):
                actions.act(now, both.ledger, "S1", wish)
    assert both.ledger.last_seq() == before


def test_a_patient_of_two_facilities_is_known_at_both_and_each_sees_its_own_tasks(
    tmp_path: Path,
) -> None:
    shared = listed(tmp_path, practice_of("soren", "sam"))
    with shared.at(AT) as whole, shared.at(AT, NORTH) as now:
        assert patient_search.find_patients(now.con, "test")["patient_id"].tolist() == ["sam"]
        assert (
            set(now.tasks(EVERY)["case_id"])
            == set(now.history("sam")["case_id"])
            == {"of-sam-north"}
        )
        assert set(whole.history("sam")["case_id"]) == {"of-sam", "of-sam-north"}
        # The record is whole: balance, visits and payer cannot be told from a part of it.
        for ask in (
            records_patients.cases,
            records_patients.documents,
            records_patients.payments,
            records_patients.policies,
            records_patients.schedule,
        ):
            assert set(ask(now.con, "sam")["case_id"]) == {"of-sam", "of-sam-north"}
        assert records_patients.patient(now.con, "sam").facility == "South"
    shared.ledger.close()
