"""The preset webpt: what three nights give is what their raw files say, counted in Python."""

from __future__ import annotations

import csv
import datetime as dt
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.errors import UserError
from pipelines.sources import importing, mapping
from pipelines.sources.importing import Imported
from tests import webpt
from tests.bhsim import by_key, rows_of
from tests.webpt_files import FILES, Row, cents, is_without_appointment

TABLES = {
    "appointments",
    "facilities",
    "staff",
    "payers",
    "patients",
    "cases",
    "policies",
    "authorizations",
    "payments",
    "claims",
    "claim_holds",
    "documents",
}


@dataclass(frozen=True)
class Nights:
    """The canonical extracts of three nights, and the deliveries made of them."""

    canonical: list[Path]
    delivered: list[Path]


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    folder = tmp_path_factory.mktemp("webpt")
    canonical = webpt.sample_nights(folder / "canonical")
    return Nights(canonical, webpt.write_nights(canonical, folder / "incoming"))


@pytest.fixture(scope="module")
def imported(nights: Nights, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The extracts of each night, imported one after another into one store."""
    home = tmp_path_factory.mktemp("home")
    folders = []
    for folder in nights.delivered:
        folders.append(home / "extracts" / folder.name)
        done = take(folder, folders[-1], home)
        assert not done.held and not done.problems
    return folders


def take(folder: Path, out: Path, home: Path, *, is_full: bool = False) -> Imported:
    request = importing.Request(mapping.load("webpt"), folder, out, None, home, is_full)
    return importing.import_delivery(request)


def raw(folder: Path, name: str) -> list[Row]:
    with (folder / f"{name}.csv").open(newline="", encoding="cp1252") as file:
        return list(csv.DictReader(file))


def day(written: str) -> str:
    """The ISO day of 11/3/2026 2:15:00 PM."""
    month, of_month, year = written.split(" ")[0].split("/")
    return f"{year}-{int(month):02}-{int(of_month):02}"


def in_order(nights: Nights, name: str, upto: int) -> dict[str, Row]:
    """What is left of a file of changes after some nights, by its key."""
    key, _ = FILES[name]
    left: dict[str, Row] = {}
    for folder in nights.delivered[: upto + 1]:
        for row in raw(folder, name):
            left.pop(row[key], None)
            if row["export_flag"] != "3":
                left[row[key]] = row
    return left


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


# --- the nights are as the vendor writes them ---


def test_the_nights_hold_what_is_hard_about_them(nights: Nights) -> None:
    first, second, third = nights.delivered
    assert b"\r\n" in (first / "Patients.csv").read_bytes()
    assert "Bélanger".encode("cp1252") in (first / "Therapists.csv").read_bytes()
    assert b"D\x92" in (first / "Therapists.csv").read_bytes()
    ids = [int(row["appointmnet_id"]) for row in raw(first, "Appointments")]
    assert len({abs(one) for one in ids}) < len(ids) and min(ids) < 0 < max(ids)
    flags = {row["export_flag"] for name in FILES for row in raw(third, name)}
    assert flags == {"1", "2", "3"}
    assert any(row["cpt_code"] == "INSOVER" for row in raw(first, "Billing_Charges"))
    assert any(row["case_status"] == "A" and row["discharge_date"] for row in raw(first, "Cases"))
    authorizations = [row["authorization_id"] for row in raw(first, "Authorizations")]
    assert len(set(authorizations)) < len(authorizations)
    assert not raw(second, "Authorizations") and not raw(second, "Clinics")


# --- what comes of them ---


@pytest.mark.parametrize("place", [0, 1, 2])
def test_of_an_appointment_that_stands_twice_the_highest_id_wins(
    nights: Nights, imported: list[Path], place: int
) -> None:
    rows = raw(nights.delivered[place], "Appointments")
    highest: dict[int, str] = {}
    for row in sorted(rows, key=lambda one: int(one["appointmnet_id"])):
        said = "Completed" if row["check_out_time"] else "Scheduled"
        if row["appointment_status"] == "Inactive":
            said = "No Show" if row["reason"] == "No Show" else "Cancelled"
        highest[abs(int(row["appointmnet_id"]))] = said
    made = by_key(imported[place], "appointments", "appointment_id")
    days = {day(row["start_date"]) for row in rows}
    of_window = {
        int(key): row["status"]
        for key, row in made.items()
        if min(days) <= row["starts_at"][:10] <= max(days)
    }
    assert of_window == highest


def test_visits_that_left_the_window_are_kept_as_they_were(
    nights: Nights, imported: list[Path]
) -> None:
    last = {abs(int(row["appointmnet_id"])) for row in raw(nights.delivered[2], "Appointments")}
    made = by_key(imported[2], "appointments", "appointment_id")
    kept = {key: row for key, row in made.items() if int(key) not in last}
    before = by_key(imported[0], "appointments", "appointment_id")
    assert kept and all(before[key]["status"] == row["status"] for key, row in kept.items())
    assert {row["starts_at"][:10] for row in kept.values()} <= {"2026-11-04", "2026-11-05"}


@pytest.mark.parametrize(
    ("place", "horizon"), [(0, "2026-12-02"), (1, "2026-12-03"), (2, "2026-12-04")]
)
def test_the_manifest_says_how_far_the_appointments_reach(
    imported: list[Path], place: int, horizon: str
) -> None:
    manifest = by_key(imported[place], "manifest", "table")
    appointments = manifest["appointments"]
    assert (appointments["since_on"], appointments["horizon_on"]) == ("2026-11-04", horizon)
    assert {row["row_count"] for row in manifest.values()} == {""}
    assert {table for table, row in manifest.items() if row["since_on"]} == {"appointments"}


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(
    ("name", "table", "key"),
    [
        ("Patients", "patients", "patient_id"),
        ("Cases", "cases", "case_id"),
        ("Authorizations", "authorizations", "authorization_id"),
        ("Visits", "documents", "document_id"),
        ("Patient_Insurance", "policies", "policy_id"),
        ("Claims_Feed", "claim_holds", "hold_id"),
    ],
)
def test_each_night_changes_what_its_flags_say(
    nights: Nights, imported: list[Path], place: int, name: str, table: str, key: str
) -> None:
    assert set(by_key(imported[place], table, key)) == set(in_order(nights, name, place))


def test_a_chart_that_is_removed_goes(imported: list[Path]) -> None:
    there = [
        webpt.REMOVED_PATIENT in by_key(folder, "patients", "patient_id") for folder in imported
    ]
    assert there == [True, False, False]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_case_that_is_active_though_discharged_is_discharged(
    nights: Nights, imported: list[Path], place: int
) -> None:
    truth = {
        row["case_id"]: row["discharged_on"]
        for row in webpt.tables_of(nights.canonical[place])["cases"]
    }
    assert {
        key: row["discharged_on"]
        for key, row in by_key(imported[place], "cases", "case_id").items()
    } == truth
    assert sum(map(bool, truth.values())) > 10


@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_the_payers_left_to_the_patients_is_known(
    nights: Nights, imported: list[Path], place: int
) -> None:
    truth = {
        f"{row['claim_id']}1": (cents(row["patient_responsibility"]), row["processed_at"])
        for row in webpt.tables_of(nights.canonical[place])["claims"]
        if row["processed_at"]
    }
    found = {
        row["claim_id"]: (
            cents(row["patient_responsibility"]),
            row["processed_at"].replace(" ", "T"),
        )
        for row in rows_of(imported[place], "claims")
        if row["processed_at"]
    }
    assert found == truth and len(found) > 1000


@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_is_due_and_paid_is_what_the_transactions_say(
    nights: Nights, imported: list[Path], place: int
) -> None:
    rows = in_order(nights, "Transactions", place).values()
    due: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row["visit_date"] and row["txn_status"] != "Refund":
            due[row["case_id"], day(row["visit_date"])] += cents(row["dollar_amount_paid"])
    found: Counter[tuple[str, str]] = Counter()
    for row in rows_of(imported[place], "appointments"):
        if row["amount_due"]:
            found[row["case_id"], row["starts_at"][:10]] += cents(row["amount_due"])
    assert found and all(due[where] == amount for where, amount in found.items())
    paid = {row["otc_id"]: row["dollar_amount_paid"] for row in rows if row["txn_paid"] == "1"}
    made = rows_of(imported[place], "payments")
    assert {row["payment_id"]: row["amount"] for row in made} == paid
    assert {row["kind"] for row in made} == {"payment", "refund"}


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_visits_of_an_authorization_are_its_days_with_a_note(
    nights: Nights, imported: list[Path], place: int
) -> None:
    days: dict[str, set[str]] = {}
    for row in in_order(nights, "Visits", place).values():
        if row["note_type"] != "AD":
            days.setdefault(row["case_id"], set()).add(day(row["visit_date"]))
    for row in rows_of(imported[place], "authorizations"):
        first, last = row["starts_on"] or "0", row["ends_on"] or "9"
        used = [one for one in days.get(row["case_id"], ()) if first <= one <= last]
        assert row["visits_used"] == str(len(used))


def test_a_note_without_an_appointment_is_a_document(nights: Nights, imported: list[Path]) -> None:
    off = [
        visit["appointment_id"]
        for visit in webpt.tables_of(nights.canonical[0])["appointments"]
        if is_without_appointment(visit) and visit["starts_at"] > "2026-11-04"
    ]
    documents = by_key(imported[0], "documents", "document_id")
    assert off and not set(off) & set(by_key(imported[0], "appointments", "appointment_id"))
    assert all(f"{one}1" in documents or f"{one}9" in documents for one in off)


def test_names_are_read_as_they_are_written(imported: list[Path]) -> None:
    names = " ".join(row["name"] for row in rows_of(imported[0], "staff"))
    assert "Bélanger" in names and "D’Amico" in names


# --- extracts that hold less, or something odd ---


def test_without_revflow_no_claim_has_an_answer_and_nothing_is_held(
    nights: Nights, tmp_path: Path
) -> None:
    folder = shutil.copytree(nights.delivered[0], tmp_path / "in")
    for name in ("Billing_Charges", "Payment_Adjustments", "Patient_Credit"):
        (folder / f"{name}.csv").unlink()
    assert not take(folder, tmp_path / "out", tmp_path).held
    claims = rows_of(tmp_path / "out", "claims")
    assert {(row["patient_responsibility"], row["processed_at"]) for row in claims} == {("", "")}


def test_without_the_claims_feed_there_are_no_holds_to_read(nights: Nights, tmp_path: Path) -> None:
    folder = shutil.copytree(nights.delivered[0], tmp_path / "in")
    (folder / "Claims_Feed.csv").unlink()
    done = take(folder, tmp_path / "out", tmp_path)
    assert not done.held and "claim_holds" not in done.rows
    assert not (tmp_path / "out" / "claim_holds.csv").exists()


def test_without_transactions_nothing_is_said_of_amounts(nights: Nights, tmp_path: Path) -> None:
    folder = shutil.copytree(nights.delivered[0], tmp_path / "in")
    (folder / "Transactions.csv").unlink()
    assert set(take(folder, tmp_path / "out", tmp_path).held) == {"payments"}
    assert {row["amount_due"] for row in rows_of(tmp_path / "out", "appointments")} == {""}


def test_of_two_notes_of_a_patient_on_one_day_no_answer_is_known(
    nights: Nights, tmp_path: Path
) -> None:
    folder = shutil.copytree(nights.delivered[0], tmp_path / "in")
    take(folder, tmp_path / "before", tmp_path / "a")
    known = next(row for row in rows_of(tmp_path / "before", "claims") if row["processed_at"])
    rows = raw(folder, "Charges")
    twin = next(row for row in rows if row["visit_id"] == known["claim_id"])
    rows.append(twin | {"visit_id": "77", "record_pointer": "77"})
    webpt.write_file(folder / "Charges.csv", rows, webpt.NIGHTS[0])
    take(folder, tmp_path / "after", tmp_path / "b")
    claims = by_key(tmp_path / "after", "claims", "claim_id")
    assert [claims[key]["processed_at"] for key in (known["claim_id"], "77")] == ["", ""]
    assert sum(bool(row["processed_at"]) for row in claims.values()) > 1000


def test_an_insurance_that_stands_twice_refuses_the_authorization_and_no_other(
    nights: Nights, tmp_path: Path
) -> None:
    folder = shutil.copytree(nights.delivered[0], tmp_path / "in")
    rows = raw(folder, "Patient_Insurance")
    one = raw(folder, "Authorizations")[0]
    twin = next(row for row in rows if row["policy_number"] == one["policy_number"])
    rows.append(twin | {"patient_identity_id": "77"})
    webpt.write_file(folder / "Patient_Insurance.csv", rows, webpt.NIGHTS[0])
    assert not take(folder, tmp_path / "out", tmp_path).held
    policies = by_key(tmp_path / "out", "policies", "policy_id")
    unknown = [
        row["authorization_id"]
        for row in rows_of(tmp_path / "out", "authorizations")
        if row["policy_id"] not in policies
    ]
    of_policy = [
        row["record_id"]
        for row in raw(folder, "Authorizations")
        if row["policy_number"] == one["policy_number"]
    ]
    assert sorted(unknown) == sorted(of_policy)


# --- deliveries that come twice, too late, or not at all ---


def test_the_same_delivery_twice_changes_nothing(nights: Nights, tmp_path: Path) -> None:
    for folder in nights.delivered[:2]:
        done = take(folder, tmp_path / "out", tmp_path)
    before = contents(tmp_path / "out")
    again = take(nights.delivered[1], tmp_path / "out", tmp_path)
    assert contents(tmp_path / "out") == before
    assert (again.held, again.rows, again.extracted_at) == ({}, done.rows, done.extracted_at)


def test_nights_without_a_change_are_no_lost_nights(
    nights: Nights, imported: list[Path], tmp_path: Path
) -> None:
    quiet = [raw(folder, "Clinics") for folder in nights.delivered[1:]]
    assert quiet == [[], []]
    assert len(rows_of(imported[2], "facilities")) == 3
    assert by_key(imported[2], "manifest", "table")["facilities"]["complete"] == ""


def test_a_lost_night_holds_the_tables_of_changes_until_all_of_it_comes(
    nights: Nights, imported: list[Path], tmp_path: Path
) -> None:
    take(nights.delivered[0], tmp_path / "out", tmp_path)
    missing = r"Clinics\.csv after Nov 19, 04:00 UTC is missing; .*--full.*and [0-9]+ more, in "
    with pytest.raises(UserError, match=missing):
        take(nights.delivered[2], tmp_path / "out", tmp_path)
    manifest = by_key(tmp_path / "out", "manifest", "table")
    # The appointments' amounts are made of transactions.
    assert {table for table, row in manifest.items() if row["complete"] == "false"} == TABLES

    at = webpt.NIGHTS[2] + dt.timedelta(hours=2)
    everything = webpt.write_everything(nights.canonical[2], tmp_path / "all", at)
    with pytest.raises(UserError, match="no table can be imported"):
        take(everything, tmp_path / "out", tmp_path)
    assert not take(everything, tmp_path / "out", tmp_path, is_full=True).held
    for table in TABLES:
        assert rows_of(tmp_path / "out", table) == rows_of(imported[2], table)


def test_a_night_that_is_older_than_the_last_is_refused(nights: Nights, tmp_path: Path) -> None:
    for folder in nights.delivered[:2]:
        take(folder, tmp_path / folder.name, tmp_path)
    older = r"Clinics\.csv is older than the delivery of Nov 20, 04:00 UTC"
    with pytest.raises(UserError, match=older):
        take(nights.delivered[0], tmp_path / "late", tmp_path)
    before = contents(tmp_path / nights.delivered[1].name)
    take(nights.delivered[1], tmp_path / nights.delivered[1].name, tmp_path)
    assert contents(tmp_path / nights.delivered[1].name) == before
