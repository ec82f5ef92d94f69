"""A person sees how values are written, and never a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import UserError
from pipelines.sources import dates, looking


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Abbott", "A•••"),
        ("Élise", "É•••"),
        ("03/04/2026", "••/••/2026"),
        ("2026-03-04", "2026-••-••"),
        ("3/4/26", "•/•/••"),
        ("$1,025.00", "$••.••"),
        ("-$40", "$••"),
        ("1234567", "•••••••"),
        ("1999", "••••"),
        ("(212) 555-0100", "(•••) •••-••••"),
        ("9ann@example.org and a long text", "••••@•••••••.•"),
        ("  ", ""),
    ],
)
def test_a_sample_shows_how_a_value_is_written(value: str, shown: str) -> None:
    assert looking.masked(value) == shown


def deliver(folder: Path) -> Path:
    rows = [f"{n},Grace{n},03/0{1 + n % 9}/1960,{'A' if n % 2 else 'I'},1" for n in range(20)]
    (folder / "Patients.csv").write_text(
        "\n".join(["Patient ID,First Name,DOB,Status,Spare", *rows]) + "\n", encoding="utf-8"
    )
    return folder


def test_no_value_is_in_what_is_looked_at_but_words_of_few_words(tmp_path: Path) -> None:
    seen = looking.look(deliver(tmp_path))
    (file,) = seen.files
    assert file.column("First Name").samples == ("G•••",)
    assert file.column("DOB").samples == ("••/••/1960",)
    assert file.column("Status").words == (("A", 10), ("I", 10))
    assert file.rows == 20


def test_days_that_may_be_read_in_two_ways_are_open_until_somebody_decides(tmp_path: Path) -> None:
    assert looking.look(deliver(tmp_path)).is_order_open
    decided = looking.look(tmp_path, order=dates.DAY_FIRST)
    assert not decided.is_order_open
    assert decided.files[0].column("DOB").days == ("%d/%m/%Y",)


def test_a_file_is_matched_to_the_table_that_a_person_chose(tmp_path: Path) -> None:
    deliver(tmp_path)
    as_staff = looking.look(tmp_path, {"patients": "staff"}).file("patients")
    assert as_staff.match.table == "staff"
    assert looking.look(tmp_path, {"patients": None}).file("patients").match is None


def test_a_delivery_with_nothing_to_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no file to read"):
        looking.look(tmp_path)


@pytest.mark.parametrize("first", ["17,Grace,Abbott", "Grace,03/04/1960", "Grace,a@b.example"])
def test_a_first_line_of_values_is_not_shown_as_names_of_columns(
    tmp_path: Path, first: str
) -> None:
    (tmp_path / "Patients.csv").write_text(f"{first}\n{first}\n", encoding="utf-8")
    (file,) = looking.look(tmp_path).files
    assert not file.has_names
    assert "Grace" not in repr(file)


def test_names_of_columns_may_hold_digits(tmp_path: Path) -> None:
    (tmp_path / "Claims.csv").write_text("Claim,CPT 1,2nd Payer\n1,2,3\n", encoding="utf-8")
    assert looking.look(tmp_path).files[0].has_names
