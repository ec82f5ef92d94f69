"""The synthea preset on both generations of exports, against counts in the raw files."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from pipelines.extracts import folder as folder_module
from pipelines.extracts import read
from pipelines.sources import importing, mapping
from pipelines.warehouse import snapshots
from tests import sources_synthea
from tests.bhsim import Row, by_key, rows_of
from tests.sources_synthea import MADE

EARLIER = dt.datetime(2026, 6, 15, tzinfo=dt.UTC)
CLAIMS = {"claims", "payments"}  # older exports have none


class Export:
    """An export of a generation and what became of it at a moment."""

    def __init__(self, folder: Path, generation: str, moment: dt.datetime) -> None:
        self.generation, self.moment = generation, moment
        self.raw = sources_synthea.write(folder / "in", generation)
        self.out = folder / "out"
        source = mapping.load("synthea")
        self.done = importing.import_delivery(importing.Request(source, self.raw, self.out, moment))

    def raws(self, name: str) -> dict[str, Row]:
        return {row.get("Id") or row.get("ID") or "": row for row in rows_of(self.raw, name)}

    def begun(self, name: str) -> dict[str, Row]:
        """Raw rows that had started by the moment; both ways of writing sort as days."""
        now = self.moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        return {key: row for key, row in self.raws(name).items() if row["START"] <= now}


@pytest.fixture(
    scope="module",
    params=[("old", MADE), ("new", MADE), ("new", EARLIER)],
    ids=["old", "new", "new-earlier"],
)
def export(request, tmp_path_factory) -> Export:
    return Export(tmp_path_factory.mktemp("synthea"), *request.param)


def test_what_an_older_export_lacks_is_held_and_nothing_else(export) -> None:
    assert set(export.done.held) == (CLAIMS if export.generation == "old" else set())


def test_no_row_is_refused(export) -> None:
    with snapshots.connect() as con:
        found = list(read.read(con, folder_module.find(export.out), {}, export.out))
    assert {one.table: one.rows_refused for one in found if one.rows_refused} == {}
    assert sum(one.rows_read for one in found) > 50


def test_everybody_alive_is_active(export) -> None:
    patients = by_key(export.out, "patients", "patient_id")
    alive = {
        key
        for key, row in export.raws("patients").items()
        if not row["DEATHDATE"] or row["DEATHDATE"] > export.moment.date().isoformat()
    }
    assert {key for key, row in patients.items() if row["status"] == "Active"} == alive
    assert set(patients) == set(export.raws("patients"))
    assert 0 < len(alive) <= len(patients)


def test_an_encounter_belongs_to_the_plan_of_its_day_or_to_care_outside_of_plans(export) -> None:
    plans = export.raws("careplans")
    outside = 0
    for key, row in by_key(export.out, "appointments", "appointment_id").items():
        raw = export.raws("encounters")[key]
        covering = {
            plan
            for plan, one in plans.items()
            if one["PATIENT"] == raw["PATIENT"]
            and one["START"] <= raw["START"][:10] <= (one["STOP"] or "9")
        }
        same_reason = {plan for plan in covering if plans[plan]["REASONCODE"] == raw["REASONCODE"]}
        named = {plan for plan in covering if plans[plan]["ENCOUNTER"] == key}
        assert row["case_id"] in (named or covering or {raw["PATIENT"]})
        if same_reason and not named:
            assert row["case_id"] in same_reason
        outside += not covering
        assert row["starts_at"].replace(" ", "T") + "Z" == raw["START"]
        assert row["status"] == "Completed"
    assert outside > 0
    assert set(by_key(export.out, "appointments", "appointment_id")) == set(
        export.begun("encounters")
    )


def test_cases_are_the_plans_that_have_begun_and_care_outside_of_them(export) -> None:
    cases = by_key(export.out, "cases", "case_id")
    plans = export.begun("careplans")
    used = {row["case_id"] for row in rows_of(export.out, "appointments")}
    assert set(cases) == set(plans) | used
    today = export.moment.date().isoformat()
    for key, row in cases.items():
        if key in plans:
            stopped = plans[key]["STOP"]
            assert row["opened_on"] == plans[key]["START"]
            assert row["discharged_on"] == (stopped if stopped and stopped <= today else "")
        else:
            days = sorted(
                visit["starts_at"][:10]
                for visit in rows_of(export.out, "appointments")
                if visit["case_id"] == key
            )
            assert (row["opened_on"], row["discharged_on"]) == (days[0], days[-1])


def test_the_facility_is_where_the_encounter_was(export) -> None:
    for key, row in by_key(export.out, "appointments", "appointment_id").items():
        raw = export.raws("encounters")[key]
        assert row["staff_id"] == raw["PROVIDER"]
        assert row["facility_id"] == sources_synthea.PROVIDERS[raw["PROVIDER"]]


def test_policies_are_the_payer_history_without_times_of_no_insurance(export) -> None:
    expected = set()
    for row in rows_of(export.raw, "payer_transitions"):
        for rank, payer in (("1", row["PAYER"]), ("2", row.get("SECONDARY_PAYER"))):
            if payer and sources_synthea.PAYERS[payer] != "NO_INSURANCE":
                expected.add((row["PATIENT"], payer, rank, "2025-01-01", "2026-12-31"))
    columns = ("patient_id", "payer_id", "rank", "starts_on", "ends_on")
    found = {tuple(row[name] for name in columns) for row in rows_of(export.out, "policies")}
    assert found == expected
    kinds = {row["name"]: row["kind"] for row in rows_of(export.out, "payers")}
    assert (kinds["Medicare"], kinds["Plain Health"]) == ("Medicare", "Commercial")


def test_what_a_patient_owes_and_paid_is_what_the_payer_left(export) -> None:
    encounters = export.raws("encounters")
    due = {row["appointment_id"]: row["amount_due"] for row in rows_of(export.out, "appointments")}
    if export.generation == "old":
        assert set(due.values()) == {""}
        return
    assert {key: float(text) for key, text in due.items()} == {
        key: float(row["TOTAL_CLAIM_COST"]) - float(row["PAYER_COVERAGE"])
        for key, row in export.begun("encounters").items()
    }
    now = export.moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    paid = {
        row["ID"]: (row["PAYMENTS"], encounters[row["APPOINTMENTID"]]["START"][:10])
        for row in rows_of(export.raw, "claims_transactions")
        if row["TYPE"] == "PAYMENT" and row["METHOD"] != "ECHECK" and row["FROMDATE"] <= now
    }
    assert {
        row["payment_id"]: (row["amount"], row["date_of_service"])
        for row in rows_of(export.out, "payments")
    } == paid
    assert paid


def test_a_closed_claim_is_processed_with_what_was_left_to_the_patient(export) -> None:
    if export.generation == "old":
        assert rows_of(export.out, "claims") == []
        return
    left = {
        row["CLAIMID"]: row["AMOUNT"]
        for row in rows_of(export.raw, "claims_transactions")
        if row["TYPE"] == "TRANSFERIN"
    }
    now = export.moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    expected = {
        key: (row["APPOINTMENTID"], left[key] if row["STATUS1"] == "CLOSED" else "")
        for key, row in export.raws("claims").items()
        if row["SERVICEDATE"] <= now
    }
    claims = by_key(export.out, "claims", "claim_id")
    assert {
        key: (row["appointment_id"], row["patient_responsibility"]) for key, row in claims.items()
    } == expected
    assert {row["processed_at"] != "" for row in claims.values()} == {True, False}


def test_nothing_is_known_of_visits_ahead(export) -> None:
    manifest = by_key(export.out, "manifest", "table")
    assert manifest["appointments"]["horizon_on"] == export.moment.date().isoformat()
