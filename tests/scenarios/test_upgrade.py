"""Upgrades: the first run takes over whole what older versions stored."""

import json
import sqlite3
import tarfile
from pathlib import Path

import duckdb
import pytest

from pipelines.ledger import schema
from pipelines.warehouse import snapshots
from tests.fixtures.upgrade.make import HERE, LOOKED, PATIENTS, VERSIONS, moment, practice_on


@pytest.fixture(params=VERSIONS)
def left(request, workbench) -> Path:
    """The folder that version left; its data folder is the workbench's."""
    folder = workbench.data.parent
    with tarfile.open(HERE / f"{request.param}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder


def actions_in(folder):
    with sqlite3.connect(folder / "data" / "ledger.sqlite") as connection:
        rows = connection.execute("SELECT * FROM actions ORDER BY seq").fetchall()
    connection.close()
    return rows


def at_looked(workbench, *command):
    code, out, err = workbench.command(
        *command, "--at", moment(LOOKED).isoformat(), "--format", "json"
    )
    assert code == 0, err
    return json.loads(out)


def test_the_stored_versions_are_older_ones(left):
    name = next(
        name
        for name in VERSIONS
        if (HERE / f"{name}.tar.xz").exists() and int(name.split("-")[1]) == format_of(left)
    )
    assert (format_of(left), version_of(left)) == tuple(
        int(number) for number in name.split("-")[1::2]
    )
    assert snapshots.OLDEST <= format_of(left) < snapshots.FORMAT


def format_of(folder):
    with duckdb.connect(snapshots.current(folder / "data" / "warehouse"), read_only=True) as con:
        return con.execute("SELECT format FROM snapshot").fetchone()[0]


def version_of(folder):
    with sqlite3.connect(folder / "data" / "ledger.sqlite") as connection:
        (version,) = connection.execute("SELECT MAX(number) FROM ledger_version").fetchone()
    connection.close()
    return version


def test_before_its_first_run_the_new_version_says_what_to_do_and_touches_no_action_or_snapshot(
    workbench, left
):
    acted, published = actions_in(left), snapshots_in(left)
    code, out, err = workbench.command("tasks")
    assert (code, out) == (2, "")
    assert "another format than this software writes" in err and "run the pipeline once more" in err
    assert (actions_in(left), snapshots_in(left)) == (acted, published)


def snapshots_in(folder):
    return {
        path: path.read_bytes() for path in (folder / "data" / "warehouse").iterdir() if path.suffix
    }


def test_the_first_run_takes_over_every_task_action_and_step(workbench, left):
    listed, history = (
        json.loads((left / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("listed", "history")
    )
    acted, first_format = actions_in(left), format_of(left)
    workbench.run(practice_on(3), 3)
    assert actions_in(left) == acted and len(acted) == 5
    assert version_of(left) == schema.NEWEST
    if first_format == 1:  # it recorded no earlier reasons, so an open task has that of now
        (draft,) = [task for task in listed if task["subject_id"] == "D-D"]
        draft["reason"] = workbench.one(3, "draft_documents", "D-D")["reason"]
    # What the older version said of that moment is what this one says of it, key for key.
    tasks = [
        {key: task[key] for key in listed[0]}
        for task in at_looked(workbench, "tasks", "--status", "all")
    ]
    assert tasks == listed and len(listed) == 7
    for patient in PATIENTS:
        said = [
            {key: step[key] for key in history[patient][0]}
            for step in at_looked(workbench, "history", "--patient", patient)
        ]
        assert said == history[patient] and said


def test_tasks_live_on_across_the_upgrade(workbench, left):
    workbench.run(practice_on(3), 3)
    states = workbench.states(3, "uncollected_payments")
    assert states == {
        ("V-A", 1): "cleared",  # by the new version, of the old one's task
        ("V-A2", 1): "pending",
        ("V-B", 1): "completed",  # nothing changed, so it does not come back
        ("V-C", 1): "deferred",
        ("V-D", 1): "pending",
        ("V-E", 1): "cleared",  # by the old version
        ("V-F", 1): "completed",  # after the old version's last run
    }
    (draft,) = [task for task in workbench.tasks(3) if task["subject_id"] == "D-D"]
    assert (draft["staff_id"], draft["status"]) == ("S1", "pending")
    assert workbench.act("complete", draft, 3.1, "--reason", "Seen elsewhere")[0] == 0
    workbench.run(practice_on(3), 4)
    assert workbench.one(4, draft["rule_id"], "D-D")["close_kind"] == "override"
    assert (
        workbench.states(9, "uncollected_payments")[("V-C", 1)] == "pending"
    )  # its deferral ran out
    with (
        sqlite3.connect(left / "data" / "ledger.sqlite") as connection,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        connection.execute("DELETE FROM actions")
    connection.close()


def test_older_software_says_of_newer_data_to_upgrade(workbench, practice):
    workbench.run(practice, 1)
    live = snapshots.current(workbench.data / "warehouse")
    with duckdb.connect(live) as con:
        con.execute("UPDATE snapshot SET format = format + 1")
    for command in (
        ("tasks",),
        ("run", "--extracts", practice.write(workbench.extracts / "more", None)),
    ):
        code, _, err = workbench.command(*command)
        assert code == 2 and "of a newer version of this software" in err and "upgrade it" in err
