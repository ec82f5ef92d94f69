"""Every path, command, option, port and variable in .deploy/ exists, and the image's files run."""

from __future__ import annotations

import ast
import fcntl
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from streamlit import config

from pipelines import settings
from pipelines.cli import arguments
from tests.browser.servers import Server
from tests.practice import Practice

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / ".deploy"
HOME, DATA, ENVIRONMENT = "/opt/workbench", "/var/lib/workbench", "/etc/workbench.env"
UNITS = {
    path.name: path.read_text(encoding="utf-8") for path in sorted((DEPLOY / "systemd").iterdir())
}
SERVICES = [name for name in UNITS if name.endswith(".service")]
CONTAINERFILE = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
CRON = (DEPLOY / "workbench.cron").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
ON_A_SERVER = OPERATIONS.split("\n## On a server\n", 1)[1].split("\n## ", 1)[0]
TEXTS = {
    **UNITS,
    "Containerfile": CONTAINERFILE,
    "workbench.cron": CRON,
    "operations.md": ON_A_SERVER,
}
MISSING = "systemd-analyze is not installed here (Debian: apt-get install systemd)"


def section(unit: str, name: str) -> list[tuple[str, str]]:
    """The settings of a section, in order: some stand twice, which adds to them."""
    text = UNITS[unit].split(f"\n[{name}]\n", 1)[1].split("\n[", 1)[0]
    return [
        tuple(line.split("=", 1)) for line in text.splitlines() if line and not line.startswith("#")
    ]


def instructions() -> list[tuple[str, str]]:
    """Each instruction of the Containerfile and what follows it."""
    joined = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", CONTAINERFILE, flags=re.MULTILINE))
    return [tuple(line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def said(instruction: str) -> list[str]:
    return [rest for name, rest in instructions() if name == instruction]


def image_variables() -> dict[str, str]:
    return dict(pair.split("=", 1) for rest in said("ENV") for pair in shlex.split(rest))


def copied() -> list[str]:
    """The paths the Containerfile copies from the checkout into the image's folder."""
    found = []
    for rest in said("COPY"):
        source, target = rest.split()
        assert target.rstrip("/") in (source, str(Path(source).parent)), rest
        found.append(source)
    return found


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


def test_the_image_holds_all_that_the_program_imports_or_reads_and_nothing_of_a_practice() -> None:
    modules = {
        path.stem if path.suffix == ".py" else path.name
        for path in ROOT.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    imported, waiting = set(), {"app"}
    while waiting:
        imported |= waiting
        files = [
            file
            for name in waiting
            for file in (
                (ROOT / name).rglob("*.py") if (ROOT / name).is_dir() else [ROOT / f"{name}.py"]
            )
        ]
        waiting = {name for file in files for name in imports_of(file)} & modules - imported
    assert imported == {"app", "app_pages", "pipelines"}
    named = {
        name
        for name in ("notebooks", "rules")
        if any(
            f'"{name}"' in file.read_text(encoding="utf-8")
            for file in ROOT.glob("pipelines/**/*.py")
        )
    }
    needed = {
        "requirements.txt",
        ".streamlit/config.toml",
        *named,
        *(name if (ROOT / name).is_dir() else f"{name}.py" for name in imported),
    }
    assert sorted(copied()) == sorted(needed)
    unseen = (DEPLOY / "Containerfile.dockerignore").read_text(encoding="utf-8").splitlines()[1:]
    git_ignores = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {line.strip("/") for line in git_ignores if re.fullmatch(r"/?[.\w/]+", line)} - {
        "__pycache__"
    } <= set(unseen)
    assert {"data", "tests", ".git", "**/__pycache__"} <= set(unseen)
    assert set(unseen).isdisjoint(copied())


def imports_of(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the image's files, and this test's Python in place of the image's."""
    folder = tmp_path_factory.mktemp("image") / "workbench"
    for name in copied():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    (folder / ".venv" / "bin").mkdir(parents=True)
    python = folder / ".venv" / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n', encoding="utf-8")
    (folder / ".venv" / "bin" / "streamlit").write_text(
        f'#!/bin/sh\nexec {sys.executable} -m streamlit "$@"\n', encoding="utf-8"
    )
    for program in python.parent.iterdir():
        program.chmod(0o755)
    return folder


def test_the_image_answers_its_own_health_check_and_lets_nobody_in_before_sign_in_is_set_up(
    image: Path, tmp_path: Path
) -> None:
    (check,) = (json.loads(rest.split("CMD", 1)[1]) for rest in said("HEALTHCHECK"))
    places = {
        name: value for name, value in image_variables().items() if name.startswith("STREAMLIT_")
    }
    server = Server(tmp_path, tmp_path / "data", image).start(**places)
    try:
        healthy, ill = (health(check, port) for port in (server.netloc.split(":")[1], "9"))
        with pytest.raises(urllib.error.HTTPError) as answer:
            urllib.request.urlopen(server.url)
        page = answer.value.read().decode()
    finally:
        server.stop()
    assert (
        server.logged().split()
        == f"You can now view your Streamlit app in your browser. URL: {server.url}".split()
    )  # it asked nobody what its address is
    assert (healthy, ill, answer.value.code) == (0, 1, 403)
    assert "0.0.0.0" in page


def health(check: list[str], port: str) -> int:
    """The exit code of the image's health check, asked of another port."""
    program, *options, script = check
    assert program == "python"
    script = script.replace(f":{config.get_option('server.port')}/", f":{port}/")
    return subprocess.run(
        [sys.executable, *options, script], capture_output=True, check=False
    ).returncode


def cron(
    image: Path, tmp_path: Path, line: int = -1, extracts: Path = settings.SAMPLE
) -> subprocess.CompletedProcess[str]:
    """The command of a line as cron's shell runs it, with the practice in the test's folder."""
    user, command = CRON.splitlines()[line].split(maxsplit=6)[5:]
    assert user == dict(section("workbench-run.service", "Service"))["User"]
    variables = (
        (DEPLOY / "workbench.env").read_text(encoding="utf-8").replace(DATA, str(tmp_path / "data"))
    )
    (tmp_path / "workbench.env").write_text(
        variables.replace("/srv/extracts", str(extracts)), encoding="utf-8"
    )
    command = command.replace(ENVIRONMENT, str(tmp_path / "workbench.env")).replace(
        HOME, str(image)
    )
    return subprocess.run(
        ["/bin/sh", "-c", command],
        env={"HOME": "/", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_cron_mails_nothing_of_a_run_that_published_and_the_reason_of_one_that_did_not(
    image: Path, tmp_path: Path
) -> None:
    done = cron(image, tmp_path)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert (tmp_path / "data" / "warehouse" / "CURRENT").is_file()
    with open(tmp_path / "data" / "warehouse" / ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        mailed = cron(image, tmp_path).stdout
    found = re.search(r'says "(another run [^"]+)"', CRON)
    assert found is not None
    assert mailed.endswith(f"{found.group(1)}\n")


def test_cron_mails_what_health_says_when_not_all_is_well(
    image: Path, tmp_path: Path, practice: Practice
) -> None:
    extracts = practice.write(tmp_path / "extracts", None)
    assert cron(image, tmp_path, -2, extracts).stdout.startswith("failing\n")
    assert cron(image, tmp_path, -1, extracts).stdout == ""
    assert cron(image, tmp_path, -2, extracts).stdout == ""


@pytest.fixture
def installed(image: Path, tmp_path: Path) -> list[str]:
    """The units with their program in the test's folder, since systemd checks that it exists."""
    if shutil.which("systemd-analyze") is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)(MISSING)
    for name, text in UNITS.items():
        (tmp_path / name).write_text(text.replace(HOME, str(image)), encoding="utf-8")
    return [str(tmp_path / name) for name in UNITS]


def test_systemd_understands_every_unit(installed: list[str]) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *installed],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (
        done.returncode,
        [line for line in done.stderr.splitlines() if "workbench" in line],
    ) == (0, [])


def test_systemd_finds_every_service_well_shut_in(installed: list[str]) -> None:
    services = [name for name in installed if name.endswith(".service")]
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", *services],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, [line for line in done.stdout.splitlines() if "Overall" in line]
