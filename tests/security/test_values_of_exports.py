"""No command says a value of an export: its days and amounts become markers that nobody prints.

Markers stand in the first row of each CSV file, in JSON and in X12, of every preset.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import sources_fhir, sources_openemr, sources_synthea, webpt
from tests.bhsim import EXPORT
from tests.conftest import Workbench
from tests.unit.sources import human
from tests.x12_files import acknowledgement, claim, eligibility, remittance, written

MARKER = "zzmarker"
DAY = r"\d{4}-\d\d-\d\d|\d{1,2}/\d{1,2}/\d{4}|(?<![\dA-Za-z])20\d{6}(?!\d)"
AMOUNT = r"(?<![\d.])-?\d+\.\d\d?(?![\d.])"
VALUE = re.compile(rf"(?:{DAY}|{AMOUNT})[^,;\"'|~*\r\n]*")


def of_bhsim(folder: Path) -> Path:
    folder.mkdir()
    for file in EXPORT.glob("*.csv"):
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def of_webpt(folder: Path) -> Path:
    canonical = webpt.sample_nights(folder / "canonical", patients=20)
    return webpt.write_nights(canonical, folder / "incoming")[0]


def of_excel(folder: Path) -> Path:
    from pipelines.settings import SAMPLE

    return human.write(SAMPLE, folder)


EXPORTS: dict[str, Callable[[Path], Path]] = {
    "bhsim": of_bhsim,
    "webpt": of_webpt,
    "excel": of_excel,
    "fhir": sources_fhir.write,
    "openemr": lambda folder: sources_openemr.write(folder, sources_openemr.tables()),
    "synthea": lambda folder: sources_synthea.write(folder, "new"),
}


def mark(folder: Path) -> int:
    """Put markers into the files; how many. Of CSV, into one row, so that days are still known."""
    marked = 0
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        text = file.read_bytes().decode("latin-1")
        if file.suffix == ".csv":
            head, _, rest = text.partition("\n")
            row, end, rows = rest.partition("\n")
            row, found = VALUE.subn(MARKER, row)
            text = f"{head}\n{row}{end}{rows}"
        else:
            text, found = VALUE.subn(MARKER, text)
        marked += found
        file.write_bytes(text.encode("latin-1"))
    return marked


def lines(source: str, folder: Path, out: Path) -> list[tuple[object, ...]]:
    return [
        ("import", "--source", source, "--from", folder, "--out", out),
        ("sources", "check", source, "--from", folder),
        ("sources", "recognise", "--from", folder),
    ]


@pytest.mark.parametrize("source", EXPORTS)
def test_no_command_says_a_day_or_an_amount(
    workbench: Workbench, tmp_path: Path, source: str
) -> None:
    folder = EXPORTS[source](tmp_path / "export")
    assert mark(folder) > 5
    for line in lines(source, folder, tmp_path / "out"):
        code, out, err = workbench.command(*line)
        assert code in (0, 1, 2), err
        assert MARKER not in (out + err).lower(), line[:2]


def test_no_command_says_a_value_of_x12(workbench: Workbench, tmp_path: Path) -> None:
    own = workbench.data / "sources" / "own" / "source.toml"
    own.parent.mkdir(parents=True)
    names = {"patient_id": "Patient", "first_name": "First", "last_name": "Last"}
    columns = "\n".join(f'{name} = "{theirs}"' for name, theirs in names.items())
    own.write_text(
        'with = ["x12"]\n[tables.facilities]\nfrom = "Sites"\n[tables.facilities.columns]\n'
        'facility_id = "Site"\ntime_zone = { constant = "America/New_York" }\n'
        f'[tables.patients]\nfrom = "Patients"\n[tables.patients.columns]\n{columns}\n'
        'status = { constant = "Active" }\nfacility_id = "Site"\n'
    )
    folder = tmp_path / "export"
    folder.mkdir()
    body = remittance(claim("C1", "1", "200", "120.55", "30.25"), claim("C2", "4", "100", "0"))
    for name, segments in {
        "era": body,
        "ack": acknowledgement(("C1", "A7")),
        "elig": eligibility("P1", "EB*1"),
    }.items():
        (folder / f"{name}.x12").write_text(written(segments))
    assert mark(folder) > 5
    (folder / "Sites.csv").write_text("Site\n1\n")
    (folder / "Patients.csv").write_text("Patient,First,Last,Site\n1,Ann,Lee,1\n")
    for line in lines("own", folder, tmp_path / "out"):
        code, out, err = workbench.command(*line)
        assert code in (0, 1, 2), err
        assert MARKER not in (out + err).lower(), line[:2]
