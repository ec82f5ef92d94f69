"""Hostile text in every URL parameter and every text field stays text.

Parameters come from the pages themselves (url.view.Param), and every field that a page sends to
the browser is searched, so that new parameters, fields and places of text are covered, too.
"""

from __future__ import annotations

import csv
import io
import re
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import streamlit as st
from google.protobuf.message import Message

from app_pages.session import workspace
from app_pages.url import view as url_view
from pipelines import settings
from pipelines.ledger.ledger import open_ledger
from pipelines.settings import ROOT
from pipelines.sources import mapping
from tests.app.conftest import PAGES, App
from tests.conftest import Workbench
from tests.practice import Practice

MARKED = (  # each has a mark that Markdown, HTML or SQL would act on
    "'; DROP TABLE tasks;--",
    '" OR 1=1 /* $at */',
    "<script>alert(1)</script><b onmouseover=alert(2)>b</b>",
    "[x](javascript:alert(1)) ![y](https://evil.example/y.png)",
    "{{7*7}} ${7*7} {0.__class__} %s $$x^2$$ :red[r] :material/delete:",
    "../../etc/passwd\r\nSet-Cookie: a=b",
)
UNMARKED = (
    "",
    "%",
    "\\",
    "null",
    "-1",
    "1e999",
    "nul\x00l",
    "\u202egnp.exe \u05d0\u05d1",
    "😀" * 3,
    "9" * 5000,
    "2026-02-30..2026-01-01",
)
# Where the browser shows text as text: by the kind of element and the field of its message.
AS_TEXT = {
    ("text", "body"),
    ("code", "code_text"),
    ("code_block", "code_text"),
    ("text_input", "default"),
    ("text_input", "value"),
    ("text_area", "default"),
    ("text_area", "value"),
    ("page_link", "query_string"),
    ("multiselect", "options"),
    ("multiselect", "raw_values"),
    ("selectbox", "options"),
}


@pytest.fixture
def desk(dana: App, monkeypatch: pytest.MonkeyPatch) -> App:
    """Dana's tab; `params` of it are those that the pages have read so far, by page and name."""
    dana.params, whole = {}, url_view.read

    def read(scope: str, params: Sequence[url_view.Param]) -> url_view.View:
        dana.params.setdefault(scope, {}).update({param.name: param for param in params})
        return whole(scope, params)

    monkeypatch.setattr(url_view, "read", read)
    return dana


def strings(message: Message) -> Iterator[tuple[str, str]]:
    """Every text in a message, with the name of its field."""
    for field, value in message.ListFields():
        for one in value if field.is_repeated else (value,):
            if isinstance(one, Message):
                yield from strings(one)
            elif isinstance(one, str):
                yield field.name, one


def interpreted(app: App, payloads: Sequence[str]) -> set[tuple[str, str]]:
    """Where a text arrived unescaped, other than in AS_TEXT: the browser would interpret it."""
    found = {
        (element.type, name)
        for element in app.elements
        if element.proto is not None
        for name, text in strings(element.proto)
        if any(payload in text for payload in payloads)
    }
    return found - AS_TEXT


def assert_safe(app: App) -> None:
    shown = [" ".join(payload.split()) for payload in MARKED]
    assert (
        interpreted(app, [*MARKED, *shown, *(text[: url_view.MOST_CHARACTERS] for text in shown)])
        == set()
    )
    for kind in ("html", "iframe", "video", "image"):
        assert list(app.test.get(kind)) == []
    for markdown in app.test.markdown:
        assert not markdown.allow_html


def test_text_in_any_part_of_the_address_stays_text(desk: App, facility: Workbench) -> None:
    before = facility.tasks(1)
    said = ""
    for page in PAGES:
        desk.open(page)
    assert (
        set(desk.params)
        == set(PAGES)
        == {path.parent.name for path in (ROOT / "app_pages").glob("*/page.py")}
    )
    for page in PAGES:
        params = desk.params[page]
        for number in range(len(MARKED + UNMARKED)):
            texts = [*MARKED[number:], *UNMARKED, *MARKED[:number]]
            # One text for a parameter of one value, all of them for a parameter of many.
            query = {
                name: texts if param.kind == "many" else texts[place % len(texts)]
                for place, (name, param) in enumerate(params.items())
            }
            desk.open(page, **query, strange=texts[0])
            assert_safe(desk)
            said += desk.says
    assert "there is no “'; DROP TABLE tasks;--”" in said
    assert facility.tasks(1) == before
    assert [file.name for file in Path(facility.data / "warehouse").glob("CURRENT")] == ["CURRENT"]


# Each place in the code where somebody can write text, and the test below that writes to it.
FIELDS = {
    "patient/record.py": 1,  # the search
    "tasks/view.py": 1,  # the search beside the list
    "url/saved_views.py": 1,  # the name of a view
    "tasks/panel.py": 2,  # the reason, and the note
    "tasks/actions.py": 1,  # the reason of an override, in the confirmation
    "rules/backtest_form.py": 1,  # a parameter that is text
    "runs/guards.py": 1,  # why a manager accepts what a guard holds
    "connect/delivery.py": 1,  # the name of a connection
}


def test_every_field_is_tried_below() -> None:
    written = {
        f"{path.parent.name}/{path.name}": len(
            re.findall(r"st\.(?:text_input|text_area|chat_input|data_editor)\(", path.read_text())
        )
        for path in pages()
    }
    assert {name: number for name, number in written.items() if number} == FIELDS


def pages() -> list[Path]:
    return sorted((ROOT / "app_pages").rglob("*.py"))


def test_the_name_of_a_connection_stays_text_and_in_its_folder(
    desk: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = tmp_path / "drop" / "2026-11-02"
    drop.mkdir(parents=True)
    (drop / "Sites.csv").write_text("Site ID,Site\n1,Harbor\n")
    monkeypatch.setenv("WORKBENCH_DROP", str(drop.parent))
    st.cache_resource.clear()  # the settings are read again
    before = {path for path in tmp_path.rglob("*") if path.is_dir()}
    for text in MARKED:
        administrator = App("S3").open("connect")
        (field,) = administrator.test.text_input
        field.set_value(text)
        administrator.click("Use this delivery")
        assert_safe(administrator)
    home = settings.load().sources
    made = {path for path in tmp_path.rglob("*") if path.is_dir()} - before
    assert made
    for folder in made - {home}:
        assert folder.parent == home
        assert mapping.NAME.fullmatch(folder.name)


@pytest.mark.parametrize(("page", "key"), [("patient", "patient.find"), ("tasks", "tasks.find")])
def test_a_searched_text_stays_text_and_out_of_the_address(desk: App, page: str, key: str) -> None:
    desk.open(page)
    for text in MARKED + UNMARKED:
        desk.test.text_input(key=key).set_value(text)
        desk.run()
        assert_safe(desk)
        assert desk.query == {}


def test_the_reason_of_an_acceptance_stays_text(
    facility: Workbench, practice: Practice, move_clock: Callable
) -> None:
    keys = [f"P{number}" for number in range(7)]
    for key in keys:
        practice.patient(key).visit(f"V-{key}", key, "2026-10-30T09:00:00", amount_due="40.00")
    facility.run(practice, 1.01)
    for key in keys:
        practice.remove("appointments", f"V-{key}")
    facility.run(practice, 1.02)
    move_clock(facility.day(1.03))
    lee = App("S3").open("runs")
    text = MARKED[2]
    lee.test.text_input(key="runs.guards.reason").set_value(text)
    lee.choose("What is true", ["closings/uncollected_payments/F1"]).click("Accept")
    assert_safe(lee)
    facility.run(practice, 1.04)
    move_clock(facility.day(1.05))
    lee = App("S3").open("runs")
    assert_safe(lee)
    shown = [t.value for t in lee.test.dataframe if "accepted_reason" in t.value.columns]
    assert shown[0]["accepted_reason"].tolist() == [text]


def test_a_views_name_stays_text(desk: App) -> None:
    desk.open("tasks", facility="F1")
    kept = []
    for text in MARKED + UNMARKED:
        desk.test.text_input(key="views.name").set_value(text)
        desk.run().click("views.save")
        assert_safe(desk)
        with open_ledger(settings.load().ledger_url) as ledger:
            kept = [view.name for view in ledger.views("S1")]
    assert len(kept) > len(MARKED), "or nothing was shown back"
    assert {label for label, query in desk.links if query == "facility=F1"} >= {
        " ".join(name.split()).replace("\\", "") for name in kept
    }


def test_reasons_and_notes_stay_text_in_the_panel_in_the_history_and_in_files(
    desk: App, facility: Workbench
) -> None:
    task_id = facility.one(1.1, "draft_documents", "D-A")["task_id"]
    written = [" ".join(" ".join(MARKED).split()), "\u202egnp.exe \u05d0\u05d1 😀"]
    for text in written:
        desk.open("tasks", task=task_id, status="all")
        (note,) = [field for field in desk.test.text_input if field.label == "Note"]
        note.set_value(text)
        desk.run()
        desk.test.text_input(key=f"panel.reason.{task_id}").set_value(text)
        desk.run()
        desk.test.checkbox[0].check()
        assert_safe(desk.run())
        assert "Completed by hand (override) by Dana Whitfield" in desk.says
        desk.test.checkbox[0].uncheck()
        desk.run()
        desk.open("tasks", type="faxing_required").tick(0).click("Complete")
        desk.test.text_area(key="confirm.reason").set_value(text)
        assert_safe(desk.click("Complete 1 task").click("Undo"))
    said = [
        (event["event"], event["reason"])
        for event in facility.history("A", 1.1) + facility.history("B", 1.1)
    ]
    for text in written:
        assert {("noted", text.strip()), ("override", text.strip())} <= set(said)
        assert said.count(("override", text.strip())) == 2, "of the panel, and of the confirmation"
    for patient in ("A", "B"):
        assert_safe(desk.open("patient", patient_id=patient))


def test_a_null_is_refused_in_words(desk: App, facility: Workbench) -> None:
    desk.open("tasks", task=facility.one(1.1, "draft_documents", "D-A")["task_id"])
    (note,) = [field for field in desk.test.text_input if field.label == "Note"]
    note.set_value("nul\x00l")
    assert_safe(desk.run())
    assert [event["event"] for event in facility.history("A", 1.1)] == ["opened", "opened"]


def test_a_parameter_that_is_text_stays_text(
    desk: App,
    facility: Workbench,
    practice: Practice,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    practice.write(tmp_path / "past" / "2026-11-02", facility.day(1))
    monkeypatch.setenv("WORKBENCH_EXTRACTS", str(tmp_path / "past"))
    workspace.workspace.clear()
    text = "'; DROP TABLE staging.claims;-- <script>alert(1)</script> [x](javascript:a)"
    desk.open("rules", rule="claim_submission_hold")
    desk.test.text_input(key="backtest.claim_submission_hold/code_contains").set_value(text)
    desk.click("backtest.claim_submission_hold/go")
    until = time.monotonic() + 60
    while (
        any(button.key == "backtest.stop" for button in desk.test.button)
        and time.monotonic() < until
    ):
        assert interpreted(desk, [text]) == set()
        time.sleep(0.2)
        desk.run()
    assert "came to no result" not in desk.says
    assert text in desk.says
    assert interpreted(desk, [text]) == set()


# Every file for people holds these, each as text.
NAME, ID, NOTE = '=HYPERLINK("http://evil.example")', "0012", "@SUM(A1)"


@pytest.fixture
def hostile(facility: Workbench, practice: Practice, move_clock: Callable) -> Workbench:
    """A patient whose name is a formula and whose id has leading zeros owes money."""
    practice.patient(ID, last_name=NAME, first_name="-1").visit(
        "0034", ID, "2026-10-30T09:00:00", amount_due="40.00"
    )
    facility.run(practice, 1.05)
    practice.payment("0056", ID, "2026-10-29", "-12.50", paid_at="+1")  # refused
    facility.run(practice, 1.1)
    move_clock(facility.day(1.2))
    return facility


def read(text: str) -> list[dict[str, str]]:
    head, *rows = csv.reader(io.StringIO(text, newline=""))
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_no_command_prints_a_formula_or_a_shortened_id(hostile: Workbench) -> None:
    at = hostile.day(1.2).isoformat()
    hostile.act("note", hostile.one(1.2, "uncollected_payments", "0034"), 1.15, "--reason", NOTE)
    App("S1").open("patient", patient_id=ID)
    said = {
        name: hostile.command(*arguments, "--format", "csv")[1]
        for name, arguments in {
            "tasks": ("tasks", "--at", at, "--patient", ID),
            "history": ("history", "--at", at, "--patient", ID),
            "accesses": ("accesses", "--patient", ID),
        }.items()
    }
    for text in said.values():
        assert {row["patient_id"] for row in read(text)} == {"'" + ID}
    (task,) = [row for row in read(said["tasks"]) if row["amount"]]
    assert (task["subject_id"], task["amount"], task["since"]) == ("'0034", "40.0", "2026-10-30")
    assert task["task_id"].removeprefix("'") in {t["task_id"] for t in hostile.tasks(1.2)}
    assert "'" + NOTE in {event["reason"] for event in read(said["history"])}
    events = hostile.history(ID, 1.2)
    assert NOTE in {event["reason"] for event in events}, "JSON has the values themselves"
    assert {event["patient_id"] for event in events} == {ID}


def test_no_file_of_the_screens_holds_a_formula_or_a_shortened_id(
    hostile: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    makers, button = {}, st.download_button
    monkeypatch.setattr(
        st,
        "download_button",
        lambda *said, **more: makers.update({more["key"]: more["data"]}) or button(*said, **more),
    )
    dana = App("S1")
    files = {}
    for page in ("tasks", "schedule"):
        dana.open(page)
        files[page] = read(makers["export.csv"]().decode("utf-8-sig"))
    (task,) = [row for row in files["tasks"] if row["Patient id"] == "'" + ID and row["Amount"]]
    assert task["Patient"] == f"'{NAME}, -1"
    assert (task["Amount"], task["Since"]) == ("40.00", "2026-10-30")
    assert {row["Patient"] for row in files["schedule"] if NAME in row["Patient"]} == {
        f"'{NAME}, -1"
    }
    dana.open("runs")
    (archive,) = [make() for key, make in makers.items() if key.startswith("runs.refused")]
    with zipfile.ZipFile(io.BytesIO(archive)) as refused:
        assert refused.namelist() == ["payments.csv"]
        (row,) = read(refused.read("payments.csv").decode("utf-8-sig"))
    assert (row["payment_id"], row["patient_id"], row["paid_at"]) == ("'0056", "'" + ID, "'+1")
    assert (row["amount"], row["date_of_service"]) == ("-12.50", "2026-10-29"), "values, not texts"
