"""Connect: from a workbook with a practice's own headers to the tasks of the canonical extracts."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import shutil
import stat
import time
from pathlib import Path

import pytest
import streamlit as st
import xlsxwriter

from pipelines import settings as settings_module
from pipelines.ledger.ledger import open_ledger
from pipelines.runs import run
from pipelines.settings import SAMPLE, Settings
from pipelines.sources import differences, importing, mapping
from pipelines.sources.importing import Imported, Request
from pipelines.worklist.worklist import open_worklist
from tests.app.conftest import App
from tests.bhsim import EXPORT
from tests.conftest import Workbench
from tests.practice import Practice
from tests.unit.sources import human

ADMINISTRATOR = "S3"  # the practice administrator of the small practice
TABLES = tuple(human.HEADERS)
DELIVERED = dt.datetime(2026, 11, 2, 10, tzinfo=dt.UTC)
CODES = {"Active": "A", "Inactive": "Gone"}  # words that the practice writes for patients
SHEET = "Practice export 2026-11-02.xlsx, sheet Clients"
FORBIDDEN = ("sql", "mapping", "schema", "staged", "toml", "utc")


def workbook(folder: Path, target: Path) -> Path:
    """The CSV files of a folder as the sheets of one workbook."""
    with xlsxwriter.Workbook(str(target)) as book:
        for path in sorted(folder.glob("*.csv")):
            sheet = book.add_worksheet(path.stem)
            with path.open(encoding="utf-8", newline="") as file:
                for number, row in enumerate(csv.reader(file)):
                    for place, text in enumerate(row):
                        sheet.write_string(number, place, text)
    os.utime(target, (DELIVERED.timestamp(), DELIVERED.timestamp()))
    return target


def rewrite(path: Path, change) -> None:
    """Change each row of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [change(row) for row in csv.DictReader(file)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def extracts(tmp_path: Path, practice: Practice, facility: Workbench) -> Path:
    """The six tables of the small practice, canonical."""
    folder = tmp_path / "canonical"
    for number in range(30):  # enough rows to recognise a column by what is in it
        key = f"P{number}"
        practice.patient(
            key,
            first_name=f"Given{number}",
            last_name=f"Family{number}",
            birth_date=f"19{50 + number}-02-{1 + number % 27:02}",
            status="Active" if number % 3 else "Inactive",
        )
        practice.visit(f"W{number}", key, "2026-10-29T09:00:00", amount_due=f"{number}.50")
        practice.add(
            "payments",
            f"R{number}",
            patient_id=key,
            case_id=f"C-{key}",
            date_of_service="2026-10-29",
            amount=f"{number // 2}.50",
            paid_at="2026-10-29T10:00:00",
        )
    practice.write(folder, facility.day(1))
    for path in folder.glob("*.csv"):
        if path.stem not in TABLES:
            path.unlink()
    return folder


@pytest.fixture
def kept(tmp_path: Path, extracts: Path) -> Path:
    """The same as people keep them: own headers, own words for a patient's status."""
    folder = human.write(extracts, tmp_path / "kept")
    rewrite(folder / "Clients.csv", lambda row: {**row, "State": CODES.get(row["State"], "Ref")})
    return folder


@pytest.fixture
def drop(tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of deliveries, with one workbook of six sheets."""
    folder = tmp_path / "drop"
    folder.mkdir()
    workbook(kept, folder / "Practice export 2026-11-02.xlsx")
    monkeypatch.setenv("WORKBENCH_DROP", str(folder))
    return folder


@pytest.fixture
def lee(drop: Path) -> App:
    """Lee Park, the practice administrator, on the page."""
    return App(ADMINISTRATOR).open("connect")


def waited(app: App) -> App:
    """Wait until the trial is over."""
    until = time.monotonic() + 300
    while app.test.get("progress") and time.monotonic() < until:
        time.sleep(0.2)
        app.run()
    return app


def choose(app: App, label: str, value: str | None) -> App:
    """Choose in the select box of this label."""
    (box,) = [one for one in app.test.selectbox if one.label == label]
    box.set_value(value).run()
    return app.run()


def answered(app: App) -> App:
    """Choose a delivery and confirm all up to the report; the words are explained."""
    app.click("Use this delivery").click("These tables are right")
    choose(app, f"What Home Site of {SHEET} is", "facility_id")
    app.click("These columns are right")
    choose(app, "What Gone means", "Inactive")
    app.click("These words are right").click("That is right")
    return waited(app)


def saved(app: App) -> App:
    waited(answered(app).click("These numbers are right"))
    return app.click("Save this connection")


def imported(home: Settings, folder: Path, out: Path) -> Imported:
    source = mapping.load("emr", home.sources)
    return importing.import_delivery(Request(source, folder, out, home=home.sources))


def tasks_of(settings: Settings, folder: Path, at: dt.datetime) -> set[tuple[str, str]]:
    run.run(settings, folder, at)
    with open_worklist(settings, at) as worklist:
        rows = worklist.tasks()
    return set(zip(rows["rule_id"], rows["subject_id"], strict=True))


@pytest.mark.parametrize("staff", ["S1", "S2"])
def test_only_the_administrator_and_the_owner_may_connect(drop: Path, staff: str) -> None:
    app = App(staff).open("connect")
    assert "Only a Practice Administrator or Business Owner can connect" in app.says
    assert [box.label for box in app.test.selectbox] == []
    assert "Connect" not in [label for label, _ in app.links]


def test_the_owner_may_connect(practice: Practice, facility: Workbench, drop: Path) -> None:
    practice.add("staff", "S9", name="Ona Ber", role="Business Owner")
    facility.run(practice, 1.0)
    app = App("S9").open("connect")
    assert "Use this delivery" in app.says
    assert "Connect" in [label for label, _ in app.links]


def test_without_a_folder_it_says_what_to_set(facility: Workbench) -> None:
    app = App(ADMINISTRATOR).open("connect")
    assert "Ask whoever looks after the workbench to set WORKBENCH_DROP" in app.says


def test_a_folder_that_is_gone_is_a_sentence(lee: App, drop: Path) -> None:
    shutil.rmtree(drop)
    assert "cannot be listed" in lee.run().says


def test_a_delivery_outside_the_folder_is_not_offered(
    tmp_path: Path, drop: Path, kept: Path
) -> None:
    (drop / "outside").symlink_to(kept)
    app = App(ADMINISTRATOR).open("connect")
    (box,) = [one for one in app.test.selectbox if one.label == "Delivery"]
    assert not any("outside" in option for option in box.options)


def test_a_damaged_workbook_is_a_sentence(lee: App, drop: Path) -> None:
    (drop / "Practice export 2026-11-02.xlsx").write_bytes(b"PK not a workbook")
    assert "is damaged or not whole" in lee.click("Use this delivery").says


def test_a_workbook_with_human_headers_gives_the_tasks_of_the_canonical_extracts(
    lee: App, drop: Path, extracts: Path, facility: Workbench, tmp_path: Path
) -> None:
    clicks: list[str] = []
    click = App.click
    lee.click = lambda label: (clicks.append(label), click(lee, label))[1]
    saved(lee)
    assert len(clicks) <= 10
    assert "The connection is saved." in lee.says
    assert f"watch --source emr --from {drop}" in lee.says
    settings = settings_module.load()
    done = imported(settings, drop / "Practice export 2026-11-02.xlsx", tmp_path / "out")
    assert (done.held, done.new) == ({}, ())
    own = tmp_path / "own"
    by_data = {
        name: Settings(own / name, None, f"sqlite:///{own / name}.sqlite", own / "none.toml")
        for name in ("foreign", "canonical")
    }
    own.mkdir()
    at = facility.day(1)
    expected = tasks_of(by_data["canonical"], extracts, at)
    assert len(expected) > 10
    assert tasks_of(by_data["foreign"], tmp_path / "out", at) == expected


def test_no_step_shows_a_value_or_the_words_of_programmers(lee: App) -> None:
    for label in ("", "Use this delivery", "These tables are right"):
        page = lee.click(label) if label else lee
        assert "Family" not in page.sent
        assert not [word for word in FORBIDDEN if word in page.says.lower()]
    assert "F•••" in lee.says
    assert "••••-••-••" not in lee.says, "the year of a day stays"
    assert "1950-••-••" in lee.says


def test_every_word_needs_an_answer_or_its_rows_are_refused(lee: App, facility: Workbench) -> None:
    lee.click("Use this delivery").click("These tables are right")
    assert "No column was found for: Facility ID" in lee.says
    choose(lee, f"What Home Site of {SHEET} is", "facility_id")
    lee.click("These columns are right")
    lee.click("These words are right")
    assert "One word still needs an answer." in lee.says
    choose(lee, "What Gone means", "")
    waited(lee.click("These words are right").click("That is right"))
    refused = lee.test.dataframe[1].value
    reasons = set(zip(refused["table"], refused["column"], refused["check"], strict=True))
    assert ("Patients", "Status", "has a word that is not explained") in reasons
    assert ("Cases (episodes of care)", "Patient ID", "names a record that is not there") in reasons
    assert "Gone" not in refused.to_string()


def test_a_preset_is_tried_and_saved_without_asking_for_its_columns(lee: App, drop: Path) -> None:
    shutil.copytree(EXPORT, drop / "bhsim 2026-11-02")
    lee.run()
    choose(lee, "Delivery", "bhsim 2026-11-02")
    choose(lee, "How to read it", "bhsim")
    waited(lee.click("Use this delivery").click("That is right"))
    assert "as the ready-made connection says" in lee.says
    waited(lee.click("These numbers are right"))
    lee.click("Save this connection")
    saved_as = mapping.load("emr", settings_module.load().sources)
    assert saved_as.preset == "bhsim"
    assert saved_as.confirmed["visits"]
    assert saved_as.provided() == mapping.load("bhsim").provided()


def test_the_sample_leads_here(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    st.cache_data.clear()
    st.cache_resource.clear()
    assert workbench.command("run")[0] == 0
    for role, leads in (("Practice Administrator", True), ("Front Desk", False)):
        with (SAMPLE / "staff.csv").open(encoding="utf-8", newline="") as file:
            staff = next(
                row["staff_id"]
                for row in csv.DictReader(file)
                if row["role"] == role and row["is_active"] == "true"
            )
        app = App(staff)
        assert ("Use real data" in [label for label, _ in app.links]) == leads
    st.cache_data.clear()
    st.cache_resource.clear()


def test_two_columns_of_one_meaning_are_refused(lee: App) -> None:
    lee.click("Use this delivery").click("These tables are right")
    choose(
        lee, "What Marital Status of Practice export 2026-11-02.xlsx, sheet Clients is", "status"
    )
    assert "two columns are Status" in lee.click("These columns are right").says


def test_the_first_tasks_are_on_record_before_they_are_shown(lee: App, facility: Workbench) -> None:
    waited(answered(lee).click("These numbers are right"))
    shown = set(lee.test.dataframe[0].value["patient"])
    with open_ledger(settings_module.load().ledger_url) as ledger:
        looks = [one for one in ledger.accesses(after=0) if one.kind == "first tasks"]
    assert {one.patient_id for one in looks} == shown
    assert {(one.staff_id, one.detail) for one in looks} == {(ADMINISTRATOR, "emr")}


def test_it_can_be_left_and_taken_up_again(lee: App, facility: Workbench) -> None:
    lee.click("Use this delivery").click("These tables are right")
    file = settings_module.load().sources / "emr" / "progress.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "Family" not in file.read_text(encoding="utf-8")
    again = App(ADMINISTRATOR).open("connect", source="emr")
    assert "6 of 6 files are used" in again.says
    again.click("connect.change.files")
    assert "These tables are right" in again.says
    assert json.loads(file.read_text(encoding="utf-8"))["done"] == ["delivery"]


def test_a_damaged_progress_is_a_sentence(lee: App, facility: Workbench) -> None:
    lee.click("Use this delivery")
    (settings_module.load().sources / "emr" / "progress.json").write_text("{", encoding="utf-8")
    assert "is damaged; move it away to begin this source anew" in lee.run().says


def test_a_later_delivery_that_differs_is_confirmed_line_by_line(
    lee: App, drop: Path, kept: Path, facility: Workbench, tmp_path: Path
) -> None:
    saved(lee)
    rewrite(
        kept / "Clients.csv",
        lambda row: {**row, "State": "Deceased?" if row["Chart No"] == "P1" else row["State"]},
    )
    rewrite(kept / "Schedule.csv", lambda row: {**row, "Room": "1"})
    later = workbook(kept, drop / "Practice export 2026-11-03.xlsx")
    settings = settings_module.load()
    held = imported(settings, later, tmp_path / "out").held
    assert set(held) == {"patients", "appointments"}
    assert all(why.endswith(": confirm it on the Connect page") for why in held.values())
    lee.open("connect", source="emr")
    assert "What is new in the last delivery" in lee.says
    assert "has a new column Room." in lee.says
    choose(lee, "What Deceased? means", "Inactive")
    lee.click("connect.emr.news.1.confirm").click("connect.emr.news.0.confirm")
    assert "All that was new is confirmed." in lee.says
    assert differences.read(settings.sources / "emr").found == ()
    assert imported(settings, later, tmp_path / "out").held == {}


def test_a_new_column_is_used_after_the_steps_are_confirmed_with_that_delivery(
    lee: App, drop: Path, kept: Path, tmp_path: Path
) -> None:
    saved(lee)
    rewrite(kept / "Clients.csv", lambda row: {**row, "Mobile": "555-0100"})
    later = workbook(kept, drop / "Practice export 2026-11-03.xlsx")
    settings = settings_module.load()
    assert set(imported(settings, later, tmp_path / "out").held) == {"patients"}
    lee.open("connect", source="emr").click("connect.change.delivery")
    choose(lee, "Delivery", "Practice export 2026-11-03.xlsx")
    lee.click("Use this delivery").click("These tables are right")
    choose(lee, "What Mobile of Practice export 2026-11-03.xlsx, sheet Clients is", "phone")
    lee.click("These columns are right").click("These words are right").click("That is right")
    waited(waited(lee).click("These numbers are right")).click("Save this connection")
    assert "What is new" not in lee.says
    assert imported(settings, later, tmp_path / "out").held == {}
    with (tmp_path / "out" / "patients.csv").open(encoding="utf-8", newline="") as file:
        assert {row["phone"] for row in csv.DictReader(file)} == {"555-0100"}
