"""Every path, command, option, port and variable in .deploy/ exists and is the same everywhere."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from streamlit import config

from pipelines import settings
from pipelines.cli import arguments
from tests.deploy.deploy_files import (
    CONTAINERFILE,
    CRON,
    DATA,
    DEPLOY,
    ENVIRONMENT,
    HOME,
    ON_A_SERVER,
    OPERATIONS,
    README,
    ROOT,
    SERVICES,
    TEXTS,
    UNITS,
    said,
    section,
)


def pipelines_calls(text: str) -> Iterator[list[str]]:
    """The arguments of each `python -m pipelines …` in a text."""
    for line in re.sub(r"\\\n#?", " ", text).splitlines():
        for call in re.findall(r"-m pipelines ((?:[^\s`'\")|>&;]+ ?|\d>&\d)+)", line):
            yield [part for part in shlex.split(call) if not re.fullmatch(r"\d", part)]


@pytest.mark.parametrize("name", TEXTS)
def test_every_command_and_its_options_are_ones_the_program_knows(name: str) -> None:
    calls = list(pipelines_calls(TEXTS[name]))
    assert calls or name in ("workbench.service", "workbench-run.timer")
    assert len(calls) == len(re.findall("-m pipelines [a-z]", TEXTS[name]))
    for call in calls:
        arguments.parser().parse_args(call)  # ends the test with what is wrong


def test_each_service_starts_what_its_name_says() -> None:
    started = {name: dict(section(name, "Service"))["ExecStart"] for name in SERVICES}
    assert started == {
        "workbench-run.service": f"{HOME}/.venv/bin/python -m pipelines run",
        "workbench-watch.service": f"{HOME}/.venv/bin/python -m pipelines watch",
        "workbench.service": f"{HOME}/.venv/bin/{README.split('&& .venv/bin/')[2].splitlines()[0]}",
    }
    assert json.loads(said("CMD")[0]) == started["workbench.service"].split("/")[-1].split()
    assert (ROOT / "app.py").is_file()
    assert "streamlit" in {script.name for script in entry_points(group="console_scripts")}


def test_the_timer_starts_the_run_and_makes_up_for_a_night_that_was_missed() -> None:
    timer = dict(section("workbench-run.timer", "Timer"))
    assert timer["Persistent"] == "true"
    assert "Unit" not in timer  # so it is the service of the same name
    assert "workbench-run.service" in UNITS
    minute, hour, *others = CRON.splitlines()[-1].split()[:5]
    assert others == ["*", "*", "*"]
    assert timer["OnCalendar"] == f"*-*-* {int(hour):02}:{int(minute):02}"


def test_all_services_are_shut_in_alike() -> None:
    own = {
        "Type",
        "ExecStart",
        "Restart",
        "RestartSec",
        "KillMode",
        "TimeoutStartSec",
        "TimeoutStopSec",
    }
    shut_in = [
        [line for line in section(name, "Service") if line[0] not in own] for name in SERVICES
    ]
    assert len(shut_in) > 1
    assert all(each == shut_in[0] for each in shut_in)
    expected = {
        "User": "workbench",
        "StateDirectory": Path(DATA).name,
        "UMask": "0077",
        "WorkingDirectory": HOME,
        "EnvironmentFile": ENVIRONMENT,
    }
    expected |= {
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "PrivateTmp": "yes",
        "NoNewPrivileges": "yes",
        "CapabilityBoundingSet": "",
    }
    assert expected.items() <= dict(shut_in[0]).items()


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_repeats_what_another_try_cannot_mend(name: str) -> None:
    """`run` exits with 2 when there is nothing to publish; services restart after any failure."""
    service = dict(section(name, "Service"))
    assert service["Restart"] == ("on-abnormal" if service["Type"] == "oneshot" else "on-failure")


def test_stopping_the_watch_lets_its_run_be_finished() -> None:
    """systemd would otherwise end the run's process together with the one that waits for it."""
    assert dict(section("workbench-watch.service", "Service"))["KillMode"] == "mixed"


@pytest.mark.parametrize("name", TEXTS)
def test_every_path_is_the_same_everywhere_and_there(name: str) -> None:
    text = TEXTS[name]
    for path in re.findall(rf"{HOME}/([\w./-]*\w)", text):
        assert (
            path.startswith(".venv/bin")
            or path == ".streamlit/secrets.toml"
            or (ROOT / path).exists()
        ), path
    for path in re.findall(r"\.deploy/[\w./*-]*[\w*]", text):
        assert list(ROOT.glob(path)), path
    assert set(re.findall(r"/[\w/.-]+\.env\b", text.replace(".deploy/workbench.env", ""))) <= {
        ENVIRONMENT
    }
    assert set(re.findall(r"/var/lib/(?!apt/)[\w/]+", text)) <= {DATA}


@pytest.mark.parametrize("name", [*TEXTS, "workbench.env"])
def test_every_variable_is_one_the_program_reads(name: str) -> None:
    text = TEXTS.get(name) or (DEPLOY / name).read_text(encoding="utf-8")
    known = set(
        re.findall(r"WORKBENCH_[A-Z]+", Path(settings.__file__).read_text(encoding="utf-8"))
    )
    known |= {option.env_var for option in config.get_config_options().values()}
    known |= set(re.findall(r"EMR_LINK_[A-Z]+", OPERATIONS))
    assert set(re.findall(r"\b(?:WORKBENCH|STREAMLIT|EMR_LINK)_[A-Z_]+", text)) <= known
    assert "WORKBENCH_DATA" in text or name in (
        "operations.md",
        "workbench.cron",
        "workbench-run.timer",
    )


def test_a_shell_and_systemd_read_the_same_settings() -> None:
    file = DEPLOY / "workbench.env"
    lines = (
        file.read_text(encoding="utf-8")
        .replace("# WORKBENCH_", "WORKBENCH_")
        .replace("# EMR_", "EMR_")
        .splitlines()
    )
    values = dict(
        re.fullmatch(r"([A-Z_]+)='([^'\\]*)'", line).groups()
        for line in lines
        if not line.startswith("#")
    )
    shell = subprocess.run(
        ["sh", "-c", "set -a; . /dev/stdin; env -0"],
        input="\n".join(lines),
        env={},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (
        values.items()
        <= dict(pair.split("=", 1) for pair in shell.stdout.split("\0") if pair).items()
    )
    read = settings.load(values)
    assert (str(read.data), read.ledger_url.split("://")[0], list(read.emr_links)) == (
        DATA,
        "postgresql+psycopg",
        ["EMR_LINK_PAYMENTS"],
    )


def test_python_and_port_are_the_readmes() -> None:
    check = "(3, 11) <= sys.version_info[:2] <= (3, 14)"
    assert check in README and check in ON_A_SERVER
    assert "Python 3.11 to 3.14" in CONTAINERFILE
    assert re.findall(r"python3\.\d+", CONTAINERFILE + ON_A_SERVER) == []
    port = config.get_option("server.port")
    assert f"http://localhost:{port}" in README
    assert said("EXPOSE") == [str(port)]
    assert set(re.findall(r"127\.0\.0\.1:(\d+)", CONTAINERFILE)) == {str(port)}
