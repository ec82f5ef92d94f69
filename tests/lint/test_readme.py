"""The README keeps its promises: every command, option and setting is there, and the two commands are one line each."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from pipelines import settings
from pipelines.cli import arguments

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def fenced_after(line: str) -> list[str]:
    return README.split(line, 1)[1].split("```", 2)[1].strip().splitlines()


def test_each_of_the_two_commands_is_one_line_that_sets_everything_up() -> None:
    for line, ends in (
        ("at http://localhost:8501:", "streamlit run app.py"),
        ("Run the tests:", "-m pytest"),
    ):
        (command,) = fenced_after(line)
        assert command.startswith("python3.11 -m venv .venv && ")
        assert command.endswith(ends)


def test_every_command_and_option_is_named() -> None:
    parser = arguments.parser()
    (commands,) = (
        action.choices
        for action in parser._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    for name, command in commands.items():
        (line,) = re.findall(rf"^python -m pipelines {name}\b.*$", README, re.MULTILINE)
        for action in command._actions:
            for option in action.option_strings:
                assert option in (*("-h", "--help"), *re.findall(r"--[a-z-]+", line)), (
                    f"{name} {option}"
                )


def test_every_setting_is_named() -> None:
    source = Path(settings.__file__).read_text(encoding="utf-8")
    names = set(re.findall(r"WORKBENCH_[A-Z]+", source)) | {"EMR_LINK_*"}
    assert {name for name in names if f"`{name}`" not in README} == set()


def test_every_file_the_readme_points_at_exists() -> None:
    for path in re.findall(
        r"[`(]((?:pipelines|rules|tests|data|app_pages|\.streamlit)/[\w./]+)[`)]", README
    ):
        if path not in (
            "data/settings.toml",
            "data/ledger.sqlite",
            "data/demo",
            ".streamlit/secrets.toml",
        ):  # made by whoever sets it up
            assert (ROOT / path).exists(), path
