"""The image holds what the program needs; its files run, and so do cron and systemd with them."""

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
from pathlib import Path

import pytest
from streamlit import config

from pipelines import settings
from tests.browser.servers import Server
from tests.deploy.deploy_files import (
    CRON,
    DATA,
    DEPLOY,
    ENVIRONMENT,
    HOME,
    ROOT,
    UNITS,
    said,
    section,
)
from tests.practice import Practice

MISSING = "systemd-analyze is not installed here (Debian: apt-get install systemd)"


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
        "requirements.lock",
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
