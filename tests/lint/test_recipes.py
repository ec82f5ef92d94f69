"""The recipes of docs/changes.md: a column, a filter and a task type, each added to a copy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.source_copies import copy_of_sources, insert, python

COLUMN = """    TaskColumn(
        "weather", "Weather", order="weather", exported=17, grid=Grid(15, "weather", 80)
    ),
"""
FILTER = """    Filter(
        "weather",
        "Weather",
        "many",
        ("weathers",),
        column="weather",
        choices={"sunny": "Sunny", "rainy": "Rainy"},
        is_offered=True,
        is_counted=True,
        is_option=True,
    ),
"""
FACTS = """
import contextlib
import io
import json
from unittest import mock

from app_pages.session import labels
from app_pages.tasks import grid
from app_pages.url import filters as url_filters
from pipelines import csv_files, settings
from pipelines.cli.commands import main
from pipelines.reports import spreadsheet
from pipelines.rules import docs, loading
from pipelines.worklist.filters import Filters, Order
from pipelines.worklist.live import LiveWorklist
from tests.published import START, publish

chosen = settings.load()
publish(chosen, START)
live = LiveWorklist(chosen)
now = live.at(START)
tasks = now.tasks(Filters(), Order("weather"))
with mock.patch("streamlit.dataframe") as shown:
    shown.return_value.selection.rows = []
    grid.show(
        tasks, "tasks", print, with_facility=True, with_return=True, with_end=True
    )

def command(*more):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert main(["tasks", "--at", START.isoformat(), "--format", "json", *more]) == 0
    return json.loads(out.getvalue())

with mock.patch("app_pages.session.labels.facilities", return_value={}), mock.patch.multiple(
    labels, types=mock.DEFAULT, payers=mock.DEFAULT, staff=mock.DEFAULT
):
    params = [param.name for param in url_filters.params(now)]
rows = spreadsheet.task_rows(tasks)
print(json.dumps({
    "tasks": len(tasks),
    "values": sorted(set(tasks["weather"])),
    "types": sorted(set(tasks["rule_id"])),
    "rules": sorted(now.rules()["rule_id"]),
    "export": list(rows.columns),
    "csv": csv_files.csv_bytes(rows).decode("utf-8-sig").splitlines()[0],
    "grid": shown.call_args.kwargs["column_order"],
    "shown": sorted(set(shown.call_args.args[0]["weather"])),
    "json": sorted({task["weather"] for task in command()}),
    "sunny": len(command("--weather", "sunny")),
    "rainy": len(command("--weather", "rainy")),
    "options": now.options()["weather"],
    "type options": sorted(now.options()["type"]),
    "of type": len(now.tasks(Filters(rule_ids=("sunny_day",)))),
    "summary": now.summary(Filters(weathers=("rainy",)))["tasks"],
    "params": params,
    "link": url_filters.query_of(Filters(weathers=("sunny",))),
    "docs": "### Sunny Day" in docs.docs(loading.load_rules()),
}))
"""


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a copy says to which a column, a filter on it and an 18th rule file were added."""
    folder = tmp_path_factory.mktemp("recipes")
    sources = copy_of_sources(folder / "sources")
    room: Path = sources / "pipelines" / "worklist"
    # A column: listed.sql and columns.py.
    insert(room / "listed.sql", "\nFROM ", "\n    'sunny' AS weather,")
    insert(room / "columns.py", ")\n# Columns that only queries need", COLUMN)
    # A filter: filters.py, the field and its entry.
    field = "    weathers: tuple[str, ...] = ()\n"
    insert(room / "filters.py", "    out_to: dt.date | None = None\n", field)
    insert(room / "filters.py", '    Filter("patient",', FILTER)
    # A task type: one file.
    rule = (sources / "rules" / "uncollected_payments.sql").read_text("utf-8")
    (sources / "rules" / "sunny_day.sql").write_text(
        rule.replace('"Uncollected Payments"', '"Sunny Day"', 1), "utf-8"
    )
    printed = python(sources, folder / "data", "-c", FACTS)
    return json.loads(printed.splitlines()[-1])


def test_a_new_column_is_in_the_list_the_export_and_the_grid(facts: dict[str, Any]) -> None:
    assert facts["values"] == facts["shown"] == facts["json"] == ["sunny"]
    assert facts["export"][-1] == "Weather" == facts["csv"].rsplit(",", 1)[1]
    assert facts["grid"][-1] == "weather"


def test_a_new_filter_is_in_the_list_its_options_the_url_and_the_command(
    facts: dict[str, Any],
) -> None:
    assert facts["sunny"] == facts["tasks"] > 0 == facts["rainy"] == facts["summary"]
    assert facts["options"] == {"sunny": facts["tasks"]}
    assert "weather" in facts["params"]
    assert facts["link"] == {"weather": ["sunny"]}


def test_a_new_rule_file_is_in_the_list_the_filters_and_the_docs(facts: dict[str, Any]) -> None:
    assert "sunny_day" in facts["types"]
    assert "sunny_day" in facts["type options"]
    assert "sunny_day" in facts["rules"] and len(facts["rules"]) == 18
    assert facts["of type"] > 0
    assert facts["docs"]
