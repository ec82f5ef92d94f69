"""Files of a delivery become relations, whatever they are called and in whatever shape."""

from __future__ import annotations

import datetime as dt

import pytest

from pipelines.errors import UserError
from pipelines.sources import delivery
from pipelines.sources.mapping import FileRule
from pipelines.warehouse import snapshots
from tests.imports import Practice

NAMES = {
    "Appointments_20261102": ("appointments", dt.date(2026, 11, 2)),
    "Patient Credit 11-02-2026 0400": ("patient_credit", dt.date(2026, 11, 2)),
    "visits-2026-11-02": ("visits", dt.date(2026, 11, 2)),
    "claims_20261399": ("claims_20261399", None),
    "Größen": ("grössen", None),
    "12312026": ("file", dt.date(2026, 12, 31)),
}


@pytest.mark.parametrize(("stem", "wanted"), NAMES.items(), ids=NAMES)
def test_a_name_is_a_relation_and_a_day(stem, wanted) -> None:
    assert (delivery.relation_name(stem), delivery.day_in(stem)) == wanted


@pytest.mark.parametrize("pattern", ["Billing Charges*", "billing_charges*", "BillingCharges*"])
def test_a_rule_is_found_however_a_file_is_written(pattern) -> None:
    rule = FileRule(pattern, "changes", ("id",))
    for name in ("billing_charges", "billing_charges_north"):
        assert delivery.rule_of((rule,), name, (f"{name}.csv",)) == rule
    assert delivery.rule_of((rule,), "charges", ("charges.csv",)) is None


def loaded(practice: Practice, files: dict[str, str | bytes]) -> tuple[delivery.Catalogue, list]:
    with snapshots.connect() as con:
        catalogue = delivery.load(con, practice.delivery(files), None)
        rows = con.execute("SELECT s.* EXCLUDE (_line) FROM source.visits AS s").fetchall()
    return catalogue, sorted(rows, key=str)


def test_files_of_one_name_stand_below_each_other_by_columns(tmp_path) -> None:
    files: dict[str, str | bytes] = {
        "north/Visits.csv": "Visit ID,day\n1,a\n",
        "south/Visits.csv": "day,visit_id\nb,2\n",
    }
    catalogue, rows = loaded(Practice(tmp_path), files)
    found = catalogue.relations["visits"]
    assert found.column("VISIT-ID") in found.columns
    assert found.rows == 2
    assert {frozenset(row[:2]) for row in rows} == {frozenset("1a"), frozenset("2b")}


def test_of_whole_files_of_several_days_the_newest_counts(tmp_path) -> None:
    files: dict[str, str | bytes] = {
        "Visits_20261101.csv": "id\n1\n",
        "Visits_20261102.csv": "id\n2\n",
    }
    catalogue, rows = loaded(Practice(tmp_path), files)
    assert [row[0] for row in rows] == ["2"]
    assert any("a newer file of its kind" in note for note in catalogue.notes)


def test_columns_named_like_ours_get_another_name(tmp_path) -> None:
    catalogue, rows = loaded(Practice(tmp_path), {"visits.csv": "_file,_day,id\n7,8,9\n"})
    assert catalogue.relations["visits"].columns == ("_file_2", "_day_2", "id")
    assert rows == [("7", "8", "9", 1)]


def test_records_and_a_text_of_one_name_do_not_stop_each_other(tmp_path) -> None:
    files: dict[str, str | bytes] = {"visits.json": '[{"a": 1}]', "visits.csv": "id\n1\n"}
    catalogue, rows = loaded(Practice(tmp_path), files)
    assert len(rows) == 1
    assert any("records have the same name" in note for note in catalogue.notes)


def test_a_folder_without_a_file_to_read_is_named(tmp_path) -> None:
    with pytest.raises(UserError, match="holds no file to read; empty.csv: is empty"):
        loaded(Practice(tmp_path), {"empty.csv": ""})
