"""The preset excel: our tables and columns under every name that it knows give the same rows."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import pytest

from pipelines.extracts import contract
from pipelines.sources import importing, mapping
from pipelines.sources.delivery import squeezed
from pipelines.sources.importing import Imported
from pipelines.sources.mapping import TableRule
from pipelines.sources.specs import Filled, Named
from tests import webpt, workbook
from tests.bhsim import by_key, rows_of


@pytest.fixture(scope="module")
def extracts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return webpt.sample_nights(tmp_path_factory.mktemp("sample"), patients=80)[0]


def rule_of(table: str) -> TableRule:
    (rule,) = mapping.load("excel").tables[table]
    return rule


def names_of(rule: TableRule) -> dict[str, tuple[str, ...]]:
    """The names that the preset knows for each column."""
    names = {}
    for column, spec in rule.columns.items():
        assert isinstance(spec, Named | Filled)
        names[column] = spec.names
    return names


def take(folder: Path, out: Path) -> Imported:
    return importing.import_delivery(importing.Request(mapping.load("excel"), folder, out))


def headers(rule: TableRule, place: int) -> dict[str, str]:
    """Each column's name at this place of its list, the last where there are fewer."""
    taken: dict[str, str] = {}
    for column, names in names_of(rule).items():
        if isinstance(rule.columns[column], Filled):
            names = names[:2]  # the others are those of what stands in for it
        taken[column] = names[min(place, len(names) - 1)]
    return taken


def write(extracts: Path, folder: Path, place: int) -> None:
    """All tables as CSV files with the names at this place."""
    folder.mkdir()
    for table in contract.TABLES:
        rule = rule_of(table)
        sheets = (rule.source or "").split("|")
        with (folder / f"{sheets[min(place, len(sheets) - 1)]}.csv").open(
            "w", encoding="utf-8", newline=""
        ) as file:
            rows, named = rows_of(extracts, table), headers(rule, place)
            writer = csv.writer(file)
            writer.writerow(named.values())
            writer.writerows([row[column] for column in named] for row in rows)


def test_it_knows_every_table_and_column_by_our_name_first() -> None:
    for table in contract.TABLES:
        rule = rule_of(table)
        assert rule.is_optional and (rule.source or "").split("|")[0].lower() == table.replace(
            "_", " "
        )
        assert list(rule.columns) == [column.name for column in contract.columns(table)]
        for column, names in names_of(rule).items():
            assert squeezed(names[0]) == squeezed(column)


def test_no_name_stands_for_two_columns_of_a_table() -> None:
    for table in contract.TABLES:
        rule = rule_of(table)
        seen: dict[str, str] = {}
        for column, names in names_of(rule).items():
            if isinstance(rule.columns[column], Filled) and column != "phone":
                continue  # another column stands in where nobody keeps this one
            for name in names:
                assert seen.setdefault(squeezed(name), column) == column, f"{table}: {name}"


def test_what_may_be_missing_may_be_absent() -> None:
    for table in contract.TABLES:
        rule = rule_of(table)
        for column in contract.columns(table):
            spec = rule.columns[column.name]
            assert isinstance(spec, Named | Filled)
            assert spec.is_optional or not column.is_nullable, f"{table}.{column.name}"


@pytest.mark.parametrize("place", range(6))
def test_any_name_gives_the_same_rows(extracts: Path, tmp_path: Path, place: int) -> None:
    write(extracts, tmp_path / "kept", place)
    done = take(tmp_path / "kept", tmp_path / "out")
    assert not done.held and not done.problems
    for table in contract.TABLES:
        key = contract.key_of(table)
        made = by_key(tmp_path / "out", table, key)
        for row in rows_of(extracts, table):
            assert made[row[key]] == with_defaults(table, row), table
        assert len(made) == len(rows_of(extracts, table))


def with_defaults(table: str, row: Mapping[str, str]) -> dict[str, str]:
    """The row with what an empty value means."""
    found = dict(row)
    for column, spec in rule_of(table).columns.items():
        if isinstance(spec, Named) and spec.empty is not None and not row[column]:
            found[column] = spec.empty
    return found


def test_a_workbook_gives_its_tables_and_no_others(extracts: Path, tmp_path: Path) -> None:
    book = workbook.write_workbook(extracts, tmp_path / "kept" / "Our practice.xlsx")
    done = take(book.parent, tmp_path / "out")
    assert not done.held and set(done.rows) == set(workbook.SHEETS)
    written = {path.stem for path in (tmp_path / "out").glob("*.csv")}
    assert written == {*workbook.SHEETS, "manifest"}
    for table, (_, named) in workbook.SHEETS.items():
        key = contract.key_of(table)
        made = by_key(tmp_path / "out", table, key)
        assert len(made) == len(rows_of(extracts, table))
        amounts = {one.name for one in contract.columns(table) if one.form == "money"}
        for row in rows_of(extracts, table):
            for column in named:
                found, kept = made[row[key]][column], row[column]
                if column in amounts and kept:
                    found, kept = f"{float(found):.2f}", f"{float(kept):.2f}"
                assert found == kept, f"{table}.{column}"


def test_a_sheet_that_is_gone_leaves_no_rows_of_the_import_before(
    extracts: Path, tmp_path: Path
) -> None:
    write(extracts, tmp_path / "kept", 0)
    take(tmp_path / "kept", tmp_path / "out")
    (tmp_path / "kept" / "Surveys.csv").unlink()
    done = take(tmp_path / "kept", tmp_path / "out")
    assert "surveys" not in done.rows and not (tmp_path / "out" / "surveys.csv").exists()
    assert "surveys" not in by_key(tmp_path / "out", "manifest", "table")


@pytest.mark.parametrize(
    ("table", "column", "stands"),
    [
        ("staff", "is_active", "true"),
        ("authorizations", "is_stub", "false"),
        ("policies", "authorization_required", "false"),
        ("policies", "rank", "1"),
        ("documents", "has_plan_of_care", "false"),
        ("payments", "kind", "payment"),
        ("faxes", "attempts", "1"),
        ("engagement_actions", "is_active", "true"),
    ],
)
def test_what_people_do_not_keep_has_a_default_that_is_marked(
    extracts: Path, tmp_path: Path, table: str, column: str, stands: str
) -> None:
    assert column in rule_of(table).assumed
    write(extracts, tmp_path / "kept", 0)
    path = tmp_path / "kept" / f"{(rule_of(table).source or '').split('|')[0]}.csv"
    rows = rows_of(path.parent, path.stem)
    dropped = headers(rule_of(table), 0)[column]
    with path.open("w", encoding="utf-8", newline="") as file:
        left = [name for name in rows[0] if name != dropped]
        writer = csv.DictWriter(file, left, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    done = take(path.parent, tmp_path / "out")
    assert not done.held
    assert {row[column] for row in rows_of(tmp_path / "out", table)} == {stands}


def test_a_required_column_that_is_missing_holds_its_table_and_names_it(
    extracts: Path, tmp_path: Path
) -> None:
    write(extracts, tmp_path / "kept", 0)
    path = tmp_path / "kept" / "Appointments.csv"
    path.write_text(path.read_text("utf-8").replace("Status", "Colour", 1), "utf-8")
    done = take(path.parent, tmp_path / "out")
    assert set(done.held) == {"appointments"}
    assert (
        "Appointments.csv has no column Status or Appointment Status" in done.held["appointments"]
    )
