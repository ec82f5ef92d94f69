"""What a person confirmed becomes a mapping file, proved before it replaces anything."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.errors import UserError
from pipelines.sources import choices as choices_module
from pipelines.sources import looking, mapping
from pipelines.sources.choices import Choices
from pipelines.sources.differences import COLUMN, DAYS, WORD, Difference
from pipelines.sources.looking import Seen
from pipelines.sources.specs import Constant, Named

BASE = Choices(
    "emr",
    "2026-11-02",
    files={"sites": "facilities", "clients": "patients", "extra": None},
    columns={
        "sites": {"Site": "facility_id"},
        "clients": {"No": "patient_id", "State": "status", 'The "first"': "first_name"},
    },
    words={"patients.status": {"A": "Active", "Z": ""}},
    fills={"clients": {"facility_id": "constant:1", "last_name": "column:No"}},
    time_zone="America/New_York",
    dates="M/D/YYYY",
    one_case=True,
    absent=("faxes",),
    confirmed={"clients": ("No", "State", 'The "first"')},
    days={"clients": {"Born": ("%m/%d/%Y",)}},
)


@pytest.fixture
def seen(tmp_path: Path) -> Seen:
    folder = tmp_path / "delivery"
    folder.mkdir()
    (folder / "Sites.csv").write_text("Site\n1\n", encoding="utf-8")
    rows = [f"{n},Ann,{'A' if n % 4 else 'Q'},12/{1 + n}/1960" for n in range(20)]
    (folder / "Clients.csv").write_text(
        "\n".join(["No,First,State,Born", *rows]) + "\n", encoding="utf-8"
    )
    return looking.look(folder)


def test_the_mapping_says_what_was_confirmed(tmp_path: Path) -> None:
    made = choices_module.as_mapping(tmp_path, BASE)
    (patients,) = made.tables["patients"]
    assert patients.columns["status"] == Named(("State",), {"A": "Active", "Z": "Z"})
    assert patients.columns["first_name"] == Named(('The "first"',))
    assert patients.columns["facility_id"] == Constant("1")
    assert patients.columns["last_name"] == Named(("No",))
    assert (made.time_zone, made.dates, made.absent) == (
        "America/New_York",
        "M/D/YYYY",
        ("faxes",),
    )
    assert made.one_case_a_patient
    assert made.confirmed == BASE.confirmed
    assert made.days == BASE.days


def test_two_files_of_one_table_are_put_together(tmp_path: Path) -> None:
    both = replace(
        BASE,
        files={**BASE.files, "extra": "patients"},
        columns={**BASE.columns, "extra": {"Id": "patient_id"}},
    )
    rules = choices_module.as_mapping(tmp_path, both).tables["patients"]
    assert [rule.source for rule in rules] == ["clients", "extra"]


def test_a_preset_is_only_overridden(tmp_path: Path) -> None:
    own = Choices("mine", preset="webpt", absent=("faxes",))
    made = choices_module.as_mapping(tmp_path, own)
    assert made.preset == "webpt"
    assert made.absent == ("faxes",)
    assert made.provided() == mapping.load("webpt").provided()


def test_saving_replaces_a_file_only_by_a_good_one(tmp_path: Path) -> None:
    path = choices_module.save(tmp_path, BASE)
    before = path.read_text(encoding="utf-8")
    assert mapping.load("emr", tmp_path).tables.keys() == {"facilities", "patients"}
    with pytest.raises(UserError, match="nothing is not a table"):
        choices_module.save(tmp_path, replace(BASE, absent=("nothing",)))
    assert path.read_text(encoding="utf-8") == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_choices_are_kept_and_read_again(tmp_path: Path) -> None:
    kept = BASE.with_done("columns")
    choices_module.keep(tmp_path, kept)
    assert stat.S_IMODE((tmp_path / "emr" / choices_module.FILE).stat().st_mode) == 0o600
    again = choices_module.load(tmp_path, "emr")
    assert again.step == "words"
    assert choices_module.text(again) == choices_module.text(kept)
    assert choices_module.begun(tmp_path) == ["emr"]
    assert choices_module.load(tmp_path, "other") is None


@pytest.mark.parametrize("text", ["", "[]", '{"delivery": 1, "done": 3}'])
def test_damaged_choices_are_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "emr").mkdir()
    (tmp_path / "emr" / choices_module.FILE).write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="is damaged; move it away"):
        choices_module.load(tmp_path, "emr")


def test_going_back_opens_the_later_steps_again() -> None:
    assert BASE.with_done("gaps").back_to("files").done == ("delivery",)
    assert BASE.with_done("tasks").step is None


def test_known_words_have_a_meaning_and_others_wait_for_one(seen: Seen) -> None:
    chosen = replace(BASE, columns={"clients": {"State": "status"}}, words={})
    proposed = choices_module.proposed_words(chosen, seen)
    assert proposed.words == {"patients.status": {"A": "Active"}}
    assert choices_module.unanswered(proposed, seen) == 1
    answered = replace(proposed, words={"patients.status": {"A": "Active", "Q": ""}})
    assert choices_module.unanswered(answered, seen) == 0


def test_what_must_be_there_and_no_column_says_is_a_gap() -> None:
    found = {gap.column: gap.constants for gap in choices_module.gaps(BASE)}
    assert found == {"last_name": ("Other",), "facility_id": ()}
    assert choices_module.needs_time_zone(BASE)
    told = {**BASE.columns, "sites": {"Site": "facility_id", "TZ": "time_zone"}}
    assert not choices_module.needs_time_zone(replace(BASE, columns=told))


def test_tables_that_no_file_is_are_supposed_never_to_come() -> None:
    proposed = choices_module.proposed_gaps(replace(BASE, absent=(), one_case=False))
    assert proposed.one_case
    assert "surveys" in proposed.absent
    assert "patients" not in proposed.absent


def test_what_was_seen_is_what_was_confirmed(seen: Seen) -> None:
    after = choices_module.as_seen(BASE, seen)
    assert after.confirmed["clients"] == ("No", "First", "State", "Born")
    assert after.days == {"clients": {"Born": ("%m/%d/%Y",)}}


def test_a_difference_is_accepted_where_it_belongs() -> None:
    column = Difference(COLUMN, "clients", "Clients.csv", "Room")
    assert choices_module.accept(BASE, column).confirmed["clients"][-1] == "Room"
    word = Difference(WORD, "clients", "Clients.csv", "status", "patients", "Q")
    assert choices_module.accept(BASE, word, "Referral").words["patients.status"]["Q"] == "Referral"
    days = Difference(DAYS, "clients", "Clients.csv", "Born", formats=("%d/%m/%Y",))
    assert choices_module.accept(BASE, days).days["clients"]["Born"] == ("%d/%m/%Y",)


def test_what_an_earlier_delivery_showed_is_kept(seen: Seen) -> None:
    chosen = replace(BASE, columns={"clients": {"State": "status"}})
    assert choices_module.proposed_words(chosen, seen).words["patients.status"]["Z"] == ""
    earlier = replace(BASE, confirmed={"rooms": ("Room",)}, days={"rooms": {"On": ("%Y%m%d",)}})
    after = choices_module.as_seen(earlier, seen)
    assert after.confirmed["rooms"] == ("Room",)
    assert after.days["rooms"] == {"On": ("%Y%m%d",)}
