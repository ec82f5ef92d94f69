"""Accesses and sessions: all of them are recorded, found again, and quick to ask for."""

import datetime as dt

import pytest
import sqlalchemy as sa

from pipelines.errors import UserError
from pipelines.ledger.accesses import Access, RecordedAccess
from pipelines.ledger.actions import NewAction
from pipelines.ledger.ledger import open_ledger
from pipelines.ledger.sessions import SESSION_EVENTS
from tests.ledgers import only_sqlite, rows_of

AT = dt.datetime(2026, 11, 3, 14, 15, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def url(ledger_url):
    return ledger_url


@pytest.fixture
def ledger(url):
    with open_ledger(url) as opened:
        yield opened


@pytest.fixture
def statements(ledger):
    """What the ledger has executed so far, as (SQL, parameters)."""
    executed = []

    @sa.event.listens_for(ledger.engine, "before_cursor_execute")
    def _note(_connection, _cursor, statement, parameters, *_):
        executed.append((statement, parameters))

    return executed


# Accesses


def test_an_access_is_recorded(ledger, url):
    ledger.record_access(
        at=AT, staff_id="ann", patient_id="0042", kind="history", detail="exported"
    )
    assert rows_of(url, "SELECT * FROM accesses") == [
        (1, "2026-11-03T14:15:00.000000Z", "ann", "0042", "history", "exported")
    ]


def test_accesses_come_newest_first_of_one_patient_by_one_person(ledger):
    for staff_id, patient_id in (("ann", "p1"), ("bob", "p1"), ("ann", "p2"), ("ann", "p1")):
        ledger.record_access(at=AT, staff_id=staff_id, patient_id=patient_id, kind="page")

    def numbers(**asked):
        return [access.seq for access in ledger.accesses(**asked)]

    assert numbers() == [4, 3, 2, 1]
    assert numbers(patient_id="p1") == [4, 2, 1]
    assert numbers(staff_id="ann") == [4, 3, 1]
    assert numbers(patient_id="p1", staff_id="ann") == [4, 1]
    assert numbers(patient_id="p1", after=1) == [4, 2]
    assert numbers(limit=2) == [4, 3]
    assert numbers(patient_id="p9") == []
    assert ledger.accesses(limit=1) == [RecordedAccess(AT, "ann", "p1", "page", None, seq=4)]


def test_an_export_records_every_patient_in_one_write(ledger, statements):
    ledger.record_accesses(
        [Access(AT, "ann", f"p{number % 500:03}", "export", "tasks") for number in range(1000)]
    )
    assert sum(statement.startswith("INSERT") for statement, _ in statements) == 1
    written = ledger.accesses(limit=2000)
    assert len(written) == 1000
    assert {access.patient_id for access in written} == {f"p{number:03}" for number in range(500)}
    assert {(access.at, access.staff_id, access.kind, access.detail) for access in written} == {
        (AT, "ann", "export", "tasks")
    }


def test_an_export_of_nobody_records_nothing(ledger):
    ledger.record_accesses([])
    assert ledger.accesses() == []


def test_one_access_that_cannot_be_stored_keeps_the_whole_export_out(ledger):
    with pytest.raises(UserError, match="The access holds characters that cannot be stored"):
        ledger.record_accesses(
            [Access(AT, "ann", "p1", "export"), Access(AT, "ann", "p2", "export", "half \udcff")]
        )
    with pytest.raises(sa.exc.StatementError, match="times with a zone only"):
        ledger.record_accesses(
            [
                Access(AT, "ann", "p1", "export"),
                Access(AT.replace(tzinfo=None), "ann", "p2", "export"),
            ]
        )
    assert ledger.accesses() == []


def test_an_unexpected_error_names_no_patient(ledger):
    with pytest.raises(sa.exc.StatementError) as caught:
        ledger.record_access(
            at=AT.replace(tzinfo=None), staff_id="ann", patient_id="0042-7731", kind="page"
        )
    assert "0042-7731" not in str(caught.value)


# Sessions


@pytest.mark.parametrize("event", SESSION_EVENTS)
def test_a_session_event_is_recorded(ledger, url, event):
    ledger.record_session(at=AT, staff_id="ann", event=event, login="5f1c")
    assert rows_of(url, "SELECT * FROM sessions") == [
        (1, "2026-11-03T14:15:00.000000Z", "ann", event, "5f1c", None)
    ]


def test_a_refused_sign_in_needs_no_staff_id(ledger, url):
    why = "eve@example.org is not on the staff list"
    ledger.record_session(at=AT, staff_id=None, event="refused", detail=why)
    assert rows_of(url, "SELECT * FROM sessions") == [
        (1, "2026-11-03T14:15:00.000000Z", None, "refused", None, why)
    ]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"staff_id": "ann", "event": "left"},
            "'left' is not a session event: use one of signed in, signed out",
        ),
        ({"staff_id": None, "event": "signed in"}, "signed in needs the staff member"),
        ({"staff_id": "", "event": "timed out"}, "timed out needs the staff member"),
        (
            {"staff_id": None, "event": "refused", "detail": "nul \x00"},
            "The session holds characters that cannot be stored",
        ),
    ],
)
def test_a_session_event_that_is_incomplete_is_refused(ledger, url, given, says):
    with pytest.raises(UserError, match=says):
        ledger.record_session(at=AT, **given)
    assert rows_of(url, "SELECT * FROM sessions") == []


def test_only_signing_out_and_timing_out_end_a_session(ledger):
    assert ledger.last_session_end("ann") is None
    ledger.record_session(at=AT, staff_id="ann", event="signed in")
    ledger.record_session(at=AT, staff_id="ann", event="refused")
    assert ledger.last_session_end("ann") is None
    ledger.record_session(at=AT + 1 * HOUR, staff_id="ann", event="timed out")
    assert ledger.last_session_end("ann") == AT + 1 * HOUR
    ledger.record_session(at=AT + 2 * HOUR, staff_id="ann", event="signed out")
    ledger.record_session(at=AT + 3 * HOUR, staff_id="ann", event="signed in")
    ledger.record_session(at=AT + 4 * HOUR, staff_id="bob", event="signed out")
    assert ledger.last_session_end("ann") == AT + 2 * HOUR
    assert ledger.last_session_end("ann").tzinfo is dt.UTC


def test_the_last_end_is_the_latest_also_when_another_machine_wrote_it_later(ledger):
    ledger.record_session(at=AT + HOUR, staff_id="ann", event="signed out")
    ledger.record_session(at=AT, staff_id="ann", event="timed out")
    assert ledger.last_session_end("ann") == AT + HOUR


# Asked for on every page


@only_sqlite
def test_the_question_of_every_page_is_answered_from_an_index(ledger, statements):
    ledger.record(NewAction("t1", "complete", "ann", AT), seen=0)
    statements.clear()
    ledger.last_session_end("ann")
    ledger.views("ann")
    ledger.accesses(patient_id="p1")
    ledger.accesses(staff_id="ann")
    asked = [(sql, parameters) for sql, parameters in statements if sql.startswith("SELECT")]
    with ledger.engine.connect() as connection:
        plans = [
            [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters)]
            for sql, parameters in asked
        ]
    assert len(plans) == 4
    steps = [step for plan in plans for step in plan]
    assert [
        step
        for step in steps
        if "SCAN" in step and step != "SCAN CONSTANT ROW" or "TEMP B-TREE" in step
    ] == []
    assert (
        sum("COVERING INDEX sessions_of_staff (staff_id=? AND event=?)" in step for step in steps)
        == 2
    )


def test_a_list_of_actions_takes_two_statements_for_each(ledger, statements):
    ledger.record_many(
        [(NewAction(f"t{number}", "complete", "ann", AT), 0) for number in range(100)]
    )
    assert len([sql for sql, _ in statements if sql.startswith(("SELECT max", "INSERT"))]) == 200
