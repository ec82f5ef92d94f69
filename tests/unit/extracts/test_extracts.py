"""A folder of extracts: tables found, tables refused; every row is staged or refused."""

import datetime as dt
import os
import tempfile
from pathlib import Path

import duckdb
import pytest

from pipelines.errors import UserError
from pipelines.extracts import contract, read
from pipelines.extracts import files as extracts_files
from pipelines.extracts import folder as extracts_folder
from pipelines.extracts.outcome import Limits, Previous

FACILITIES = "facility_id,name,time_zone\nF1,North,America/New_York\n"
PATIENTS = (
    "patient_id,first_name,last_name,birth_date,status,facility_id,phone,email,reminder_channel\n"
)
CASES = (
    "case_id,patient_id,facility_id,therapist_id,opened_on,discharged_on,visits_per_week_target,"
    "referring_provider,referring_fax,order_signed_on\n"
)
AT = dt.datetime(2026, 11, 3, 6, tzinfo=dt.UTC)


def _patient(
    patient_id: str, *, born: str = "1961-04-30", status: str = "Active", facility: str = "F1"
) -> str:
    return f"{patient_id},Ann,Secretname,{born},{status},{facility},,,\n"


def _case(case_id: str, patient_id: str) -> str:
    return f"{case_id},{patient_id},F1,,2026-01-01,,,,,\n"


def _read(
    tmp_path: Path,
    files: dict[str, str],
    previous: dict[str, Previous] | None = None,
    **options: float,
):
    folder = tmp_path / "in"
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    con = duckdb.connect()
    outcomes = read.read(
        con,
        extracts_folder.find(folder),
        previous or {},
        tmp_path / "rejected",
        Limits(**options),
    )
    assert [outcome.table for outcome in outcomes] == list(contract.TABLES)
    for outcome in outcomes:
        assert outcome.rows_read == outcome.rows_staged + outcome.rows_refused
        assert (
            con.execute(f"SELECT count(*) FROM extract.{outcome.table}").fetchone()[0]
            == outcome.rows_staged
        )
    return con, {outcome.table: outcome for outcome in outcomes}


def test_nothing_of_a_valid_folder_is_refused(tmp_path):
    con, outcomes = _read(
        tmp_path,
        {
            "facilities.csv": FACILITIES,
            "patients.csv": PATIENTS + _patient("007") + _patient("008"),
        },
    )
    assert (
        outcomes["patients"].status,
        outcomes["patients"].rows_staged,
        outcomes["patients"].files,
    ) == ("accepted", 2, ("patients.csv",))
    assert outcomes["cases"].status == "missing"
    assert [row[0] for row in con.execute("DESCRIBE extract.patients").fetchall()] == [
        column.name for column in contract.columns("patients")
    ]
    assert not (tmp_path / "rejected").exists()


def test_refused_rows_are_written_to_the_rejected_folder_and_their_ids_kept(tmp_path):
    patients = (
        PATIENTS
        + _patient("P1")
        + _patient("P2", born="30/04/1961")
        + _patient("", status="asleep")
        + "P4,Ann\n"
        + _patient("P1", born="1960-01-01")
    )
    con, outcomes = _read(
        tmp_path,
        {
            "facilities.csv": FACILITIES,
            "patients.csv": patients,
            "cases.csv": CASES + _case("C1", "P1") + _case("C2", "P2"),
        },
    )
    assert (outcomes["patients"].rows_read, outcomes["patients"].rows_staged) == (5, 1)
    assert con.execute(
        "SELECT line, column_name, check_name FROM extract.refused_rows "
        "WHERE table_name = 'patients' ORDER BY line"
    ).fetchall() == [
        (3, "birth_date", "birth_day"),
        (4, "patient_id; status", "required; value_set"),
        (5, "", "field_count"),
        (6, "patient_id", "duplicate_key"),
    ]
    assert con.execute(
        "SELECT id_table, id_value FROM extract.refused_ids "
        "WHERE table_name = 'patients' ORDER BY ALL"
    ).fetchall() == [
        ("facilities", "F1"),
        ("patients", "P2"),
    ]
    assert con.execute(
        "SELECT id_table, id_value FROM extract.refused_ids WHERE table_name = 'cases' ORDER BY ALL"
    ).fetchall() == [
        ("cases", "C2"),
        ("facilities", "F1"),
        ("patients", "P2"),
    ]
    assert con.execute("FROM extract.refused_unattributable").fetchall() == [("patients", 2)]
    lines = (tmp_path / "rejected" / "patients.csv").read_text("utf-8-sig").splitlines()
    assert lines[0] == "file,line,column,check," + PATIENTS.strip()
    assert "patients.csv,3,birth_date,birth_day,P2,Ann,Secretname,'30/04/1961,Active,F1,,," in lines


def test_orphans_are_refused_unless_the_parent_table_is_missing(tmp_path):
    con, outcomes = _read(
        tmp_path, {"facilities.csv": FACILITIES, "cases.csv": CASES + _case("C1", "nobody")}
    )
    assert outcomes["cases"].rows_staged == 1
    _, outcomes = _read(tmp_path, {"patients.csv": PATIENTS + _patient("P1", facility="F9")})
    assert outcomes["patients"].rows_refused == 1


def test_a_folder_of_parts_is_one_table_with_keys_unique_over_all_parts(tmp_path):
    con, outcomes = _read(
        tmp_path,
        {
            "patients/part-1.csv": PATIENTS + _patient("P1"),
            "patients/part-2.csv": PATIENTS.replace(",", ";")
            + _patient("P1").replace(",", ";")
            + _patient("P2").replace(",", ";"),
        },
    )
    assert (outcomes["patients"].rows_read, outcomes["patients"].rows_staged) == (3, 2)
    assert (
        con.execute("SELECT file, check_name FROM extract.refused_rows").fetchall()[0][1]
        == "duplicate_key"
    )


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ("patients,2026-11-03T06:00:00Z,3,true,", "has 2 rows where the manifest says 3"),
        ("patients,2026-11-03T06:00:00Z,2,false,", "is not complete according to its manifest"),
        ("patients,2026-11-01T06:00:00,2,true,", "older than the one before"),
    ],
)
def test_a_file_that_contradicts_its_manifest_is_refused(manifest, says, tmp_path):
    files = {
        "patients.csv": PATIENTS + _patient("P1") + _patient("P2"),
        "manifest.csv": "table,extracted_at,row_count,complete,horizon_on\n" + manifest + "\n",
    }
    con, outcomes = _read(tmp_path, files, {"patients": Previous(2, AT - dt.timedelta(days=1))})
    assert outcomes["patients"].status == "refused"
    assert outcomes["patients"].rows_read == 2
    assert says in outcomes["patients"].reason and "patients.csv" in outcomes["patients"].reason


def test_at_most_a_fifth_of_the_rows_may_be_gone(tmp_path):
    files = {"patients.csv": PATIENTS + "".join(_patient(f"P{n}") for n in range(8))}
    assert (
        _read(tmp_path, files, {"patients": Previous(10, None)})[1]["patients"].status == "accepted"
    )
    assert (
        "more than 20% are gone"
        in _read(tmp_path, files, {"patients": Previous(11, None)})[1]["patients"].reason
    )
    assert (
        _read(tmp_path, files, {"patients": Previous(11, None)}, max_loss=0.5)[1]["patients"].status
        == "accepted"
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "patients.csv is empty (0 bytes)"),
        (
            PATIENTS.replace("birth_date", "birth_dat") + _patient("P1"),
            "patients.csv has no column birth_date (did you mean its column birth_dat?)",
        ),
        (
            PATIENTS + _patient("P1") + "P2,Ann,Sec",
            "patients.csv is cut short: its last line ends in the middle of a row",
        ),
    ],
)
def test_a_bad_file_is_refused_whole_in_one_sentence(content, says, tmp_path):
    _, outcomes = _read(tmp_path, {"patients.csv": content, "facilities.csv": FACILITIES})
    assert (
        outcomes["patients"].status,
        outcomes["patients"].reason,
        outcomes["patients"].rows_staged,
    ) == ("refused", says, 0)
    assert outcomes["facilities"].status == "accepted"


def test_a_header_alone_is_an_empty_table(tmp_path):
    assert _read(tmp_path, {"patients.csv": PATIENTS})[1]["patients"].status == "accepted"


def test_a_file_replaced_while_it_is_read_is_refused(tmp_path, monkeypatch):
    load = extracts_files.load

    def load_and_replace(con, table, path, **options):
        part = load(con, table, path, **options)
        (path.parent / "new").write_text(PATIENTS)
        os.replace(path.parent / "new", path)
        return part

    monkeypatch.setattr(extracts_files, "load", load_and_replace)
    _, outcomes = _read(tmp_path, {"patients.csv": PATIENTS + _patient("P1")})
    assert outcomes["patients"].reason == "patients.csv was replaced while it was being read"


def test_an_unknown_column_is_ignored_with_a_warning(tmp_path):
    _, outcomes = _read(
        tmp_path, {"facilities.csv": "facility_id,name,time_zone,colour\nF1,North,UTC,red\n"}
    )
    assert outcomes["facilities"].warnings == ("facilities.csv: unknown column ignored: colour",)


@pytest.mark.parametrize(
    ("left_out", "says"),
    [
        (("phone",), "patients.csv: no column phone: read as empty"),
        (("phone", "email"), "patients.csv: no columns phone, email: read as empty"),
    ],
)
def test_an_absent_column_that_may_be_empty_is_read_as_empty_with_a_warning(
    left_out, says, tmp_path
):
    header = PATIENTS.strip().split(",")
    kept = [name for name in header if name not in left_out]
    row = dict(zip(header, _patient("P1").strip().split(","), strict=True))
    lines = [",".join(kept), ",".join(row[name] for name in kept)]
    con, outcomes = _read(
        tmp_path, {"facilities.csv": FACILITIES, "patients.csv": "\n".join(lines) + "\n"}
    )
    assert (outcomes["patients"].status, outcomes["patients"].warnings) == ("accepted", (says,))
    assert con.execute("SELECT last_name, phone, email FROM extract.patients").fetchall() == [
        ("Secretname", None, None)
    ]


def test_parts_may_lack_different_columns(tmp_path):
    files = {
        "staff/1.csv": "staff_id,name,role,is_assistant,is_active\nS1,Al,Front Desk,no,yes\n",
        "staff/2.csv": "staff_id,name,email,role,is_assistant,is_active\n"
        "S2,Bo,bo@x,Front Desk,no,yes\n",
    }
    con, outcomes = _read(tmp_path, files)
    assert outcomes["staff"].warnings == (
        "staff/1.csv: no columns email, facility_id: read as empty",
        "staff/2.csv: no column facility_id: read as empty",
    )
    assert con.execute("SELECT staff_id, email FROM extract.staff ORDER BY 1").fetchall() == [
        ("S1", None),
        ("S2", "bo@x"),
    ]


def test_ten_thousand_refused_rows_are_all_counted_and_located(tmp_path):
    patients = PATIENTS + "".join(
        _patient(f"P{n}", born="never" if n % 2 else "1961-04-30") for n in range(20_000)
    )
    con, outcomes = _read(tmp_path, {"patients.csv": patients}, max_refused=0.5)
    assert outcomes["patients"].rows_refused == 10_000
    assert con.execute(
        "SELECT min(line), max(line), count(DISTINCT line) FROM extract.refused_rows"
    ).fetchone() == (3, 20_001, 10_000)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("patients,yesterday,2,true,", r"manifest.csv, line 2, column extracted_at: moment"),
        ("patients,2026-11-03,two,true,", r"manifest.csv, line 2, column row_count: count"),
        ("patients,2026-11-03", r"manifest.csv, line 2: field_count"),
    ],
)
def test_a_bad_manifest_row_names_file_line_and_column(row, says, tmp_path):
    (tmp_path / "patients.csv").write_text(PATIENTS)
    (tmp_path / "manifest.csv").write_text(
        "table,extracted_at,row_count,complete,horizon_on\n" + row + "\n"
    )
    with pytest.raises(UserError, match=says):
        extracts_folder.find(tmp_path)


def test_a_manifest_time_without_offset_is_utc(tmp_path):
    (tmp_path / "patients.csv").write_text(PATIENTS)
    (tmp_path / "manifest.csv").write_text(
        "table,extracted_at,row_count,complete,horizon_on\npatients,2026-11-03T06:00:00,,yes,2026-11-17\n"
    )
    assert extracts_folder.find(tmp_path).manifest == {
        "patients": extracts_folder.ManifestRow(AT, None, True, dt.date(2026, 11, 17))
    }


def test_a_folder_without_tables_or_with_two_files_of_one_table_is_an_error(tmp_path):
    with pytest.raises(UserError, match="no such folder"):
        extracts_folder.find(tmp_path / "nowhere")
    with pytest.raises(UserError, match="no extract table found in .*; expected appointments.csv"):
        extracts_folder.find(tmp_path)
    (tmp_path / "patients.csv").write_text(PATIENTS)
    with pytest.raises(UserError, match="not a folder"):
        extracts_folder.find(tmp_path / "patients.csv")
    (tmp_path / "patients.tsv").write_text(PATIENTS)
    with pytest.raises(UserError, match="both hold the table patients"):
        extracts_folder.find(tmp_path)


def test_missing_permission_names_the_folder_or_the_file():
    with tempfile.TemporaryDirectory() as name:  # only its owner may enter tmp_path
        folder = Path(name)
        folder.chmod(0o777)
        (folder / "patients.csv").write_text(PATIENTS)
        (folder / "patients.csv").chmod(0)
        (folder / "closed").mkdir(mode=0)
        is_root = os.geteuid() == 0  # root may read everything
        if is_root:
            os.seteuid(65534)
        try:
            outcome = read.read(
                duckdb.connect(), extracts_folder.find(folder), {}, folder / "rejected"
            )[3]
            with pytest.raises(UserError, match="closed: no permission"):
                extracts_folder.find(folder / "closed")
        finally:
            if is_root:
                os.seteuid(0)
    assert outcome.reason == "patients.csv cannot be opened: no permission to read it"


def test_dated_folders_are_sorted_by_day(tmp_path):
    for name in ("2026-11-03", "20261101", "2026-11-02-evening", "other"):
        (tmp_path / name).mkdir()
    assert [folder.name for folder in extracts_folder.dated_folders(tmp_path)] == [
        "20261101",
        "2026-11-02-evening",
        "2026-11-03",
    ]
