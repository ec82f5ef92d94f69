"""Which tasks a list shows, their order and pages, compared task by task with plain Python."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Iterator

import pandas as pd
import pytest

from pipelines import settings
from pipelines.errors import UserError
from pipelines.ledger.ledger import open_ledger
from pipelines.runs import run
from pipelines.vocabulary import AGE_BANDS, STATUSES
from pipelines.worklist import actions
from pipelines.worklist.actions import ActionRequest
from pipelines.worklist.columns import ORDERS
from pipelines.worklist.filters import OFFERED, Filters, Order
from pipelines.worklist.worklist import Worklist, open_worklist
from tests.conftest import Workbench
from tests.practice import Practice
from tests.published import START, published_in

AT = START + dt.timedelta(hours=3)
TODAY = AT.date()  # in all zones of the sample
ALL = Filters("all")
DIMENSIONS = {field: one.name for one in OFFERED for field in one.fields}
CHOSEN = tuple(DIMENSIONS)
HOSTILE = (
    "' OR 1=1 --",
    "'; DROP TABLE memory.main.moment; --",
    '"',
    "%",
    "$status",
    "\\",
    "",
    "NULL",
    "0'); --",
    "😀",
    "x" * 10_000,
)


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worklist]:
    """The sample's list, of which a fifth is completed, a fifth deferred and a fifth assigned."""
    chosen = published_in(tmp_path_factory.mktemp("practice") / "data")
    with open_worklist(chosen, AT) as before, open_ledger(chosen.ledger_url) as ledger:
        task_ids, staff = before.tasks()["task_id"].tolist(), before.staff()
        staff_id = staff.loc[staff["is_active"], "staff_id"].iloc[0]
        wishes = [ActionRequest(task_id, "complete", reason="by hand") for task_id in task_ids[::5]]
        wishes += [
            ActionRequest(task_id, "defer", span=dt.timedelta(days=2)) for task_id in task_ids[1::5]
        ]
        wishes += [
            ActionRequest(task_id, "assign", to_staff_id=staff_id) for task_id in task_ids[2::5]
        ]
        _, refused = actions.act_all(before, ledger, staff_id, wishes)
        assert refused == []
    with open_worklist(chosen, AT) as worklist:
        yield worklist


def has_status(task: pd.Series, status: str) -> bool:
    if status in ("all", "open", "closed"):
        return status == "all" or (status == "closed") == (task["status"] == "completed")
    is_overdue = task["status"] == "pending" and task["due_on"] < TODAY
    return is_overdue if status == "overdue" else task["status"] == status


def told(task: pd.Series, name: str) -> str:
    """What a task says of itself for one of the filters."""
    if name == "age_bands":
        days = task["age_days"]
        return next(
            band
            for band in AGE_BANDS
            if days >= int(band.split("-")[0]) and days <= int(band.split("-")[1] or days)
        )
    absent = {"payer_ids": "self-pay", "staff_ids": "unassigned"}
    columns = {
        "categories": "category",
        **{plural: plural.removesuffix("s") for plural in CHOSEN if plural.endswith("_ids")},
    }
    value = task[columns[name]]
    return absent[name] if pd.isna(value) else value


def is_wanted(task: pd.Series, wanted: Filters, without: str = "") -> bool:
    """Whether the task passes all filters, or all but one."""
    names = [name for name in CHOSEN if getattr(wanted, name) and name != without]
    return has_status(task, wanted.status) and all(
        told(task, name) in getattr(wanted, name) for name in names
    )


@pytest.mark.parametrize("seed", range(6))
def test_several_values_of_several_filters(listed: Worklist, seed: int) -> None:
    dice = random.Random(seed)
    every = [task for _, task in listed.tasks(ALL).iterrows()]
    values = {name: sorted({told(task, name) for task in every}) for name in CHOSEN} | {
        "age_bands": list(AGE_BANDS)
    }
    values["payer_ids"].append("nobody's payer")
    chosen = {
        name: tuple(dice.sample(values[name], min(len(values[name]), dice.randint(2, 4))))
        for name in dice.sample(CHOSEN, 2)
    }
    for status in (list(STATUSES)[seed], dice.choice(list(STATUSES))):
        wanted = Filters(status, **chosen)
        expected = [task for task in every if is_wanted(task, wanted)]
        found = listed.tasks(wanted)
        assert found["task_id"].tolist() == [task["task_id"] for task in expected]
        summary = listed.summary(wanted)
        assert summary["tasks"] == len(expected)
        assert summary["overdue"] == len(
            [task for task in expected if task["status"] == "pending" and task["due_on"] < TODAY]
        )
        assert summary["deferred"] == len(
            [task for task in expected if task["status"] == "deferred"]
        )
        assert summary["unassigned"] == len(
            [task for task in expected if pd.isna(task["staff_id"])]
        )
        counts = listed.counts(wanted)
        assert dict(zip(counts["rule_id"], counts["tasks"], strict=True)) == Counter(
            task["rule_id"] for task in expected
        )
        firsts = Counter(
            {
                rule_id: min(2, tasks)
                for rule_id, tasks in Counter(task["rule_id"] for task in expected).items()
            }
        )
        assert Counter(listed.first_tasks(wanted, 2)["rule_id"]) == firsts
        options = {
            DIMENSIONS[name]: Counter(
                told(task, name) for task in every if is_wanted(task, wanted, without=name)
            )
            for name in CHOSEN
        }
        assert listed.options(wanted) == options


def test_the_statuses_part_the_list(listed: Worklist) -> None:
    found = {status: set(listed.tasks(Filters(status))["task_id"]) for status in STATUSES}
    assert all(found.values())
    assert found["open"] == found["pending"] | found["deferred"]
    assert found["all"] == found["open"] | found["closed"]
    assert found["overdue"] < found["pending"]
    assert not found["pending"] & found["deferred"]
    assert not found["open"] & found["closed"]


def test_each_age_is_in_its_band(workbench: Workbench, practice: Practice) -> None:
    today = dt.date(2026, 11, 2)
    ages = (0, 1, 2, 3, 4, 7, 8, 14, 15, 30, 31, 200)
    for age in ages:
        practice.patient(f"P{age}").visit(
            f"V{age}", f"P{age}", f"{today - dt.timedelta(days=age)}T05:00:00", amount_due="40.00"
        )
    run.run(settings.load(), practice.write(workbench.extracts, workbench.day(1)), workbench.day(1))
    expected = {
        "0-1": {0, 1},
        "2-3": {2, 3},
        "4-7": {4, 7},
        "8-14": {8, 14},
        "15-30": {15, 30},
        "31-": {31, 200},
    }
    with open_worklist(settings.load(), workbench.day(1)) as listed:
        for band, days in expected.items():
            wanted = Filters(rule_ids=("uncollected_payments",), age_bands=(band,))
            found = listed.tasks(wanted)
            assert set(zip(found["subject_id"], found["age_days"], strict=True)) == {
                (f"V{age}", age) for age in days
            }
            assert set(found["age_band"]) == {band}
        assert listed.options(Filters(rule_ids=("uncollected_payments",)))["age"] == dict.fromkeys(
            AGE_BANDS, 2
        )
        # Overdue is what is older than the rule's seven days.
        overdue = listed.tasks(Filters("overdue", rule_ids=("uncollected_payments",)))
        assert sorted(overdue["age_days"]) == [8, 14, 15, 30, 31, 200]


@pytest.mark.parametrize("is_descending", [False, True])
@pytest.mark.parametrize("by", ORDERS)
def test_every_order_is_an_order_and_loses_no_task_between_pages(
    listed: Worklist, by: str, is_descending: bool
) -> None:
    order = Order(by, is_descending)
    whole = listed.tasks(ALL, order)
    pages = [
        listed.tasks(ALL, order, limit=20, offset=offset)
        for offset in range(0, len(whole) + 20, 20)
    ]
    assert pd.concat(pages)["task_id"].tolist() == whole["task_id"].tolist()
    assert sorted(whole["task_id"]) == sorted(listed.tasks(ALL)["task_id"])
    column, tie = ORDERS[by], ["since", "title", "task_id"]
    rows = whole.sort_values(tie).to_dict("records")
    present = [row for row in rows if not pd.isna(row[column])]
    present.sort(
        key=lambda row: row[column], reverse=is_descending
    )  # a stable sort, reversed or not: ties stay oldest first
    expected = [*present, *(row for row in rows if pd.isna(row[column]))]
    assert [row["task_id"] for row in expected] == whole["task_id"].tolist()


def test_a_hostile_value_finds_nothing_and_does_nothing(listed: Worklist) -> None:
    before = listed.tasks(ALL)
    for wanted in (
        Filters("all", **{name: HOSTILE}) for name in ("payer_ids", "staff_ids", "task_ids")
    ):
        assert listed.tasks(wanted).empty
        assert listed.counts(wanted).empty
        assert listed.first_tasks(wanted, 3).empty
        assert listed.summary(wanted)["tasks"] == 0
    assert not any(listed.options(Filters("all", payer_ids=HOSTILE))["staff"])
    for text in HOSTILE:
        assert listed.tasks(Filters("all", patient_id=text)).empty
        assert listed.history(text).empty
        for wanted in (
            Filters(text),
            *(
                Filters(**{name: (text,)})
                for name in ("facility_ids", "categories", "rule_ids", "age_bands")
            ),
        ):
            with pytest.raises(UserError, match="There is no"):
                listed.tasks(wanted)
    pd.testing.assert_frame_equal(listed.tasks(ALL), before)
