"""What a value means: empty and open dates, words, people nobody knows, days out of order."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines.extracts import contract, read
from pipelines.extracts import folder as extracts_folder
from tests.practice import Practice
from tests.unit.extracts.conftest import Read


def refusals(con: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return con.execute(
        "SELECT table_name, line, column_name, check_name FROM extract.refused_rows ORDER BY ALL"
    ).fetchall()


def hold(practice: Practice, **values: object) -> Practice:
    return (
        practice.patient("A")
        .add("claims", "K", case_id="C-A")
        .add("claim_holds", "H", claim_id="K", **{"held_at": "2026-10-05T09:00:00", **values})
    )


@pytest.mark.parametrize(
    "written",
    [
        "",
        "1900-01-01",
        "1900-01-01T00:00:00",
        "1900-01-01 08:30:00.000",
        "1970-01-01",
        "1970-01-01T05:00:00Z",
        "1969-12-31T19:00:00-05:00",
        "0001-01-01",
        "0001-01-01T00:00:00",
        "1753-01-01",
        "1899-12-30",
        "0000-00-00 00:00:00",
        "00/00/0000",
        "0/0/0000 00:00",
        "9999-12-31",
        "9999-12-31T23:59:59.9999999",
        "2099-12-31T00:00:00Z",
    ],
)
def test_a_hold_released_on_no_day_is_not_released(
    practice: Practice, read_back: Read, written: str
) -> None:
    con, _ = read_back(hold(practice, released_at=written))
    assert con.execute(
        "SELECT released_at, released_at_is_utc FROM extract.claim_holds"
    ).fetchall() == [(None, None)]
    assert refusals(con) == []


@pytest.mark.parametrize(
    "written", ["1900-01-02", "1969-12-30", "1970-01-02", "2099-12-30", "2100-01-01"]
)
def test_the_days_beside_are_days(practice: Practice, read_back: Read, written: str) -> None:
    con, _ = read_back(
        practice.patient("A").add("cases", "C-A", opened_on="1900-01-02", discharged_on=written)
    )
    assert con.execute("SELECT CAST(discharged_on AS VARCHAR) FROM extract.cases").fetchall() == [
        (written,)
    ]


@pytest.mark.parametrize("written", ["1900-01-01", "1970-01-01", "0001-01-01", "00/00/0000"])
def test_where_a_day_is_required_no_day_refuses_the_row(
    practice: Practice, read_back: Read, tmp_path: Path, written: str
) -> None:
    con, _ = read_back(practice.patient("A").add("cases", "C-A", opened_on=written))
    assert refusals(con) == [("cases", 2, "opened_on", "required")]
    assert written in (tmp_path / "rejected" / "cases.csv").read_text("utf-8-sig"), (
        "as it was written"
    )


def test_people_were_born_in_1970(practice: Practice, read_back: Read) -> None:
    practice.patient("A", birth_date="1970-01-01").patient("B", birth_date="1900-01-01")
    con, _ = read_back(practice)
    assert con.execute(
        "SELECT patient_id, CAST(birth_date AS VARCHAR) FROM extract.patients ORDER BY ALL"
    ).fetchall() == [("A", "1970-01-01"), ("B", None)]


def test_a_start_on_an_open_day_is_no_missing_start(practice: Practice, read_back: Read) -> None:
    practice.patient("A").add("policies", "P1", patient_id="A", starts_on="9999-12-31")
    con, _ = read_back(practice.add("policies", "P2", patient_id="A", starts_on="2099-12-31"))
    assert refusals(con) == [("policies", 2, "starts_on", "day")]
    assert con.execute("SELECT CAST(starts_on AS VARCHAR) FROM extract.policies").fetchall() == [
        ("2099-12-31",)
    ]


def test_every_time_that_may_be_empty_may_be_open_but_starts_and_birthdays() -> None:
    times = {
        column.name
        for table in (*contract.TABLES, "manifest")
        for column in contract.columns(table)
        if column.form in ("day", "birth_day", "moment")
        and column.is_nullable
        and not column.is_end
    }
    assert times == {"birth_date", "date_of_service", "since_on", "starts_on"}


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("SCHEDULED", "Scheduled"),
        ("scheduled", "Scheduled"),
        ("In-Progress", "In Progress"),
        ("IN_PROGRESS", "In Progress"),
        ("NoShow", "No Show"),
        ("No - Show", "No Show"),
        ("Canceled", "Cancelled"),
        ("CANCELLED", "Cancelled"),
    ],
)
def test_a_status_is_the_same_word_however_it_is_written(
    practice: Practice, read_back: Read, written: str, status: str
) -> None:
    practice.patient("A").visit("V", "A", "2026-11-01T09:00:00", status=written)
    con, outcomes = read_back(practice)
    assert con.execute("SELECT status FROM extract.appointments").fetchall() == [(status,)]
    assert (refusals(con), outcomes["appointments"].warnings) == ([], ())


@pytest.mark.parametrize("written", ["Rescheduled", "Sched", "", "0", "Áctive"])
def test_a_status_nobody_knows_refuses_the_row(
    practice: Practice, read_back: Read, written: str
) -> None:
    practice.patient("A").visit("V", "A", "2026-11-01T09:00:00", status=written)
    con, _ = read_back(practice)
    assert [row[:3] for row in refusals(con)] == [("appointments", 2, "status")]


def test_what_decides_refuses_and_what_describes_does_not() -> None:
    sets = {
        (table, column.name): column.is_described
        for table in contract.TABLES
        for column in contract.columns(table)
        if column.allowed is not None or column.is_described
    }
    assert sets == {
        ("staff", "role"): True,
        ("payers", "kind"): True,
        ("policies", "rank"): True,
        ("patients", "status"): False,
        ("authorizations", "limit_unit"): False,
        ("appointments", "status"): False,
        ("payments", "kind"): False,
        ("documents", "status"): False,
        ("faxes", "status"): False,
    }


def test_an_unknown_role_kind_or_rank_is_other_with_a_warning(
    practice: Practice, read_back: Read
) -> None:
    practice.patient("A").add("staff", "S3", role="Chiropractor").add("staff", "S4", role="")
    practice.add("staff", "S5", role="front desk", is_assistant="", name="")
    practice.add("payers", "PAY2", kind="", name="").add("payers", "PAY3", kind="Our own plan")
    practice.add("policies", "P1", patient_id="A", rank="Supplement", payer_id="PAY2")
    practice.add("policies", "P2", patient_id="A", rank="1.0", payer_id="PAY2")
    practice.add("policies", "P3", patient_id="A", rank="PRIMARY", payer_id="PAY2")
    practice.add("policies", "P4", patient_id="A", rank="10", payer_id="PAY2")
    con, outcomes = read_back(practice)
    assert refusals(con) == []
    assert con.execute("SELECT staff_id, role FROM extract.staff ORDER BY ALL").fetchall() == [
        ("S1", "Front Desk"),
        ("S2", "Clinical Staff"),
        ("S3", "Other"),
        ("S4", "Other"),
        ("S5", "Front Desk"),
    ]
    assert con.execute("SELECT kind FROM extract.payers ORDER BY payer_id").fetchall() == [
        ("Commercial",),
        ("Other",),
        ("Our own plan",),
    ]
    assert con.execute("SELECT rank FROM extract.policies ORDER BY policy_id").fetchall() == [
        ("Other",),
        ("1",),
        ("Primary",),
        ("Other",),
    ]
    assert outcomes["staff"].warnings == (
        "staff.csv: role is empty or unknown in 2 rows, which are read as Other; known are "
        "Front Desk, Clinical Staff, Therapy Director, Practice Administrator, Business Owner",
    )
    assert outcomes["payers"].warnings == (
        "payers.csv: kind is empty or unknown in 1 row, which is read as Other",
    )
    assert "rank is empty or unknown in 2 rows" in outcomes["policies"].warnings[0]


def test_somebody_whom_the_staff_extract_lacks_is_nobody_with_a_warning(
    practice: Practice, read_back: Read
) -> None:
    practice.patient("A").add("cases", "C-A", therapist_id="left in 2019")
    practice.visit("V1", "A", "2026-11-01T09:00:00", staff_id="left in 2019")
    practice.visit("V2", "A", "2026-11-02T09:00:00", staff_id="S2")
    practice.document("D", "A", last_editor_id="left in 2019", reviewer_id="S2")
    con, outcomes = read_back(practice)
    assert refusals(con) == []
    assert con.execute(
        "SELECT appointment_id, staff_id FROM extract.appointments ORDER BY ALL"
    ).fetchall() == [("V1", None), ("V2", "S2")]
    assert con.execute("SELECT last_editor_id, reviewer_id FROM extract.documents").fetchall() == [
        (None, "S2")
    ]
    assert outcomes["appointments"].warnings == (
        "appointments.csv: staff_id names somebody whom the staff extract does not have in 1 row, "
        "which is read as nobody's",
    )


def test_people_stay_when_the_staff_extract_is_missing(practice: Practice, tmp_path: Path) -> None:
    practice.patient("A").visit("V1", "A", "2026-11-01T09:00:00", staff_id="S2")
    folder = extracts_folder.find(practice.write(tmp_path / "in", None, without=("staff",)))
    con = duckdb.connect()
    read.read(con, folder, {}, tmp_path / "rejected")
    assert con.execute("SELECT staff_id FROM extract.appointments").fetchall() == [("S2",)]


def test_a_number_that_went_through_a_data_frame_is_the_key_it_was(
    practice: Practice, read_back: Read
) -> None:
    practice.add("staff", "7").add("staff", "8.0").patient("5")
    practice.visit("V1", "5", "2026-11-01T09:00:00", staff_id="7.0")
    practice.tables["appointments"]["V1"]["patient_id"] = "5.0"
    practice.visit("V2", "5", "2026-11-02T09:00:00", staff_id="8.0")
    practice.visit("V3", "5", "2026-11-03T09:00:00", staff_id="9.0")
    con, _ = read_back(practice)
    assert con.execute(
        "SELECT appointment_id, patient_id, staff_id FROM extract.appointments ORDER BY ALL"
    ).fetchall() == [("V1", "5", "7"), ("V2", "5", "8.0"), ("V3", "5", None)]


@pytest.mark.parametrize(
    ("held_at", "released_at", "is_refused"),
    [
        ("2026-10-05T09:00:00", "2026-10-04T23:59:59", True),
        ("2026-10-05T09:00:00", "2026-10-04", True),
        ("2026-10-05T09:00:00", "2026-10-05", False),  # a plain day is midnight
        ("2026-10-05T09:00:00", "2026-10-05T08:00:00", False),
        ("2026-10-05T23:00:00", "2026-10-06T00:00:00", False),
        ("2026-10-05T09:00:00Z", "2026-10-04T23:00:00Z", True),
        ("2026-10-05T03:00:00Z", "2026-10-04T23:30:00", False),  # 19:30 of the day before here
        ("2026-10-05T03:00:00Z", "2026-10-04T23:30:00-04:00", False),
        ("2026-10-05T03:00:00Z", "2026-10-03T23:30:00", True),
        ("2026-10-05", "1900-01-01", False),
    ],
)
def test_a_hold_released_on_a_day_before_it_was_held_is_refused(
    practice: Practice, read_back: Read, held_at: str, released_at: str, is_refused: bool
) -> None:
    con, _ = read_back(hold(practice, held_at=held_at, released_at=released_at))
    assert refusals(con) == (
        [("claim_holds", 2, "released_at", "before held_at")] if is_refused else []
    )


@pytest.mark.parametrize(
    ("table", "values", "refusal"),
    [
        ("cases", {"opened_on": "2026-05-02", "discharged_on": "2026-05-01"}, "discharged_on"),
        ("cases", {"opened_on": "2026-05-02", "discharged_on": "2026-05-02"}, None),
        ("policies", {"starts_on": "2026-05-02", "ends_on": "2026-05-01"}, "ends_on"),
        ("policies", {"starts_on": "2026-05-02", "ends_on": "2026-05-02"}, None),
        ("policies", {"starts_on": "", "ends_on": "2026-05-01"}, None),
        # Asked for again, and not yet verified again.
        (
            "policies",
            {"verification_requested_at": "2026-05-02", "verified_at": "2026-05-01"},
            None,
        ),
        ("authorizations", {"starts_on": "2026-05-02", "ends_on": "2026-05-01"}, "ends_on"),
        ("authorizations", {"starts_on": "2026-05-02", "ends_on": "9999-12-31"}, None),
        ("claims", {"date_of_service": "2026-05-02", "processed_at": "2026-04-30"}, "processed_at"),
        ("claims", {"date_of_service": "2026-05-02", "processed_at": "2026-05-02"}, None),
        ("documents", {"started_at": "2026-05-02", "completed_at": "2026-05-01"}, "completed_at"),
        (
            "documents",
            {"started_at": "2026-05-02", "submitted_for_review_at": "2026-05-01"},
            "submitted_for_review_at",
        ),
        ("documents", {"started_at": "2026-05-02T14:00:00", "completed_at": "2026-05-02"}, None),
        # Notes are written and visits entered after the day itself.
        ("appointments", {"starts_at": "2026-05-01", "created_at": "2026-05-03"}, None),
    ],
)
def test_a_day_that_contradicts_another_of_its_row_refuses_it(
    practice: Practice,
    read_back: Read,
    table: str,
    values: dict[str, str],
    refusal: str | None,
) -> None:
    practice.patient("A").add("policies", "P", patient_id="A")
    practice.add("authorizations", "U", policy_id="P", case_id="C-A")
    practice.add("claims", "K", case_id="C-A").document("D", "A")
    practice.visit("V", "A", "2026-05-01T09:00:00")
    (key,) = practice.tables[table]
    con, _ = read_back(practice.add(table, key, **values))
    found = [(name, check) for of, _, name, check in refusals(con) if of == table]
    earlier = next(iter(values))
    assert found == ([(refusal, f"before {earlier}")] if refusal else [])


def test_a_row_that_contradicts_itself_twice_names_both(
    practice: Practice, read_back: Read
) -> None:
    practice.patient("A").document(
        "D",
        "A",
        started_at="2026-05-02",
        completed_at="2026-05-01",
        submitted_for_review_at="2026-04-30",
        kind="",
    )
    con, _ = read_back(practice)
    assert [row[2:] for row in refusals(con)] == [
        (
            "kind; completed_at; submitted_for_review_at",
            "required; before started_at; before started_at",
        )
    ]
    assert con.execute(
        "SELECT id_table, id_value FROM extract.refused_ids ORDER BY ALL"
    ).fetchall() == [("cases", "C-A"), ("documents", "D")]


@pytest.mark.parametrize(
    ("bad", "rows", "status"),
    [(19, 19, "accepted"), (20, 100, "accepted"), (20, 99, "refused"), (40, 40, "refused")],
)
def test_more_than_a_fifth_of_the_rows_and_at_least_20_refused_refuse_the_table(
    practice: Practice, read_back: Read, bad: int, rows: int, status: str
) -> None:
    practice.patient("A")
    for number in range(rows):
        word = "Perhaps" if number < bad else "Scheduled"
        practice.visit(f"V{number}", "A", "2026-11-01T09:00:00", status=word)
    con, outcomes = read_back(practice)
    found = outcomes["appointments"]
    assert (found.status, found.rows_read, found.rows_staged) == (
        status,
        rows,
        rows - bad if status == "accepted" else 0,
    )
    assert len(refusals(con)) == bad, "each is named all the same"
    if status == "refused":
        assert found.reason == (
            f"appointments.csv has {bad} of {rows} rows refused: more than 20%; correct them at "
            "the source, they are kept with line, column and check (guard refused/appointments; "
            "if it is true, accept it: run --accept refused/appointments --staff ID --reason TEXT)"
        )


def test_a_practice_sets_its_own_share_of_refused_rows(practice: Practice, read_back: Read) -> None:
    practice.patient("A")
    for number in range(40):
        practice.visit(f"V{number}", "A", "2026-11-01T09:00:00", status="Perhaps" if number else "")
    _, outcomes = read_back(practice, max_refused=1.0)
    assert (outcomes["appointments"].status, outcomes["appointments"].rows_refused) == (
        "accepted",
        40,
    )


def test_rows_that_come_twice_are_not_missing(
    practice: Practice, read_back: Read, tmp_path: Path
) -> None:
    practice.patient("A")
    for number in range(40):
        practice.visit(f"V{number}", "A", "2026-11-01T09:00:00")
    path = practice.write(tmp_path / "in", None) / "appointments.csv"
    head, *rows = path.read_text().splitlines(keepends=True)
    path.write_text("".join([head, *rows, *rows]))
    con = duckdb.connect()
    outcomes = read.read(con, extracts_folder.find(path.parent), {}, tmp_path / "rejected")
    found = next(outcome for outcome in outcomes if outcome.table == "appointments")
    assert (found.status, found.rows_staged, found.rows_refused) == ("accepted", 40, 40)
