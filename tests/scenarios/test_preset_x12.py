"""X12 beside a source's own files: what payers answer sets its records."""

from __future__ import annotations

import csv
import datetime as dt
import os
import zipfile
from pathlib import Path

import pytest

from pipelines.errors import UserError
from pipelines.extracts import contract
from pipelines.sources import importing, mapping
from tests.bhsim import by_key, rows_of
from tests.practice import Practice
from tests.x12_files import (
    Interchange,
    acknowledgement,
    claim,
    eligibility,
    remittance,
    written,
)

AT = dt.datetime(2026, 11, 2, 11, tzinfo=dt.UTC)
TABLES = (
    "facilities",
    "staff",
    "payers",
    "patients",
    "cases",
    "policies",
    "appointments",
    "claims",
)


def own_mapping(home: Path, tables: tuple[str, ...] = TABLES, *, more: str = "") -> None:
    """A source whose files have the contract's columns, with X12 beside them."""
    lines = ['with = ["x12"]', more]
    for table in tables:
        lines += [f'[tables.{table}]\nfrom = "{table}"', f"[tables.{table}.columns]"]
        lines += [f'{column.name} = "{column.name}"' for column in contract.columns(table)]
    (home / "own").mkdir(parents=True, exist_ok=True)
    (home / "own" / "source.toml").write_text("\n".join(lines))


@pytest.fixture
def practice() -> Practice:
    """Patients A and B with claims C1 to C3 and policies POL1 to POL3."""
    made = Practice().patient("A").patient("B")
    for key, patient in (("C1", "A"), ("C2", "A"), ("C3", "B")):
        made.add("claims", key, case_id=f"C-{patient}", date_of_service="2026-10-30", status="Sent")
    for key, patient in (("POL1", "A"), ("POL2", "A"), ("POL3", "B")):
        asked = "2026-11-01T09:00:00" if key != "POL2" else None
        made.add("policies", key, patient_id=patient, verification_requested_at=asked)
    return made


class Source:
    """The source in a folder: deliveries come in, extracts go out."""

    def __init__(self, folder: Path, practice: Practice) -> None:
        self.home, self.folder, self.out = folder / "home", folder / "in", folder / "out"
        self.practice = practice
        self.number = 0
        own_mapping(self.home)

    def take(self, *files: str, days: float = 0) -> importing.Imported:
        """Import the practice's tables with these X12 files, and nothing of the night before."""
        self.number += 1
        folder = self.folder / str(self.number)
        self.practice.write(folder, None)
        for number, text in enumerate(files):
            (folder / f"from_payer_{number}.x12").write_text(text)
        source = mapping.load("own", self.home)
        at = AT + dt.timedelta(days=days)
        return importing.import_delivery(
            importing.Request(source, folder, self.out, at, home=self.home)
        )

    def rows(self, table: str) -> dict[str, dict[str, str]]:
        return by_key(self.out, table, contract.key_of(table))

    def told(self, table: str, *columns: str) -> dict[str, tuple[str, ...]]:
        return {key: tuple(row[name] for name in columns) for key, row in self.rows(table).items()}


@pytest.fixture
def source(tmp_path, practice) -> Source:
    return Source(tmp_path, practice)


CLAIM = ("status", "patient_responsibility", "processed_at")
SENT = ("Sent", "", "")


def test_a_remittance_sets_the_claims_it_names_and_counts_the_others(source) -> None:
    body = remittance(claim("C1", "1", "200", "120", "30"), claim("C2", "4", "100", "0"))
    strange = remittance(claim("Z1", "1", "9", "9", "1"), claim("Z2", "1", "9", "9", "1"))
    done = source.take(written(body, strange))
    assert source.told("claims", *CLAIM) == {
        "C1": ("processed", "30", "2026-11-01"),
        "C2": ("denied", "", ""),
        "C3": SENT,
    }
    assert done.notes == (
        "x12: 2 of 4 rows for claims matched no record of this export and changed nothing",
    )
    assert not done.held


@pytest.mark.parametrize("code", ["1", "2", "3", "19", "20", "21"])
def test_each_code_of_a_processed_claim(source, code) -> None:
    source.take(written(remittance(claim("C1", code, "200", "120", "30"))))
    assert source.told("claims", *CLAIM)["C1"] == ("processed", "30", "2026-11-01")


def test_a_reversal_takes_back_what_was_decided_and_a_correction_decides_anew(source) -> None:
    first = written(remittance(claim("C1", "1", "200", "120", "30")))
    back = remittance(claim("C1", "22", "-200", "-120", "-30"), paid_on="20261102")
    anew = remittance(claim("C1", "1", "200", "140", "10"), paid_on="20261102")
    source.take(first)
    source.take(written(back, envelope=Interchange(102)), days=1)
    assert source.told("claims", *CLAIM)["C1"] == ("reversal", "", "")
    source.take(written(anew, envelope=Interchange(103, "261103")), days=2)
    assert source.told("claims", *CLAIM)["C1"] == ("processed", "10", "2026-11-02")


def test_a_reversal_and_its_correction_may_stand_in_one_transaction(source) -> None:
    body = [claim("C1", "22", "-200", "-120", "-30"), claim("C1", "1", "200", "140", "10")]
    source.take(written(remittance(*body)))
    assert source.told("claims", *CLAIM)["C1"] == ("processed", "10", "2026-11-01")


def test_what_an_earlier_night_brought_stays(source) -> None:
    source.take(written(remittance(claim("C1", "1", "200", "120", "30"))))
    source.take(written(remittance(claim("C2", "1", "9", "8", "1")), envelope=Interchange(7)))
    source.take(days=1)  # a night without any X12
    assert source.told("claims", *CLAIM) == {
        "C1": ("processed", "30", "2026-11-01"),
        "C2": ("processed", "1", "2026-11-01"),
        "C3": SENT,
    }


def test_the_same_file_under_another_name_changes_nothing(source) -> None:
    text = written(remittance(claim("C1", "1", "200", "120", "30")))
    bare = written(remittance(claim("C2", "1", "9", "8", "1")), without=("ISA", "IEA"))
    source.take(text, bare)
    before = (source.out / "claims.csv").read_bytes()
    source.take(bare, text, text)
    assert (source.out / "claims.csv").read_bytes() == before


def test_what_the_source_knows_of_a_later_day_stands(source, practice) -> None:
    practice.add("claims", "C1", patient_responsibility="5.00", processed_at="2026-11-02T08:00:00")
    source.take(written(remittance(claim("C1", "1", "200", "120", "30"))))
    assert source.told("claims", *CLAIM)["C1"] == ("Sent", "5.00", "2026-11-02T08:00:00")


def test_a_claim_that_was_sent_back_is_a_hold(source) -> None:
    done = source.take(
        written(acknowledgement(("C1", "A7:562"), ("C2", "A3:252"), ("C3", "A2:20"), ("Z", "A7:1")))
    )
    assert source.told("claim_holds", "claim_id", "reason_code", "held_at", "released_at") == {
        "x12-C1-2026-11-02": ("C1", "A7:562", "2026-11-02", ""),
        "x12-C2-2026-11-02": ("C2", "A3:252 AUTH", "2026-11-02", ""),
    }
    assert done.notes == (
        "x12: 1 of 3 rows for claim_holds matched no record of this export and changed nothing",
    )
    assert not done.held


RELEASES = {
    "accepted": written(
        acknowledgement(("C1", "A2:20"), day="20261104"), envelope=Interchange(102, "261104")
    ),
    "paid": written(
        remittance(claim("C1", "1", "200", "120", "30"), paid_on="20261104"),
        envelope=Interchange(102, "261104"),
    ),
}


@pytest.mark.parametrize("answer", RELEASES.values(), ids=RELEASES)
def test_a_hold_ends_when_the_claim_is_accepted_or_decided(source, answer) -> None:
    source.take(written(acknowledgement(("C1", "A7:562"))))
    source.take(answer, days=2)
    assert source.told("claim_holds", "released_at") == {"x12-C1-2026-11-02": ("2026-11-04",)}


def test_a_claim_sent_back_twice_has_one_open_hold(source) -> None:
    source.take(written(acknowledgement(("C1", "A7:562"))))
    again = acknowledgement(("C1", "A6:21"), day="20261103")
    source.take(written(again, envelope=Interchange(102, "261103")), days=1)
    assert source.told("claim_holds", "reason_code", "released_at") == {
        "x12-C1-2026-11-02": ("A7:562", "2026-11-03"),
        "x12-C1-2026-11-03": ("A6:21", ""),
    }


def test_an_accepted_claim_with_a_line_that_was_sent_back_is_held(source) -> None:
    body = [*acknowledgement(("C1", "A2:20")), "SVC*HC:97110*100", "STC*A7:507*20261102*U"]
    source.take(written(body))
    assert source.told("claim_holds", "reason_code", "released_at") == {
        "x12-C1-2026-11-02": ("A7:507", "")
    }


def test_an_answer_verifies_the_policy_that_somebody_asked_about(source) -> None:
    files = [
        written(eligibility("POL1", "EB*1**30"), envelope=Interchange(1)),
        written(eligibility("POL2", "EB*1**30"), envelope=Interchange(2)),  # nobody asked
        written(eligibility("T9", "EB*1**30", account="B"), envelope=Interchange(3)),
        written(
            eligibility("T8", "EB*1**30", account="A"), envelope=Interchange(4)
        ),  # two policies
    ]
    done = source.take(*files)
    assert source.told("policies", "verified_at", "verified_by") == {
        "POL1": ("2026-11-02", "PLAIN HEALTH"),
        "POL2": ("", ""),
        "POL3": ("2026-11-02", "PLAIN HEALTH"),
    }
    assert done.notes == (
        "x12: 1 of 4 rows for policies matched no record of this export and changed nothing",
    )


@pytest.mark.parametrize(("answer", "day"), [("AAA*N**72*C", "20261102"), ("EB*1**30", "20261031")])
def test_a_refused_or_earlier_answer_verifies_nothing(source, answer, day) -> None:
    source.take(written(eligibility("POL1", answer, day=day)))
    assert source.told("policies", "verified_at")["POL1"] == ("",)


def test_a_later_answer_changes_nothing(source) -> None:
    source.take(written(eligibility("POL1", "EB*1**30"), envelope=Interchange(1)))
    later = eligibility("POL1", "EB*1**30", day="20261105")
    source.take(written(later, envelope=Interchange(2, "261105")), days=3)
    assert source.told("policies", "verified_at")["POL1"] == ("2026-11-02",)


def test_files_that_cannot_be_read_are_named_and_the_others_taken(source) -> None:
    whole = written(remittance(claim("C1", "1", "200", "120", "30")))
    cut = written(remittance(claim("ZZSECRET", "1", "1", "1")))[:-90]
    done = source.take("ISA*ZZSECRET", whole, cut)
    assert source.told("claims", *CLAIM)["C1"] == ("processed", "30", "2026-11-01")
    assert done.notes == (
        "from_payer_0.x12: line 1: its ISA segment is damaged",
        "from_payer_2.x12: line 3: the 835 that begins here is cut off and left out",
    )
    assert "ZZSECRET" not in repr(done)


def test_files_may_come_in_a_zip(source) -> None:
    folder = source.folder / "zipped"
    source.practice.write(folder, None)
    with zipfile.ZipFile(folder / "from_payers.zip", "w") as packed:
        packed.writestr("night/era.835", written(remittance(claim("C1", "1", "200", "120", "30"))))
    request = importing.Request(mapping.load("own", source.home), folder, source.out, AT)
    importing.import_delivery(request)
    assert source.told("claims", *CLAIM)["C1"] == ("processed", "30", "2026-11-01")


def test_without_any_x12_only_what_comes_from_it_alone_is_held(source) -> None:
    done = source.take()
    assert done.held == {"claim_holds": "the delivery has no file x12_statuses"}
    assert source.told("claims", *CLAIM) == dict.fromkeys(("C1", "C2", "C3"), SENT)


def test_the_time_of_a_delivery_is_that_of_the_sources_own_files(source, tmp_path) -> None:
    source.take()
    folder = tmp_path / "in" / "1"
    for path in folder.iterdir():
        os.utime(path, (AT.timestamp(), AT.timestamp()))
    (folder / "late.835").write_text(written(remittance(claim("C1", "1", "9", "9", "1"))))
    request = importing.Request(mapping.load("own", source.home), folder, source.out)
    assert importing.import_delivery(request).extracted_at == AT


def test_the_time_of_x12_alone_is_that_of_its_envelope(tmp_path) -> None:
    own_mapping(tmp_path / "home", ())
    sql = tmp_path / "home" / "own" / "payers.sql"
    sql.write_text(
        "SELECT DISTINCT x.payer_id, x.payer AS name, 'Plan' AS kind FROM source.x12_claims AS x"
    )
    (tmp_path / "in").mkdir()
    for number, day in ((1, "261101"), (2, "261103")):
        text = written(
            remittance(claim("C1", "1", "9", "9")), envelope=Interchange(number, day, "2130")
        )
        (tmp_path / "in" / f"era_2026{day[2:]}.835").write_text(text)
    source = mapping.load("own", tmp_path / "home")
    done = importing.import_delivery(
        importing.Request(source, tmp_path / "in", tmp_path / "out", home=tmp_path / "home")
    )
    assert done.extracted_at == dt.datetime(2026, 11, 3, 21, 30, tzinfo=dt.UTC)
    assert [row["payer_id"] for row in rows_of(tmp_path / "out", "payers")] == ["PH01"]


def test_a_practice_that_has_holds_of_its_own_keeps_them(source, practice) -> None:
    own_mapping(source.home, (*TABLES, "claim_holds"))
    practice.add("claim_holds", "H1", claim_id="C3", held_at="2026-11-01")
    source.take(written(acknowledgement(("C1", "A7:562"))))
    assert set(source.rows("claim_holds")) == {"H1", "x12-C1-2026-11-02"}
    with (source.out / "claim_holds.csv").open() as file:
        assert next(csv.reader(file))[0] == "hold_id"


def test_x12_alone_is_no_source(tmp_path) -> None:
    (tmp_path / "era.835").write_text(written(remittance(claim("C1", "1", "9", "9"))))
    request = importing.Request(mapping.load("x12"), tmp_path, tmp_path / "out", AT)
    with pytest.raises(UserError, match=r'it adds to another source.*with = \["x12"\]'):
        importing.import_delivery(request)


@pytest.mark.parametrize("name", ["bhsim", "nothing"])
def test_only_a_supplement_can_stand_beside_a_source(tmp_path, name) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "source.toml").write_text(f'with = ["{name}"]')
    with pytest.raises(UserError, match=f"with: {name} does not supplement other sources"):
        mapping.load("own", tmp_path)
