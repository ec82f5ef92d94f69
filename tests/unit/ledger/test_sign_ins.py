"""Accounts of a sign-in service: one to a member of staff, until it is released."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from pipelines.errors import UserError
from pipelines.ledger import sign_ins
from pipelines.ledger.ledger import Ledger, open_ledger
from pipelines.ledger.sign_ins import Account, Standing
from tests.ledgers import past_our_code, rows_of

AT = dt.datetime(2026, 11, 3, 14, 15, tzinfo=dt.UTC)
ANN = Account("https://login.example", "1")
ELSEWHERE = Account("https://other.example", "1")
BOB = Account("https://login.example", "2")


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    with open_ledger(ledger_url) as opened:
        yield opened


def test_the_first_sign_in_binds_the_account(ledger: Ledger, ledger_url: str) -> None:
    assert sign_ins.standing(ledger, "S1", ANN) is Standing.FREE
    for _ in range(2):
        assert sign_ins.bind(ledger, AT, "S1", ANN) is Standing.OWN
    assert sign_ins.standing(ledger, "S1", ANN) is Standing.OWN
    assert rows_of(
        ledger_url, "SELECT staff_id, event, issuer, subject, released_by, reason FROM sign_ins"
    ) == [("S1", "bound", "https://login.example", "1", None, None)]


@pytest.mark.parametrize("other", [ELSEWHERE, BOB])
def test_another_account_is_refused(ledger: Ledger, other: Account) -> None:
    sign_ins.bind(ledger, AT, "S1", ANN)
    assert sign_ins.standing(ledger, "S1", other) is Standing.STAFF_HAS_ANOTHER
    assert sign_ins.bind(ledger, AT, "S1", other) is Standing.STAFF_HAS_ANOTHER
    assert sign_ins.standing(ledger, "S1", ANN) is Standing.OWN


def test_an_account_is_one_persons(ledger: Ledger) -> None:
    sign_ins.bind(ledger, AT, "S1", ANN)
    assert sign_ins.bind(ledger, AT, "S2", ANN) is Standing.OF_ANOTHER
    assert sign_ins.bind(ledger, AT, "S2", BOB) is Standing.OWN
    assert sign_ins.bind(ledger, AT, "S3", ELSEWHERE) is Standing.OWN  # the same sub, not the same


def test_a_released_account_makes_room_for_the_next(ledger: Ledger, ledger_url: str) -> None:
    sign_ins.bind(ledger, AT, "S1", ANN)
    assert sign_ins.last_release(ledger, "S1") is None
    later = AT + dt.timedelta(hours=1)
    assert sign_ins.release(ledger, later, "S1", "S9", " new tenant ") == ANN
    assert sign_ins.last_release(ledger, "S1") == later
    assert sign_ins.standing(ledger, "S1", ANN) is Standing.FREE
    assert sign_ins.standing(ledger, "S2", ANN) is Standing.FREE
    assert sign_ins.bind(ledger, later, "S1", ELSEWHERE) is Standing.OWN
    assert sign_ins.bind(ledger, later, "S1", ANN) is Standing.STAFF_HAS_ANOTHER
    assert rows_of(ledger_url, "SELECT event, released_by, reason FROM sign_ins ORDER BY seq") == [
        ("bound", None, None),
        ("released", "S9", "new tenant"),
        ("bound", None, None),
    ]


def test_what_is_not_bound_cannot_be_released(ledger: Ledger) -> None:
    with pytest.raises(UserError, match="S1: no sign-in is bound"):
        sign_ins.release(ledger, AT, "S1", "S9", "by mistake")
    sign_ins.bind(ledger, AT, "S1", ANN)
    with pytest.raises(UserError, match="needs a reason"):
        sign_ins.release(ledger, AT, "S1", "S9", " ")
    sign_ins.release(ledger, AT, "S1", "S9", "once")
    with pytest.raises(UserError, match="S1: no sign-in is bound"):
        sign_ins.release(ledger, AT, "S1", "S9", "twice")


def test_of_many_at_once_one_is_bound(ledger: Ledger, ledger_url: str) -> None:
    found: list[Standing] = []
    ready = threading.Barrier(8)

    def sign_in(number: int) -> None:
        ready.wait()
        found.append(sign_ins.bind(ledger, AT, "S1", Account("https://login.example", f"{number}")))

    threads = [threading.Thread(target=sign_in, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(standing.name for standing in found) == ["OWN"] + ["STAFF_HAS_ANOTHER"] * 7
    assert len(rows_of(ledger_url, "SELECT seq FROM sign_ins")) == 1


@pytest.mark.parametrize(
    "statement", ["UPDATE sign_ins SET staff_id = 'S2'", "DELETE FROM sign_ins"]
)
def test_no_program_changes_a_binding(ledger: Ledger, ledger_url: str, statement: str) -> None:
    sign_ins.bind(ledger, AT, "S1", ANN)
    with (
        past_our_code(ledger_url) as connection,
        pytest.raises(sa.exc.DBAPIError, match="append-only"),
    ):
        connection.exec_driver_sql(statement)
    assert sign_ins.standing(ledger, "S1", ANN) is Standing.OWN
