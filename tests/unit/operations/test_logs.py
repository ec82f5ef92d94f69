"""The log of the command line, as text or JSON, without a traceback or a patient's value."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.lifecycle import decide as run_module
from pipelines.settings import ROOT
from tests.conftest import Workbench
from tests.practice import Practice


@pytest.fixture
def in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_LOG", "json")


def run(workbench: Workbench, practice: Practice, day: int = 1) -> tuple[int, str]:
    """Exit code and log of a run."""
    folder = practice.write(workbench.extracts / "1", workbench.day(day), without=("faxes",))
    code, _, err = workbench.command(
        "run", "--extracts", folder, "--as-of", workbench.day(day).isoformat()
    )
    return code, err


def test_a_run_logs_its_stages_as_text(workbench: Workbench, practice: Practice) -> None:
    code, err = run(workbench, practice)
    assert code == 0
    assert err.startswith("… reading and staging\n… asking the rules\n")
    assert "warning: published 000001-20261102T110000Z: " in err
    assert "not accepted: faxes" in err


@pytest.mark.usefixtures("in_json")
def test_a_run_logs_its_events_as_json(workbench: Workbench, practice: Practice) -> None:
    code, err = run(workbench, practice)
    lines = [json.loads(line) for line in err.splitlines()]
    assert code == 0
    assert [line["message"] for line in lines if line["event"] == "run.stage"][
        0
    ] == "reading and staging"
    assert {line["logger"] for line in lines} == {"workbench"}
    assert all(dt.datetime.fromisoformat(line["at"]).tzinfo for line in lines)
    (published,) = [line for line in lines if line["event"] == "run.published"]
    assert published["level"] == "WARNING"
    assert published["run_id"] == "000001-20261102T110000Z"
    assert published["not_accepted"] == ["faxes"]
    assert published["withheld"] == ["failed_fax", "faxing_required", "pending_signature"]
    assert published["rows_refused"] == 0 and published["rows_read"] > 0


@pytest.mark.usefixtures("in_json")
def test_an_error_is_logged_with_its_exit_code(workbench: Workbench) -> None:
    code, out, err = workbench.command("run", "--extracts", workbench.extracts / "nowhere")
    (line,) = map(json.loads, err.splitlines())
    assert (code, out) == (2, "")
    assert (line["level"], line["event"], line["exit_code"]) == ("ERROR", "failed", 2)
    assert line["message"].endswith("nowhere: no such folder")


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_fault_of_the_program_has_a_code_of_its_own_and_no_values(
    workbench: Workbench, practice: Practice, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("Zebulon Quartermaine")

    monkeypatch.setattr(run_module, "apply_due_actions", broken)
    monkeypatch.setenv("WORKBENCH_LOG", form)
    code, err = run(workbench, practice)
    assert code == 3
    assert "Zebulon" not in err
    assert "Traceback" not in err
    assert "builtins.KeyError" in err
    assert "pipelines/runs/run.py:" in err


@pytest.mark.usefixtures("in_json")
@pytest.mark.parametrize(
    "arguments", [["runn"], ["run", "--as-of", "yesterday"], ["tasks", "--no-such"]]
)
def test_an_unknown_command_is_logged_like_any_other_error(
    workbench: Workbench, arguments: list[str]
) -> None:
    code, out, err = workbench.command(*arguments)
    assert (code, out) == (2, "")
    (line,) = map(json.loads, err.splitlines())
    assert (line["event"], line["exit_code"]) == ("failed", 2)


def script(text: str) -> subprocess.CompletedProcess[str]:
    """A shell's line, with the log in JSON."""
    environment = {
        **os.environ,
        "WORKBENCH_LOG": "json",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    return subprocess.run(
        ["/bin/sh", "-c", text],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_closed_pipe_is_no_fault_and_a_full_disk_is_one_line(
    workbench: Workbench, practice: Practice
) -> None:
    run(workbench, practice)
    done = script("{ sleep 0.1; python -m pipelines tasks; echo $? >&2; } | true")
    assert done.stderr == "0\n"
    done = script("python -m pipelines tasks > /dev/full")
    assert done.returncode == 2
    assert [json.loads(line)["message"] for line in done.stderr.splitlines()] == [
        "output or file: No space left on device"
    ]


def test_a_librarys_warning_is_logged_without_its_message() -> None:
    text = (
        "from pipelines.operations import logs; import warnings; logs.begin('json'); "
        "logs.catch_all(); warnings.warn('Zebulon Quartermaine')"
    )
    line = json.loads(script(f'python -c "{text}"').stderr)
    assert (line["level"], line["event"], line["message"]) == (
        "WARNING",
        "warned",
        "UserWarning in <string>:1",
    )


def test_another_form_is_refused(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBENCH_LOG", "xml")
    assert workbench.command("tasks") == (
        2,
        "",
        "error: WORKBENCH_LOG is 'xml'; it can be text or json\n",
    )
