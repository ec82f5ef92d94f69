"""What a mapping file can say of a column and of a table's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import UserError
from pipelines.sources import importing, mapping, showing
from pipelines.sources.importing import Imported
from tests.bhsim import by_key, rows_of
from tests.unit.sources.small import FILES, MAPPING, write_files, write_mapping

PHONE = 'phone = { first_filled = ["Cell", "Home"] }\n'
ADDED = 'patient_id = "MRN"\nfirst_name'


def with_patient(line: str) -> str:
    """The mapping with one more column of the patients."""
    return MAPPING.replace(ADDED, f"{line}{ADDED}")


def take(tmp_path: Path, text: str, **changed: list[str]) -> Imported:
    source = mapping.read(write_mapping(tmp_path / "home", text))
    folder = write_files(tmp_path / "in", **changed)
    return importing.import_delivery(importing.Request(source, folder, tmp_path / "out"))


def patients(header: str, *cells: str) -> list[str]:
    """The file of patients with more columns, one line of cells for each of the first patients."""
    first, *rows = FILES["Patients"]
    return [f"{first},{header}", *(f"{row},{more}" for row, more in zip(rows, cells, strict=False))]


class TestFirstFilled:
    def test_it_is_the_first_that_is_not_empty_in_the_row(self, tmp_path: Path) -> None:
        lines = patients("Home,Cell", "555-1,555-2", "555-3,", ", ")
        take(tmp_path, with_patient(PHONE), Patients=lines)
        made = by_key(tmp_path / "out", "patients", "patient_id")
        assert [made[f"00{n}"]["phone"] for n in (1, 2, 3)] == ["555-2", "555-3", ""]

    def test_days_are_read_in_each_of_them(self, tmp_path: Path) -> None:
        born = with_patient('birth_date = { first_filled = ["DOB", "Born"] }\n')
        lines = patients("DOB,Born", "3/14/1950,", ",1961-04-30")
        take(tmp_path, born, Patients=lines)
        made = by_key(tmp_path / "out", "patients", "patient_id")
        assert [made[f"00{n}"]["birth_date"] for n in (1, 2)] == ["1950-03-14", "1961-04-30"]

    def test_one_of_them_must_be_there_unless_it_is_optional(self, tmp_path: Path) -> None:
        done = take(tmp_path, with_patient(PHONE))
        assert "Patients.csv has no column Cell or Home" in done.held["patients"]
        optional = PHONE.replace(" }", ", optional = true }")
        assert not take(tmp_path, with_patient(optional)).held


class TestLookupByTwoColumns:
    LOOKUP = (
        'email = { lookup = "Mails", match = { MRN = "Chart", "Site ID" = "Site" }, '
        'give = "Mail" }\n'
    )

    def test_both_must_be_the_same(self, tmp_path: Path) -> None:
        mails = ["Chart,Site,Mail", "001,1,a@example.com", "002,2,b@example.com"]
        take(tmp_path, with_patient(self.LOOKUP), Mails=mails)
        made = by_key(tmp_path / "out", "patients", "patient_id")
        assert (made["001"]["email"], made["002"]["email"]) == ("a@example.com", "")
        assert len(made) == 5

    def test_a_file_that_is_missing_holds_the_table(self, tmp_path: Path) -> None:
        done = take(tmp_path, with_patient(self.LOOKUP))
        assert "the delivery has no Mails to look email up in" in done.held["patients"]


class TestExpression:
    SQL = "(SELECT m.mail FROM source.mails AS m WHERE m.chart = s.MRN)"

    def test_it_may_read_another_file(self, tmp_path: Path) -> None:
        mails = ["chart,mail", "001,a@example.com"]
        take(tmp_path, with_patient(f'email = {{ sql = "{self.SQL}" }}\n'), Mails=mails)
        made = by_key(tmp_path / "out", "patients", "patient_id")
        assert made["001"]["email"] == "a@example.com"

    @pytest.mark.parametrize(
        ("sql", "says"),
        [(SQL, "the delivery has no file mails"), ("s.mail", "Patients.csv has no column mail")],
    )
    def test_what_it_lacks_is_named(self, tmp_path: Path, sql: str, says: str) -> None:
        done = take(tmp_path, with_patient(f'email = {{ sql = "{sql}" }}\n'))
        assert done.held["patients"] == says
        optional = with_patient(f'email = {{ sql = "{sql}", optional = true }}\n')
        assert not take(tmp_path, optional).held


class TestFilesOfATable:
    def test_of_several_names_the_first_that_is_there_counts(self, tmp_path: Path) -> None:
        text = MAPPING.replace('from = "Sites"', 'from = ["Facilities", "Sites"]')
        assert not take(tmp_path, text).held
        assert len(rows_of(tmp_path / "out", "facilities")) == 1
        done = take(tmp_path, text, Facilities=["Site ID,Site", "1,Harbor", "2,Lake"])
        assert len(rows_of(tmp_path / "out", "facilities")) == 2
        assert "Sites.csv is not read: facilities come from Facilities.csv" in done.notes

    def test_none_of_them_is_named_as_people_read_it(self, tmp_path: Path) -> None:
        text = MAPPING.replace('from = "Sites"', 'from = ["Facilities", "Places"]')
        done = take(tmp_path, text)
        assert done.held["facilities"] == "the delivery has no file Facilities or Places"


class TestTimeZone:
    def test_a_facility_that_states_none_has_that_of_the_source(self, tmp_path: Path) -> None:
        text = MAPPING.replace('name = "Site"', 'name = "Site"\ntime_zone = "Zone"', 1)
        sites = ["Site ID,Site,Zone", "1,Harbor,America/Chicago", "2,Lake,"]
        take(tmp_path, text, Sites=sites)
        made = by_key(tmp_path / "out", "facilities", "facility_id")
        assert [made[key]["time_zone"] for key in ("1", "2")] == [
            "America/Chicago",
            "America/New_York",
        ]

    def test_a_zone_that_there_is_not_is_an_error_of_the_mapping(self, tmp_path: Path) -> None:
        path = write_mapping(tmp_path, MAPPING.replace("America/New_York", "Eastern"))
        with pytest.raises(UserError, match=r"source\.toml: time_zone: is no IANA name"):
            mapping.read(path)


def test_what_is_shown_names_the_columns_of_each_way(tmp_path: Path) -> None:
    text = with_patient(PHONE + TestLookupByTwoColumns.LOOKUP)
    shown = showing.as_text(mapping.read(write_mapping(tmp_path, text)))
    assert "Cell or, where it is empty, Home" in shown
    assert "Mail of the row of Mails with the same Chart and Site" in shown
