"""Reports: the notebooks agree with the list, and their pages work offline and name no patient."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from pipelines import reports
from pipelines import settings as settings_module
from pipelines.cli.commands import main
from pipelines.demo import build
from pipelines.errors import UserError
from pipelines.reports import execute, write
from pipelines.settings import Settings
from pipelines.warehouse import snapshots
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import open_worklist

ROOT = Path(__file__).resolve().parents[2]
AT = build.START
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL)


@dataclass(frozen=True)
class Made:
    """What the command wrote, from which practice, and the home folder it had."""

    settings: Settings
    folder: Path
    home: Path

    def text(self, name: str) -> str:
        """A page without its scripts."""
        return SCRIPT.sub("", (self.folder / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def made(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    settings = build.settings_for(settings_module.load({"WORKBENCH_DATA": str(demo_data)}))
    out, home = tmp_path_factory.mktemp("reports"), tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_DATA", str(settings.data))
        patch.setenv("HOME", str(home))
        assert main(["report", "--out", str(out), "--at", AT.isoformat()]) == 0
        assert main(["report", "--digest", "--out", str(out), "--at", AT.isoformat()]) == 0
        yield Made(settings, out, home)


def tasks(made: Made, **wanted: object) -> pd.DataFrame:
    with open_worklist(made.settings, AT) as worklist:
        return worklist.tasks(Filters(**wanted))


def cells(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def test_there_is_a_page_and_a_spreadsheet_of_each_notebook_and_the_digest(made: Made) -> None:
    assert [path.stem for path in NOTEBOOKS] == sorted(reports.NOTEBOOKS)
    wanted = {f"{name}.{kind}" for name in reports.NOTEBOOKS for kind in ("html", "xlsx")} | {
        "digest.html"
    }
    assert {path.name for path in made.folder.iterdir()} == wanted


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_without_its_outputs_and_holds_no_sql(path: Path) -> None:
    for cell in cells(path):
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            assert (cell["outputs"], cell["execution_count"]) == ([], None)
            assert not re.search(
                r"\bSELECT\b|\bFROM\b|\.sql\(|\.execute\(|duckdb|sqlite|connect\(", source
            )
    assert sum("assert " in "".join(cell["source"]) for cell in cells(path)) >= 3


def test_the_backlog_review_says_what_the_list_says(made: Made) -> None:
    said = made.text("backlog_review.html")
    still_open = tasks(made, status="open")
    overdue = still_open[still_open["overdue"] & (still_open["status"] == "pending")]
    assert f"{len(still_open):,} tasks are open. {len(overdue):,} of them are overdue" in said
    assert f"{(still_open['status'] == 'deferred').sum():,} are deferred" in said
    money = still_open.loc[
        still_open["rule_id"].isin(["uncollected_payments", "refund_request"]), "amount"
    ].sum()
    assert f"${money:,.2f} wait" in said
    oldest = still_open.sort_values(["since", "title", "task_id"])["task_id"].head(5)
    assert [task_id in said for task_id in oldest] == [True] * 5
    types = re.findall(
        r"<tr><td>([^<]+)</td><td>(?:Administrative|Billing|Clinical)</td><td[^>]*>([\d,]+)</td><td[^>]*>([^<]+)</td>",
        said,
    )
    assert {title: (int(number), int(late)) for title, number, late in types} == {
        title: (len(of_type), (overdue["title"] == title).sum())
        for title, of_type in still_open.groupby("title")
    }
    assert "31 days or more" in said and "31-" not in said


def test_the_aging_audit_says_how_tasks_ended(made: Made) -> None:
    said = made.text("aging_audit.html")
    closed = tasks(made, status="closed")
    people = closed["close_kind"].isin(["completed", "override"]).mean()
    assert f"Of {len(closed):,} closed tasks the system cleared" in said
    assert f"people completed {people:.0%}" in said
    assert f"({(closed['close_kind'] == 'override').sum():,} of them overrides)" in said
    assert (
        f"Half of them are older than {tasks(made, status='open')['age_days'].median():,.0f} days"
        in said
    )


def test_the_rule_audit_counts_the_runs(made: Made) -> None:
    con = snapshots.connect()
    snapshots.attach(con, snapshots.current(made.settings.warehouse), "snapshot")
    first = AT.astimezone(dt.UTC).date() - dt.timedelta(days=(AT.weekday() + 1) % 7 + 28)
    rows = con.execute(
        "SELECT COUNT(DISTINCT r.run_no), SUM(r.opened) FROM snapshot.run_rules AS r "
        "JOIN snapshot.runs AS u ON r.run_no = u.run_no "
        "WHERE CAST(u.as_of AS DATE) >= $first",
        {"first": first},
    ).fetchall()
    con.close()
    runs, opened = (int(number) for number in rows[0])
    assert f"{runs} runs; {opened:,} tasks opened" in made.text("rule_audit.html")


@pytest.mark.parametrize("name", [*(f"{name}.html" for name in reports.NOTEBOOKS), "digest.html"])
def test_a_page_loads_nothing_and_names_nobody(made: Made, name: str) -> None:
    said = made.text(name)
    assert (
        re.findall(
            r"<(?:link|iframe|object|embed|form)\b|(?:src|href|url)\s*[=(]\s*['\"]?\s*(?:https?:)?//|@import",
            said,
        )
        == []
    )
    con = snapshots.connect()
    snapshots.attach(con, snapshots.current(made.settings.warehouse), "snapshot")
    patients = con.execute(
        "SELECT last_name || ', ' || first_name FROM snapshot.staging.patients"
    ).fetchall()
    con.close()
    assert len(patients) > 200
    assert [patient for (patient,) in patients if patient in said] == []


def test_the_tables_are_in_the_spreadsheet(made: Made) -> None:
    with zipfile.ZipFile(made.folder / "backlog_review.xlsx") as book:
        sheets = re.findall(r'<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode("utf-8"))
    assert sheets == ["Weeks", "Types", "Facilities", "Oldest tasks", "Money"]


def test_nothing_is_written_to_the_home_folder(made: Made) -> None:
    assert list(made.home.rglob("*")) == []


def test_the_digest_is_fit_for_an_email(made: Made) -> None:
    text = (made.folder / "digest.html").read_text(encoding="utf-8")
    assert not re.search(r"<script|<style|javascript:|\bclass=", text)
    pictures = re.findall(r'<img src="data:image/png;base64,([^"]+)"[^>]* alt="[^"]+"', text)
    assert len(pictures) == text.count("<img") == 3
    assert all(base64.b64decode(picture).startswith(b"\x89PNG") for picture in pictures)
    assert len(text) < 100_000 * 3


def test_the_digests_numbers_are_the_lists(made: Made) -> None:
    said = made.text("digest.html")
    sunday = dt.date(2026, 11, 8)
    assert "Tasks of the week, November 8 to November 14, 2026" in said
    evening = dt.datetime(
        2026, 11, 15, 5, 59, 59, tzinfo=dt.UTC
    )  # when Saturday is over in Chicago
    with open_worklist(made.settings, evening) as then:
        for facility in then.facilities().itertuples():
            part = said.split(f">{facility.name}</h2>")[1].split("<h2")[0]
            found = {
                label: numbers
                for label, *numbers in re.findall(
                    r"<tr><td[^>]*>([^<]+)</td><td[^>]*>([^<]+)</td><td[^>]*>([^<]*)</td></tr>",
                    part,
                )
            }
            mine = {"facility_ids": (facility.facility_id,)}
            assert found["Open"][0] == f"{len(then.tasks(Filters(status='open', **mine))):,}"
            assert found["Overdue"][0] == f"{len(then.tasks(Filters(status='overdue', **mine))):,}"
            for name in ("Overdue", "Deferred"):
                stood = Filters(
                    status="all",
                    open_on=sunday - dt.timedelta(days=1),
                    stood_as=name.lower(),
                    **mine,
                )
                assert found[name][1] == f"{len(then.tasks(stood)):,}"
            came = then.tasks(
                Filters(status="all", in_from=sunday, in_to=sunday + dt.timedelta(days=6), **mine)
            )
            assert int(found["Opened in the week"][0]) >= len(came) > 0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--notebook", "nope"], "There is no notebook nope; there are backlog_review"),
        (["--digest", "--to", "2026-11-01"], "--to and --notebook belong to the notebooks"),
        (["--facility", "999"], "There is no facility 999"),
        (["--from", "2026-11-10", "--to", "2026-11-01"], "after its last day"),
        (["--from", "2031-01-01"], "which has not come yet"),
    ],
)
def test_what_cannot_be_made_is_said(
    made: Made, capsys: pytest.CaptureFixture[str], asked: list[str], said: str
) -> None:
    assert main(["report", "--at", AT.isoformat(), *asked]) != 0
    assert said in capsys.readouterr().err.replace("\n", " ")


def test_a_notebook_that_fails_says_where_and_quotes_no_patient(made: Made, tmp_path: Path) -> None:
    path = tmp_path / "broken.ipynb"
    notebook = json.loads(NOTEBOOKS[0].read_text(encoding="utf-8"))
    code = {
        "cell_type": "code",
        "execution_count": None,
        "id": "x",
        "metadata": {},
        "outputs": [],
        "source": ["raise ValueError('Ziegler, Femi')"],
    }
    notebook["cells"] = [
        notebook["cells"][0],
        *[cell for cell in notebook["cells"] if cell["id"] == "parameters"],
        code,
    ]
    path.write_text(json.dumps(notebook), encoding="utf-8")
    with pytest.raises(
        UserError,
        match=r"notebooks/broken.ipynb, cell 3 \(“Aging audit”\) stopped with ValueError$",
    ):
        execute.execute(path, made.settings, {"at": None}, tmp_path, lambda share, doing: None)
    code["source"] = ["assert 1 == 2, 'the parts do not add up'"]
    path.write_text(json.dumps(notebook), encoding="utf-8")
    with pytest.raises(UserError, match="stopped with AssertionError: the parts do not add up"):
        execute.execute(path, made.settings, {"at": None}, tmp_path, lambda share, doing: None)


@pytest.mark.parametrize("line", ["1 + 1", "1 / 0"])
def test_no_kernel_is_left_behind(made: Made, tmp_path: Path, line: str) -> None:
    notebook = json.loads(NOTEBOOKS[0].read_text(encoding="utf-8"))
    (parameters,) = (cell for cell in notebook["cells"] if cell["id"] == "parameters")
    notebook["cells"] = [parameters, {**parameters, "id": "x", "metadata": {}, "source": [line]}]
    path = tmp_path / "short.ipynb"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    seen: list[list[str]] = []

    def look(share: float, heading: str) -> None:
        seen.append(kernels_of(tmp_path))

    with contextlib.suppress(UserError):
        execute.execute(path, made.settings, {"at": None}, tmp_path, look)
    assert len(seen[-1]) == 1
    assert kernels_of(tmp_path) == []


def kernels_of(scratch: Path) -> list[str]:
    """The command lines of the kernels whose connection file lies in a folder."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has just ended
            found.append(file.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
    return [command for command in found if f"{scratch}/kernel.json" in command]


def test_a_report_that_cannot_be_written_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="the report cannot be written"):
        write.put(tmp_path / "file" / "x.html", b"")


def test_a_python_that_never_begins_is_said_and_nothing_else(tmp_path: Path) -> None:
    text = f"""
import pathlib, sys
from pipelines import settings
from pipelines.errors import UserError
from pipelines.reports import execute as executing
command = [sys.executable, "-c", "raise SystemExit(3)"]
spec = executing.KernelSpec(argv=command, display_name="Python 3", language="python")
executing.OwnKernel.kernel_spec = property(lambda self: spec)
try:
    notebook, scratch = pathlib.Path({str(NOTEBOOKS[0])!r}), pathlib.Path({str(tmp_path)!r})
    executing.execute(notebook, settings.load(), {{}}, scratch, lambda share, doing: None)
except UserError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "the notebook's Python ended before its time" in done.stdout
    assert done.stderr == ""
