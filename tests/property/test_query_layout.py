"""No query's meaning depends on its layout: line breaks, spaces and comments change no answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.source_copies import copy_of_sources, python

TOKEN = re.compile(
    r"""
    /\*.*?\*/                       # the header of a rule, which is TOML with lines of its own
    | --[^\n]*
    | '(?:[^']|'')*' | "[^"]*"
    | \$\w+ | \w+(?:\.\d+)?
    | <> | <= | >= | != | \|\| | :: | -> | // | \*\*
    | \S
    """,
    re.VERBOSE | re.DOTALL,
)
ANSWERS = """
import datetime as dt
import functools

import pandas as pd

from pipelines import settings
from pipelines.analytics import flow, outcomes, survival
from pipelines.analytics.period import Period
from pipelines.ledger.ledger import open_ledger
from pipelines.records import patient_search, patients
from pipelines.runs import history
from pipelines.worklist import actions
from pipelines.worklist.actions import ActionRequest
from pipelines.worklist.filters import Filters, Order
from pipelines.worklist.live import LiveWorklist
from pipelines.worklist.past import PastWorklists
from pipelines.worklist.worklist import open_worklist
from tests.published import START, publish
from tests.truth import ALL, DAY, FILTERS, QUESTIONS

# Standard output may show DuckDB's progress bar.
answers = open("answers.txt", "w", encoding="utf-8")
print = functools.partial(print, file=answers)
pd.set_option("display.width", 10_000, "display.max_columns", 100, "display.max_rows", 10_000)
chosen = settings.load()
publish(chosen, START)
at = START + dt.timedelta(hours=3)
with open_worklist(chosen, at) as listed, open_ledger(chosen.ledger_url) as ledger:
    ids, staff = listed.tasks()["task_id"], listed.staff()
    who = staff.loc[staff["is_active"], "staff_id"].iloc[0]
    wanted = [ActionRequest(task_id, "complete", reason="by hand") for task_id in ids[::5]]
    wanted += [ActionRequest(task_id, "defer", span=2 * DAY) for task_id in ids[1::5]]
    wanted += [ActionRequest(task_id, "assign", to_staff_id=who) for task_id in ids[2::5]]
    actions.act_all(listed, ledger, who, wanted)
publish(chosen, START + DAY)
live = LiveWorklist(chosen)
now = live.at(START + DAY + dt.timedelta(hours=1))
then = PastWorklists(chosen, live.ledger).at(at)
once = open_worklist(chosen, START + DAY + dt.timedelta(hours=1))
period = Period(START.date(), START.date() + DAY, "day")
more = (
    Filters("all", happened=("deferred",)),
    Filters("all", open_on=START.date(), stood_as="deferred"),
)
for listed in (now, then, once):
    for question in QUESTIONS:
        for filters in (*FILTERS, *more):
            print(question(listed, filters))
    print(listed.tasks(ALL, Order("patient"), 10, 5))
    print(listed.payers(), listed.rules(), listed.facilities(), listed.movements(START))
    print(flow.flow(listed, ALL, period, "category"), flow.standing(listed, ALL, "type"))
    print(flow.standing_then(listed, ALL, START.date(), "facility"))
    print(flow.moved_often(listed, ALL, period))
    print(outcomes.ends(listed, ALL), outcomes.deferrals(listed, ALL, "person"))
    print(outcomes.waits(listed, ALL), outcomes.held(listed, ALL), outcomes.ages(listed, ALL))
    print(survival.survivals(listed, ALL, "facility"))
    for patient_id in sorted(set(listed.tasks()["patient_id"]))[:3]:
        print(listed.history(patient_id), patients.patient(listed.con, patient_id))
        for name in ("cases", "policies", "authorizations", "payments", "documents", "faxes"):
            print(getattr(patients, name)(listed.con, patient_id))
        print(patients.schedule(listed.con, patient_id))
        print(patients.balances(listed.con, patient_id).days)
        print(patient_search.find_patients(listed.con, patient_id))
    print(patients.schedule_week(listed.con, "001", START.date()))
    print(history.run_rules(listed.con, 1), history.run_tables(listed.con, 1))
"""


def reformatted(query: str, between: str) -> str:
    """The tokens of a query with this text between them, without its line comments."""
    tokens = [token for token in TOKEN.findall(query) if not token.startswith("--")]
    joined = between.join(tokens)
    # A rule's header stands on lines of its own: it is TOML, not SQL.
    return joined.replace("*/" + between, "*/\n", 1) if joined.startswith("/* rule") else joined


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str | None], str]:
    """All answers of a small practice from a copy of the program with other layout, if any."""

    def ask(between: str | None) -> str:
        folder = tmp_path_factory.mktemp("layout")
        sources = copy_of_sources(folder / "sources")
        if between is not None:
            for path in sources.rglob("*.sql"):
                path.write_text(reformatted(path.read_text("utf-8"), between), "utf-8")
        python(sources, folder / "data", "-c", ANSWERS)
        return (sources / "answers.txt").read_text("utf-8")

    return ask


@pytest.fixture(scope="module")
def expected(answers: Callable[[str | None], str]) -> str:
    return answers(None)


@pytest.mark.parametrize("between", ["\n", " "], ids=["one token a line", "all on one line"])
def test_another_layout_gives_the_same_answers(
    answers: Callable[[str | None], str], expected: str, between: str
) -> None:
    assert expected.count("\n") > 500
    assert answers(between) == expected


def test_a_token_is_never_cut() -> None:
    query = "SELECT 'a -- b', t.x || $y -- why\nFROM t -- end"
    assert reformatted(query, " ") == "SELECT 'a -- b' , t . x || $y FROM t"


def test_no_module_takes_a_query_apart() -> None:
    """Queries are put together from parts; nothing looks for a place in their text."""
    room = Path(__file__).resolve().parents[2] / "pipelines" / "worklist"
    for path in room.glob("*.py"):
        source = path.read_text("utf-8")
        for taking_apart in ("splitlines", "import re\n", ".index(", ".find("):
            assert taking_apart not in source, f"{path.name}: {taking_apart}"
