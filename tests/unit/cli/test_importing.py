"""The commands import and sources: what they print, and their exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.cli.commands import main
from tests.unit.sources import small


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A practice with the source `small`."""
    monkeypatch.setenv("WORKBENCH_DATA", str(tmp_path / "data"))
    small.write_mapping(tmp_path / "data" / "sources")
    return tmp_path


def test_import_prints_rows_and_the_delivery_s_own_time(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = small.write_files(home / "2026-11-28")
    out = home / "out"
    assert main(["import", "--source", "small", "--from", str(folder), "--out", str(out)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "delivered 2026-11-28 12:00 UTC"
    assert [line.split() for line in printed[1:]] == [
        ["facilities", "1"],
        ["patients", "5"],
        ["cases", "5"],
        ["appointments", "10"],
        ["payments", "3"],
    ]


def test_import_says_what_is_held_and_ends_with_1(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = small.write_files(home / "2026-11-28")
    (folder / "Receipts.csv").unlink()
    line = ["import", "--source", "small", "--from", str(folder), "--out", str(home / "out")]
    assert main(line) == 1
    assert "held: payments: the delivery has no file Receipts" in capsys.readouterr().out


def test_a_cut_file_is_held_until_it_is_accepted(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = [f"{n},00{n % 5 + 1},11/2{n % 5 + 1}/2026,1.00,11/27/2026" for n in range(60)]
    line = ["import", "--source", "small", "--out", str(home / "out"), "--from"]
    whole = small.write_files(home / "2026-11-27", Receipts=[small.FILES["Receipts"][0], *many])
    assert main([*line, str(whole)]) == 0
    cut = small.write_files(home / "2026-11-28", Receipts=[small.FILES["Receipts"][0], *many[:30]])
    assert main([*line, str(cut)]) == 1
    said = "held: payments: Receipts.csv has 30 rows where the delivery before had 60"
    assert said in capsys.readouterr().out
    assert main([*line, str(cut)]) == 1
    assert main([*line, str(cut), "--accept", "Receipts.csv"]) == 0
    assert main([*line, str(cut)]) == 0


def test_sources_lists_own_ones_and_presets(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sources", "list"]) == 0
    printed = capsys.readouterr().out
    assert "small           own     Small EMR: facilities, patients, cases" in printed
    assert "bhsim           preset" in printed


def test_sources_shows_columns_and_sql(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sources", "show", "small"]) == 0
    assert (
        "status                      State: A is Active, I is Inactive" in capsys.readouterr().out
    )
    assert main(["sources", "show", "small", "--sql"]) == 0
    printed = capsys.readouterr().out
    assert 'NULLIF(TRIM(s."MRN"), \'\') AS "patient_id"' in printed


def test_sources_checks_and_recognises(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(small.write_files(home / "2026-11-28"))
    assert main(["sources", "check", "small", "--from", folder]) == 0
    assert "2 tasks; the first 2:" in capsys.readouterr().out
    assert main(["sources", "recognise", folder, "--write", "found"]) == 0
    assert "Visits.csv is appointments" in capsys.readouterr().out
    out = str(home / "out")
    assert main(["import", "--source", "found", "--from", folder, "--out", out]) == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (["sources", "show"], "sources show needs the name of a source"),
        (["sources", "check", "small"], "sources check needs --from: the delivery"),
        (["sources", "recognise"], "sources recognise needs the folder of the delivery"),
        (["sources", "show", "none"], "there is no source named none; known: small, bhsim"),
        (["watch", "--source", "small"], "A source needs both: --source NAME and --from DIR"),
    ],
)
def test_what_is_missing_is_said(
    home: Path, capsys: pytest.CaptureFixture[str], line: list[str], message: str
) -> None:
    assert main(line) == 2
    assert message in capsys.readouterr().err
