"""Deliveries whose form is valid and whose rows are wrong, as exports happen to be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

SMALL = ("facilities", "staff", "payers", "manifest")  # tables that a bad export gets right
WINDOW = "2026-08-23"  # 90 days before the delivery


def read(file: Path) -> pd.DataFrame:
    """The cells of a CSV file as text."""
    return pd.read_csv(file, dtype=str, keep_default_na=False)


def write(file: Path, rows: pd.DataFrame) -> None:
    rows.to_csv(file, index=False)


def change(folder: Path, table: str, how: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Write the table as `how` changes its rows."""
    file = folder / f"{table}.csv"
    write(file, how(read(file)))


def column(folder: Path, table: str, name: str, how: Callable[[pd.Series], pd.Series]) -> None:
    """Write the table with other values in one column."""
    change(folder, table, lambda rows: rows.assign(**{name: how(rows[name])}))


def tables(folder: Path) -> list[str]:
    return sorted(file.stem for file in folder.glob("*.csv") if file.stem not in SMALL)


def ids_without_zeros(folder: Path, before: Path) -> None:
    def strip(rows: pd.DataFrame) -> pd.DataFrame:
        ids = [name for name in rows if name.endswith("_id")]
        return rows.assign(**{name: rows[name].str.lstrip("0") for name in ids})

    for table in (*tables(folder), "facilities", "staff", "payers"):
        change(folder, table, strip)


def only_changes(folder: Path, before: Path) -> None:
    for table in tables(folder):
        now, earlier = read(folder / f"{table}.csv"), read(before / f"{table}.csv")
        old = {tuple(row) for row in earlier.to_numpy()}
        write(folder / f"{table}.csv", now[[tuple(row) not in old for row in now.to_numpy()]])


def one_facility_missing(folder: Path, before: Path) -> None:
    patients = read(folder / "patients.csv").query("facility_id == '003'")["patient_id"]
    cases = read(folder / "cases.csv").query("facility_id == '003'")["case_id"]

    def keep(rows: pd.DataFrame) -> pd.DataFrame:
        gone = pd.Series(False, rows.index)
        for name, values in (("patient_id", patients), ("case_id", cases)):
            if name in rows:
                gone |= rows[name].isin(values)
        if "facility_id" in rows:
            gone |= rows["facility_id"] == "003"
        return rows[~gone]

    for table in tables(folder):
        change(folder, table, keep)


def discharged_by_default(folder: Path, before: Path) -> None:
    column(folder, "cases", "discharged_on", lambda days: days.mask(days == "", "2026-11-21"))


def payments_in_cents(folder: Path, before: Path) -> None:
    column(
        folder,
        "payments",
        "amount",
        lambda amounts: (amounts.astype(float) * 100).map("{:.2f}".format),
    )


def amounts_doubled(folder: Path, before: Path) -> None:
    column(
        folder,
        "appointments",
        "amount_due",
        lambda due: due.mask(due != "", (pd.to_numeric(due) * 2).map("{:.2f}".format)),
    )


def amounts_empty(folder: Path, before: Path) -> None:
    change(folder, "appointments", lambda rows: rows.drop(columns="amount_due"))


def all_completed(folder: Path, before: Path) -> None:
    column(folder, "appointments", "status", lambda status: status.mask(status != "", "Completed"))


def all_cancelled(folder: Path, before: Path) -> None:
    column(folder, "appointments", "status", lambda status: status.mask(status != "", "Cancelled"))


def documents_completed(folder: Path, before: Path) -> None:
    change(
        folder,
        "documents",
        lambda rows: rows.assign(
            status="Completed",
            completed_at=rows["completed_at"].mask(rows["completed_at"] == "", rows["started_at"]),
        ),
    )


def header_only(folder: Path, before: Path) -> None:
    change(folder, "payments", lambda rows: rows.head(0))


def holds_header_only(folder: Path, before: Path) -> None:
    change(folder, "claim_holds", lambda rows: rows.head(0))


def last_90_days(folder: Path, before: Path) -> None:
    for table, day in (
        ("appointments", "starts_at"),
        ("payments", "paid_at"),
        ("documents", "started_at"),
    ):
        change(folder, table, lambda rows, day=day: rows[rows[day] >= WINDOW])


def no_horizon(folder: Path, before: Path) -> None:
    change(folder, "appointments", lambda rows: rows[rows["starts_at"] < "2026-11-22"])
    if (folder / "manifest.csv").exists():
        column(folder, "manifest", "horizon_on", lambda days: days.mask(days != "", ""))


def a_year_off(folder: Path, before: Path) -> None:
    column(
        folder,
        "appointments",
        "starts_at",
        lambda moments: moments.str.replace("2026-", "2025-", regex=False),
    )


def authorizations_a_year_off(folder: Path, before: Path) -> None:
    column(
        folder,
        "authorizations",
        "ends_on",
        lambda days: days.str.replace("2027-", "2028-").str.replace("2026-", "2027-"),
    )


def an_older_one(folder: Path, before: Path) -> None:
    """Five days older; the caller puts it beside, as `older`."""
    for table in tables(folder):
        write(folder / f"{table}.csv", read(before.parent / "older" / f"{table}.csv"))


NOW = "2026-11-21T05:30:00"


def filled(name: str, table: str, value: str = NOW) -> Callable[[Path, Path], None]:
    """An end or an answer that the export enters wherever there is none."""

    def damage(folder: Path, before: Path) -> None:
        column(folder, table, name, lambda values: values.mask(values == "", value))

    damage.__name__ = f"{table}_{name}_filled"
    return damage


def emptied(name: str, table: str) -> Callable[[Path, Path], None]:
    """A column whose name the export changed."""

    def damage(folder: Path, before: Path) -> None:
        column(folder, table, name, lambda values: values.mask(values != "", ""))

    damage.__name__ = f"{table}_{name}_emptied"
    return damage


def constant(name: str, table: str, value: str) -> Callable[[Path, Path], None]:
    """The same value in every row."""

    def damage(folder: Path, before: Path) -> None:
        column(folder, table, name, lambda values: values.mask(values != "", value))

    damage.__name__ = f"{table}_{name}_{value.lower()}"
    return damage


def visits_used_doubled(folder: Path, before: Path) -> None:
    column(
        folder,
        "authorizations",
        "visits_used",
        lambda used: used.mask(used != "", (pd.to_numeric(used) * 2).fillna(0).astype(int)),
    )


def responsibilities_in_dollars_of_cents(folder: Path, before: Path) -> None:
    column(
        folder,
        "claims",
        "patient_responsibility",
        lambda left: left.mask(left != "", (pd.to_numeric(left) / 100).map("{:.2f}".format)),
    )


def claims_not_answered(folder: Path, before: Path) -> None:
    change(
        folder,
        "claims",
        lambda rows: rows.assign(status="Submitted", processed_at="", patient_responsibility=""),
    )


def next_visits_cancelled(folder: Path, before: Path) -> None:
    change(
        folder,
        "appointments",
        lambda rows: rows.assign(
            status=rows["status"].mask(rows["starts_at"] >= "2026-11-21", "Cancelled")
        ),
    )


def drafts_in_review(folder: Path, before: Path) -> None:
    def submit(rows: pd.DataFrame) -> pd.DataFrame:
        is_draft = rows["status"] == "Draft"
        return rows.assign(
            status=rows["status"].mask(is_draft, "Review"),
            submitted_for_review_at=rows["submitted_for_review_at"].mask(is_draft, NOW),
        )

    change(folder, "documents", submit)


def documents_completed_today(folder: Path, before: Path) -> None:
    filled("completed_at", "documents")(folder, before)
    column(folder, "documents", "status", lambda status: status.mask(status != "", "Completed"))


DAMAGES = (
    visits_used_doubled,
    emptied("visits_used", "authorizations"),
    filled("released_at", "claim_holds"),
    emptied("released_at", "claim_holds"),
    constant("reason_code", "claim_holds", "CODING"),
    filled("verified_at", "policies"),
    filled("ends_on", "policies", "2026-11-20"),
    emptied("reviewed_at", "intake_submissions"),
    emptied("discharged_on", "cases"),
    emptied("therapist_id", "cases"),
    constant("is_active", "staff", "false"),
    constant("status", "patients", "Inactive"),
    responsibilities_in_dollars_of_cents,
    claims_not_answered,
    next_visits_cancelled,
    drafts_in_review,
    documents_completed_today,
    ids_without_zeros,
    only_changes,
    an_older_one,
    one_facility_missing,
    discharged_by_default,
    payments_in_cents,
    amounts_doubled,
    amounts_empty,
    all_completed,
    all_cancelled,
    documents_completed,
    header_only,
    holds_header_only,
    last_90_days,
    no_horizon,
    a_year_off,
    authorizations_a_year_off,
)


def count_rows(folder: Path) -> None:
    """Let the manifest count the rows that are there."""
    counts = {table: len(read(folder / f"{table}.csv")) for table in tables(folder)}
    change(
        folder,
        "manifest",
        lambda rows: rows.assign(
            row_count=[counts.get(row.table, row.row_count) for row in rows.itertuples()]
        ),
    )
