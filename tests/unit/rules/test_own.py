"""A practice's own rule files: what is found in the folder, and what `rules check` says of each."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.rules import loading, own
from pipelines.settings import ROOT
from tests.conftest import Workbench

EXAMPLES = ROOT / "docs" / "own-rules"
REFERRAL, CHANNEL = "referral_without_appointment", "no_reminder_channel"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """write(old, new, of=REFERRAL, name=of): an example in which new replaces old; its path."""

    def write(old: str = "", new: str = "", of: str = REFERRAL, name: str = "") -> Path:
        text = (EXAMPLES / f"{of}.sql").read_text(encoding="utf-8")
        assert old in text
        path = tmp_path / "rules" / f"{name or of}.sql"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return path

    return write


def loaded(folder: Path | None) -> own.OwnRules:
    return own.load(folder, loading.load_rules())


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("/* rule", "/* rules", "line 1: a rule begins"),
        ("due_days     = 3", "due_days     =", "line 15 of the file"),
        ("due_days     = 3", "due_days     = " + "[" * 9_999, "the header is not TOML"),
        ("due_days", "due_dais", "line 15: due_dais: unknown key"),
        ('title        = "Referral Without Appointment"\n', "", "line 1: the header lacks title"),
        ('"Referral Management"', '"Referrals"', "line 3: category: 'Referrals' is none of"),
        ('["Referral"]', '["Referred"]', "line 18: patients: 'Referred' is none of Active, Inact"),
        ("days_to_book = 2", "days_to_call = 2", "line 30: the SQL uses $days_to_book"),
        ("days_to_book = 2", "days_to_book = 2\nspare = 1", "line 23: spare: the SQL does not"),
        ('"facilities"]', '"facilities", "faxes"]', "line 14: reads: the SQL reads"),
        ("/* evidence */", "/* why */", "line 4: clears: a rule that clears by itself"),
        ("c.facility_id,", "c.facilty_id,", "line 28: the SQL does not fit: Binder"),
        ("*/\nSELECT", "*/\n\n-- x\nSELECT x.x,", "line 26: the SQL does not fit: Binder"),
        ("a.visit_on AS", "a.visited_on AS", "line 52: the SQL does not fit: Binder Error"),
        ("WHERE\n    c.opened", "WERE\n    c.opened", "line 36: the SQL cannot be read: Parser"),
        ("FROM staging.cases", "FROM extract.cases", "line 34: extract.cases: a rule reads tables"),
        ("AS reason,", "AS reasons,", "line 24: the SELECT must give subject_id, case_id"),
        ("AS reason,", "AS reason, 1 AS reason,", "given twice: reason"),
        ("c.opened_on + $days_to_book AS since", "'x' AS since", "line 30: since must be DATE"),
        ("TRUE AS is_work", "1 AS is_work", "line 47: is_work must be BOOLEAN, not INTEGER"),
    ],
)
def test_check_names_file_line_and_key(
    workbench: Workbench, write: Write, old: str, new: str, says: str
) -> None:
    path = write(old, new)
    code, out, err = workbench.command("rules", "check", path)
    assert (code, out) == (2, "")
    assert f"{path}: " in err
    assert says in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("mips", "mips is a rule of the workbench"),
        ("My Rule", "the file name must be small letters"),
        ("it's", "the file name must be small letters"),
        ("1st", "the file name must be small letters"),
    ],
)
def test_check_says_which_names_a_file_may_have(
    workbench: Workbench, write: Write, name: str, says: str
) -> None:
    path = write(name=name)
    code, _, err = workbench.command("rules", "check", path)
    assert (code, f"{path}: {says}" in err) == (2, True)


def test_check_names_every_broken_file_and_only_those(workbench: Workbench, write: Write) -> None:
    bad = [write("due_days", "due_dais"), write("due_days", "due_dais", of=CHANNEL)]
    good = write(of="discharge_survey_missing")
    code, _, err = workbench.command("rules", "check", *bad, good)
    assert (code, err.count("unknown key")) == (2, 2)
    assert str(good) not in err
    assert workbench.command("rules", "check", good)[:2] == (0, "1 rules are well formed\n")
    code, _, err = workbench.command("rules", "check", good, good.parent / "gone.sql")
    assert (code, "gone.sql: there is no such file" in err) == (2, True)


def test_check_without_files_reads_the_folder_and_its_settings(
    workbench: Workbench, write: Write
) -> None:
    write()
    workbench.data.mkdir()
    shutil.copytree(write(of=CHANNEL).parent, workbench.data / "rules")
    assert workbench.command("rules", "check")[:2] == (0, "19 rules are well formed\n")
    settings = workbench.data / "settings.toml"
    settings.write_text("[rules.no_reminder_channel]\ndays_opn = 3\n")
    code, _, err = workbench.command("rules", "check")
    assert (code, "rules.no_reminder_channel.days_opn" in err) == (2, True)
    settings.unlink()
    (workbench.data / "rules" / "no_reminder_channel.sql").write_text("SELECT 1")
    code, _, err = workbench.command("rules", "check")
    assert (code, "no_reminder_channel.sql: line 1: a rule begins" in err) == (2, True)


@pytest.mark.parametrize("what", ["list", "docs"])
def test_only_check_takes_a_file(workbench: Workbench, write: Write, what: str) -> None:
    assert workbench.command("rules", what, write())[0] == 2


def test_files_for_one_name_are_not_checked_together(
    workbench: Workbench, write: Write, tmp_path: Path
) -> None:
    path = write()
    twin = shutil.copy(path, tmp_path)
    code, _, err = workbench.command("rules", "check", path, twin)
    assert (code, "rules of the same name" in err) == (2, True)


def test_no_folder_has_no_rules(tmp_path: Path) -> None:
    for folder in (None, tmp_path / "rules", tmp_path):
        assert loaded(folder) == ({}, {})


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "rules").write_text("")
    rules, broken = loaded(tmp_path / "rules")
    assert rules == {}
    assert broken == {"rules/": f"{tmp_path / 'rules'}: cannot be read (Not a directory)"}


def test_files_that_systems_keep_beside_others_are_none_of_ours(write: Write) -> None:
    path = write()
    for name in ("._x.sql", ".x.sql", "x.sql~", "x.sql.bak", "README.md"):
        (path.parent / name).write_text("no rule")
    assert loaded(path.parent).broken == {}
    assert list(loaded(path.parent).rules) == [REFERRAL]


def test_a_file_with_the_name_of_a_shipped_rule_leaves_that_rule_alone(write: Write) -> None:
    path = write(name="mips")
    rules, broken = loaded(path.parent)
    assert rules == {}
    assert list(broken) == ["mips.sql"]


def test_a_file_in_another_encoding_is_named(write: Write) -> None:
    path = write()
    path.write_bytes("/* rule\ntitle = 'Überweisung'".encode("latin-1"))
    assert "cannot be read as UTF-8" in loaded(path.parent).broken[REFERRAL]
    good = (EXAMPLES / f"{REFERRAL}.sql").read_text(encoding="utf-8").replace("\n", "\r\n")
    path.write_bytes(good.encode("utf-8-sig"))
    assert list(loaded(path.parent).rules) == [REFERRAL]


def test_a_rule_converts_to_shipped_and_own_rules_that_can_be_loaded(write: Write) -> None:
    to = 'period = "week"\nconverts_to = ["{}"]\n\n[params]'.format
    folder = write("[params]", to("second"), name="first").parent
    write(name="second")
    assert list(loaded(folder).rules) == ["first", "second"]
    write("[params]", to("third"), name="second")
    rules, broken = loaded(folder)
    assert rules == {}
    assert "second.sql: line 22: converts_to: 'third' is not another" in broken["second"]
    assert "first.sql: line 22: converts_to: 'second' is not another" in broken["first"]


def test_the_signature_changes_with_the_files(write: Write) -> None:
    path = write()
    first = own.signature(path.parent)
    path.write_text("shorter")
    second = own.signature(path.parent)
    path.unlink()
    assert len({first, second, own.signature(path.parent)}) == 3
