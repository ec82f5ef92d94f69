"""Tables without a file: missing, or absent because the practice never delivers them."""

from __future__ import annotations

import pytest

from pipelines.extracts import contract
from pipelines.vocabulary import ALWAYS_NEEDED, MAY_BE_ABSENT
from tests.practice import Practice
from tests.unit.extracts.conftest import Read


def test_every_table_is_always_needed_or_may_be_absent() -> None:
    assert sorted((*ALWAYS_NEEDED, *MAY_BE_ABSENT)) == sorted(contract.TABLES)


def test_a_table_without_a_file_is_missing(read_back: Read, practice: Practice) -> None:
    _, outcomes = read_back(practice, without=("faxes",))
    faxes = outcomes["faxes"]
    assert (faxes.status, faxes.is_absent, faxes.was_never_delivered) == ("missing", False, True)
    assert faxes.reason == ("faxes: no file of this table in the folder")


@pytest.mark.parametrize("table", ALWAYS_NEEDED)
def test_a_table_that_cannot_be_absent_names_no_setting(
    read_back: Read, practice: Practice, table: str
) -> None:
    _, outcomes = read_back(practice, without=(table,))
    assert outcomes[table].reason == f"{table}: no file of this table in the folder"


def test_a_table_said_to_be_absent_is_absent(read_back: Read, practice: Practice) -> None:
    _, outcomes = read_back(practice, without=("faxes", "claims"), absent={"faxes"})
    faxes, claims = outcomes["faxes"], outcomes["claims"]
    assert (faxes.status, faxes.warnings) == ("absent", ())
    assert faxes.reason == "faxes: not connected, as practice.absent in the settings says"
    assert (claims.status, outcomes["surveys"].status) == ("missing", "accepted")


def test_a_table_said_to_be_absent_is_read_when_it_comes(
    read_back: Read, practice: Practice
) -> None:
    practice.patient("A").document("D1", "A").add("faxes", "X1", document_id="D1")
    _, outcomes = read_back(practice, absent={"faxes"})
    faxes = outcomes["faxes"]
    assert (faxes.status, faxes.rows_staged) == ("accepted", 1)
    assert faxes.warnings == (
        "faxes.csv: practice.absent in the settings is out of date: it names faxes, which was "
        "delivered and is read",
    )
    assert outcomes["surveys"].warnings == ()
