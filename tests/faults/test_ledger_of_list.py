"""A ledger that is not the list's own is refused everywhere, with the way on."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines import settings as settings_module
from pipelines.errors import UserError
from pipelines.ledger.actions import NewAction
from pipelines.worklist.live import LiveWorklist
from tests.conftest import Workbench
from tests.practice import Practice

UNPAID = "uncollected_payments"


@pytest.fixture
def acted(workbench: Workbench, practice: Practice) -> Workbench:
    """Four tasks; an action folded by the second run, and one since."""
    for number in range(1, 5):
        practice.patient(f"P{number}").visit(
            f"V{number}", f"P{number}", "2026-10-30T09:00:00", amount_due="40.00"
        )
    workbench.run(practice, 1)
    for subject, day in (("V1", 1.5), ("V2", 2.5)):
        if day > 2:
            shutil.copy(ledger_of(workbench), workbench.folder / "older.sqlite")
            workbench.run(practice, 2)
        task = workbench.one(day, UNPAID, subject)
        code, said = workbench.act("complete", task, day, "--reason", "waived")
        assert code == 0, said
    return workbench


def ledger_of(workbench: Workbench) -> Path:
    return workbench.data / "ledger.sqlite"


def _without_log(file: Path) -> Path:
    """The file with its write-ahead log folded in, so that it can be copied alone."""
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return file


def delete(workbench: Workbench) -> None:
    for file in workbench.data.glob("ledger.sqlite*"):
        file.unlink()


def empty(workbench: Workbench) -> None:
    delete(workbench)
    ledger_of(workbench).touch()


def put_an_older_copy(workbench: Workbench) -> None:
    """As it was before anybody acted."""
    _without_log(ledger_of(workbench))
    with sqlite3.connect(ledger_of(workbench)) as connection:
        connection.execute("DROP TRIGGER actions_no_delete")
        connection.execute("DELETE FROM actions")
    connection.close()


def put_another(workbench: Workbench) -> None:
    """That of a practice with a list and actions of its own."""
    other = workbench.folder / "other"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_DATA", str(other))
        for day in (1, 2):
            folder = workbench.extracts / f"00{day}"
            as_of = workbench.day(day).isoformat()
            assert workbench.command("run", "--extracts", folder, "--as-of", as_of)[0] == 0
        for subject in ("V1", "V2", "V3"):
            workbench.act("note", workbench.one(2, UNPAID, subject), 2.2, "--reason", "called")
    _without_log(other / "ledger.sqlite")
    delete(workbench)
    shutil.copy(other / "ledger.sqlite", ledger_of(workbench))


LOSSES = (delete, empty, put_an_older_copy, put_another)


@pytest.mark.parametrize("lose", LOSSES)
def test_every_command_refuses_it_and_says_how_to_go_on(
    acted: Workbench,
    practice: Practice,
    lose: Callable[[Workbench], None],
    seen: Callable[..., None],
) -> None:
    task = acted.one(2.6, UNPAID, "V3")
    lose(acted)
    folder, as_of = practice.write(acted.extracts / "next", acted.day(3)), acted.day(3).isoformat()
    for line in (
        ("run", "--extracts", folder, "--as-of", as_of),
        ("tasks", "--at", as_of),
        ("history", "--patient", "P1", "--at", as_of),
        ("act", "complete", task["task_id"], "--staff", "S1", "--at", as_of, "--reason", "x"),
        ("run", "--undo"),
    ):
        code, _, err = acted.command(*line)
        assert code == 2 and "ledger" in err and "ledger adopt" in err, (line, err)
        done = lose.__name__.replace("_", " ")
        seen("a ledger that is not the list's", f"{done}; {line[0]}", err, code, "nothing changed")
    code, out, _ = acted.command("health", "--format", "json", "--max-age", "9999999")
    says = {check["check"]: check for check in json.loads(out)["checks"]}
    assert code == 2 and says["ledger"]["status"] == "failing"
    assert "ledger adopt" in says["ledger"]["says"]


@pytest.mark.parametrize("lose", LOSSES)
def test_an_adopted_one_takes_actions_that_runs_read(
    acted: Workbench, practice: Practice, lose: Callable[[Workbench], None]
) -> None:
    lose(acted)
    code, out, err = acted.command("ledger", "adopt", "--staff", "S1", "--reason", "disk died")
    assert code == 0 and "is now the one of the list" in out, err
    assert acted.states(2.8, UNPAID)["V1", 1] == "completed"  # the list holds it
    assert acted.act("complete", acted.one(2.8, UNPAID, "V3"), 2.9, "--reason", "x")[0] == 0
    acted.run(practice, 3)
    acted.run(practice, 4)
    states = acted.states(4, UNPAID)
    assert states["V1", 1] == "completed" and states["V3", 1] == "completed"
    assert states["V2", 1] == "pending"  # its action was in the ledger that is lost
    assert acted.command("ledger", "adopt")[1].rstrip().endswith("nothing was changed")


def test_actions_of_an_adopted_ledger_that_no_run_would_read_are_brought_over(
    acted: Workbench, practice: Practice
) -> None:
    put_another(acted)
    code, out, _ = acted.command("ledger", "adopt")
    assert code == 0 and "1 actions that the list did not hold" in out
    acted.run(practice, 3)
    for subject, patient in (("V1", "P1"), ("V2", "P2"), ("V3", "P3")):
        notes = [e for e in acted.history(patient, 3) if e["event"] == "noted"]
        assert len(notes) == 1 and notes[0]["reason"] == "called", subject


class TestLostLists:
    def test_a_missing_pointer_is_damage(self, acted: Workbench, practice: Practice) -> None:
        (acted.data / "warehouse" / "CURRENT").unlink()
        folder = practice.write(acted.extracts / "next", acted.day(3))
        for line in (("run", "--extracts", folder), ("tasks",), ("health",)):
            code, out, err = acted.command(*line)
            assert code == 2 and "CURRENT is missing" in out + err, line

    def test_lists_that_are_gone_are_not_begun_anew_in_silence(
        self, acted: Workbench, practice: Practice
    ) -> None:
        shutil.rmtree(acted.data / "warehouse")
        folder = practice.write(acted.extracts / "next", acted.day(3))
        line = ("run", "--extracts", folder, "--as-of", acted.day(3).isoformat())
        code, _, err = acted.command(*line)
        assert code == 2 and "has 2 actions, but" in err and "ledger adopt" in err
        assert acted.command("ledger", "adopt")[0] == 0
        assert acted.command(*line)[0] == 0
        assert acted.states(3, UNPAID) == {
            ("V1", 1): "completed",
            ("V2", 1): "completed",
            ("V3", 1): "pending",
            ("V4", 1): "pending",
        }
        events = [
            event["event"]
            for event in acted.history("P1", 3)
            if event["title"] == "Uncollected Payments"
        ]
        assert events == ["opened", "completed"]


class TestAServerThatHasItOpen:
    @pytest.fixture
    def server(self, acted: Workbench) -> LiveWorklist:
        """It has shown the list, so it has the ledger open."""
        shared = LiveWorklist(settings_module.load())
        shared.at(acted.day(2.7)).con.close()
        return shared

    def record(self, acted: Workbench, server: LiveWorklist) -> None:
        new = NewAction("T1", "note", "S1", acted.day(2.8), reason="called")
        server.ledger.record(new, 0)

    @pytest.mark.parametrize("lose", LOSSES)
    def test_it_acknowledges_nothing(
        self, acted: Workbench, server: LiveWorklist, lose: Callable[[Workbench], None]
    ) -> None:
        lose(acted)
        with pytest.raises(UserError, match="ledger"):
            self.record(acted, server)
        with pytest.raises(UserError, match="ledger"):
            server.at(acted.day(2.8))

    def test_the_same_ledger_put_back_goes_on(self, acted: Workbench, server: LiveWorklist) -> None:
        kept = acted.folder / "kept.sqlite"
        _without_log(ledger_of(acted)).rename(kept)
        with pytest.raises(UserError, match="was taken away"):
            self.record(acted, server)
        shutil.copy(kept, ledger_of(acted))
        self.record(acted, server)
        with server.at(acted.day(2.9)) as worklist:
            assert worklist.state.seq == 3

    def test_a_file_that_is_replaced_while_an_action_is_written_is_noticed(
        self, acted: Workbench, server: LiveWorklist
    ) -> None:
        copy = shutil.copy(_without_log(ledger_of(acted)), acted.folder / "copy.sqlite")
        with pytest.raises(UserError, match="was replaced"), server.ledger.writing():
            shutil.move(copy, ledger_of(acted))
