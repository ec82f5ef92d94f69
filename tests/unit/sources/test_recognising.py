"""Recognition: names and values give evidence, value sets and parents veto, nothing is applied."""

from __future__ import annotations

import csv
import re
import tomllib
from pathlib import Path

import pytest

from pipelines.errors import UserError
from pipelines.settings import SAMPLE
from pipelines.sources import importing, mapping, proposing, recognising
from pipelines.sources.recognising import Recognition, TableMatch
from tests.unit.sources import human


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample practice as people would keep it."""
    return human.write(SAMPLE, tmp_path_factory.mktemp("export") / "2026-11-20")


@pytest.fixture(scope="module")
def found(exported: Path) -> Recognition:
    return recognising.recognise(exported)


def write(path: Path, header: str, *rows: str) -> None:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def of(found: Recognition, table: str) -> TableMatch:
    return next(match for match in found.tables if match.table == table)


def theirs(found: Recognition, table: str) -> dict[str, str]:
    return {match.column: match.theirs for match in of(found, table).columns}


@pytest.mark.parametrize("table", human.HEADERS)
def test_files_and_columns_are_recognised_by_name_and_content(
    found: Recognition, table: str
) -> None:
    name, headers = human.HEADERS[table]
    assert of(found, table).file == f"{name}.csv"
    assert theirs(found, table) == headers
    assert of(found, table).missing == ()


def test_each_match_says_how_sure_it_is_and_why(found: Recognition) -> None:
    patient = next(m for m in of(found, "cases").columns if m.column == "patient_id")
    assert patient.proof == "100.0% of the values are ids of patients"
    assert 0.6 < patient.confidence <= 1


def test_marital_status_is_no_patient_status(tmp_path: Path) -> None:
    write(
        tmp_path / "Patients.csv",
        "Patient ID,First Name,Last Name,Marital Status,Location",
        *(f"{n},Ann,Lee{n},{'Single' if n % 2 else 'Married'},1" for n in range(20)),
    )
    found = recognising.recognise(tmp_path)
    assert "status" not in theirs(found, "patients")
    assert "status" in of(found, "patients").missing
    assert "Marital Status" in of(found, "patients").unused


def test_an_id_whose_values_are_no_ids_of_its_parent_is_not_it(tmp_path: Path) -> None:
    write(
        tmp_path / "Patients.csv",
        "Patient ID,First Name,Last Name,Status,Location",
        *(f"P{n},Ann,Lee{n},Active,1" for n in range(20)),
    )
    write(
        tmp_path / "Episodes.csv",
        "Episode ID,Patient ID,Person,Start of Care,Location",
        *(f"E{n},{9000 + n},P{n},2026-11-0{1 + n % 9},1" for n in range(20)),
    )
    cases = recognising.recognise(tmp_path)
    assert theirs(cases, "cases")["patient_id"] == "Person"
    match = next(m for m in of(cases, "cases").columns if m.column == "patient_id")
    assert match.proof.endswith("ids of patients, by content only")
    assert match.confidence < 0.8


def test_money_needs_more_than_digits(tmp_path: Path) -> None:
    header = "Receipt Number,Chart No,Episode,Type,Amount,Received On"
    rows = [f"{n},P{n},E{n},payment,{{}},2026-11-01" for n in range(20)]
    confidence = {}
    for kind, amount in {"cents": "25.00", "digits": "25"}.items():
        folder = tmp_path / kind
        folder.mkdir()
        write(folder / "Receipts.csv", header, *(row.format(amount) for row in rows))
        matches = of(recognising.recognise(folder), "payments").columns
        confidence[kind] = next(m.confidence for m in matches if m.column == "amount")
    assert confidence["digits"] < confidence["cents"]


def test_words_are_explained_or_asked(tmp_path: Path) -> None:
    words = ["A", "Discharged", "R", "Active"] * 9 + ["Zebra"]
    write(
        tmp_path / "Patients.csv",
        "Patient ID,First Name,Last Name,Status,Location",
        *(f"{n},Ann,Lee{n},{word},1" for n, word in enumerate(words)),
    )
    status = next(
        match
        for match in of(recognising.recognise(tmp_path), "patients").columns
        if match.column == "status"
    )
    assert dict(status.values) == {
        "A": "Active",
        "Active": "Active",
        "Discharged": "Inactive",
        "R": "Referral",
        "Zebra": None,
    }
    assert status.unknown_words == ["Zebra"]


def test_a_file_of_nothing_we_know_is_no_table(tmp_path: Path) -> None:
    write(tmp_path / "weather.csv", "station,rain,wind", "A,1,2", "B,3,4")
    found = recognising.recognise(tmp_path)
    assert (found.tables, found.unknown) == ((), ("weather",))


def test_a_proposal_is_a_mapping_that_nothing_applies_until_it_is_confirmed(
    found: Recognition, exported: Path, tmp_path: Path
) -> None:
    path = proposing.write(found, tmp_path / "sources", "ours")
    source = mapping.load("ours", tmp_path / "sources")
    assert set(source.tables) == set(human.HEADERS)
    with pytest.raises(UserError, match="nobody has confirmed this mapping"):
        importing.import_delivery(importing.Request(source, exported, tmp_path / "out"))
    path.write_text(path.read_text().replace("unconfirmed = true\n", ""))
    source = mapping.load("ours", tmp_path / "sources")
    done = importing.import_delivery(importing.Request(source, exported, tmp_path / "out"))
    assert not done.held
    for table, (_, headers) in human.HEADERS.items():
        assert columns(tmp_path / "out", table, headers) == columns(SAMPLE, table, headers)


def columns(folder: Path, table: str, names: dict[str, str]) -> list[list[str]]:
    with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return sorted([row[name] for name in names] for row in csv.DictReader(file))


def test_a_proposal_overwrites_nothing_and_needs_a_plain_name(
    found: Recognition, tmp_path: Path
) -> None:
    proposing.write(found, tmp_path, "ours")
    with pytest.raises(UserError, match="is there already"):
        proposing.write(found, tmp_path, "ours")
    with pytest.raises(UserError, match="is no name of a source"):
        proposing.write(found, tmp_path, "../ours")


def test_a_proposal_of_hostile_names_is_still_toml(tmp_path: Path) -> None:
    write(
        tmp_path / "Patients.csv",
        'Patient ID,"First ""Name""",Last Name,Status,Location',
        *(f"{n},Ann,Lee{n},{'A]=' if n else 'Active'},1" for n in range(20)),
    )
    text = "\n".join(proposing.proposal(recognising.recognise(tmp_path)))
    assert tomllib.loads(text)["unconfirmed"] is True


def test_nothing_said_of_a_delivery_holds_a_patients_value(
    found: Recognition, exported: Path
) -> None:
    said = "\n".join([*recognising.report(found), *proposing.proposal(found)])
    with (exported / "Clients.csv").open(encoding="utf-8", newline="") as file:
        people = list(csv.DictReader(file))
    for person in people:
        assert not re.search(rf"\b{re.escape(person['Surname'])}\b", said)
        assert person["Date of Birth"] not in said
