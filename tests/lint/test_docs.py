"""The documentation keeps its promises: commands, settings, paths, links, contents and widths.

`python -m tests.lint.test_docs` writes the list of links at the top of every page anew.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from pipelines import settings
from pipelines.cli import arguments, output
from pipelines.extracts import contract
from pipelines.worklist import columns

ROOT = Path(__file__).resolve().parents[2]
WIDTH = 100
MOST_WORDS = 1_200  # of the README
MANY_HEADINGS = 3  # a page with so many has a table of contents
# Made by whoever sets up the workbench, or by running it.
MADE_LATER = re.compile(
    r"data/(settings\.toml|ledger\.sqlite|(demo|rejected|warehouse|inbox|reports)(/.*)?)"
    r"|\.streamlit/secrets\.toml|\.cache/.*|\.venv.*"
)
FOLDERS = ("app_pages", "data", "docs", "notebooks", "pipelines", "rules", "tests", ".deploy")
TEXT = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)
CONTENTS = re.compile(r"(?:^ *- \[[^\n]*\]\(#[^)\n]*\)\n)+", re.MULTILINE)
# What each change may touch at most; docs/changes.md names the files.
RECIPES = {
    "An 18th task type": 5,
    "A filter on Tasks": 3,
    "A column of the list": 2,
    "An extract table": 9,
    'An action such as "claim"': 6,
    "A chart on Backlog": 4,
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def pages() -> list[Path]:
    """Every Markdown file that belongs to the project."""
    folders = [ROOT / name for name in FOLDERS]
    return sorted([*ROOT.glob("*.md"), *(path for f in folders for path in f.rglob("*.md"))])


PAGES = pages()
DOCS = [path for path in PAGES if path.parent in (ROOT, ROOT / "docs")]


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def page(name: str) -> str:
    return text_of(ROOT / name)


def without_fences(text: str) -> str:
    """The text with the lines of fenced code left empty, so that line numbers stay."""
    lines, is_fenced = [], False
    for line in text.splitlines():
        is_fence = line.lstrip().startswith("```")
        lines.append("" if is_fence or is_fenced else line)
        is_fenced ^= is_fence
    return "\n".join(lines) + "\n"


def headings(text: str) -> list[tuple[int, str]]:
    return [(len(marks), title) for marks, title in HEADING.findall(without_fences(text))]


def slug(title: str) -> str:
    """The anchor of a heading, as GitHub and most other renderers make it."""
    kept = re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", title).lower())
    return kept.replace(" ", "-")


def anchors(path: Path) -> set[str]:
    return {slug(title) for _, title in headings(text_of(path))}


def section(text: str, title: str) -> str:
    """A second-level section, without its heading."""
    _, found, rest = text.partition(f"\n## {title}\n")
    assert found, f"no section {title}"
    return re.split(r"^## ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def fenced_after(text: str, line: str) -> list[str]:
    return text.split(line, 1)[1].split("```", 2)[1].strip().splitlines()


def contents(text: str) -> str:
    """The table of contents that a page should have; empty where it needs none."""
    titles = [title for level, title in headings(text) if level == 2]
    if len(titles) < MANY_HEADINGS:
        return ""
    return "".join(f"- [{title}](#{slug(title)})\n" for title in titles)


# The README


def test_the_readme_is_short() -> None:
    assert len(page("README.md").split()) <= MOST_WORDS


COMMANDS = {  # its line, its lock file, its end
    "at http://localhost:8501:": ("requirements.lock", "streamlit run app.py"),
    "Run the tests:": ("tests/requirements.lock", "-m pytest"),
}


@pytest.mark.parametrize("line", COMMANDS)
def test_each_of_the_two_commands_is_one_line_that_sets_everything_up(line: str) -> None:
    lock, ends = COMMANDS[line]
    (command,) = fenced_after(page("README.md"), line)
    parts = command.split(" && ")
    assert parts[0].startswith('python3 -c "import sys; ')
    assert parts[1] == "python3 -m venv .venv"
    assert parts[2] == f".venv/bin/pip install -q -r {lock}"
    assert parts[-1].endswith(ends)


@pytest.mark.parametrize("line", COMMANDS)
@pytest.mark.parametrize("minor", range(10, 16))
def test_each_command_tests_which_python_it_has(
    line: str, minor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (command,) = fenced_after(page("README.md"), line)
    monkeypatch.setattr(sys, "version_info", (3, minor, 1, "final", 0))
    with pytest.raises(SystemExit) as ended:
        exec(command.split('"')[1])
    assert ("is needed" in str(ended.value.code)) == (minor not in (11, 12, 13, 14))


# The command line


def commands() -> dict[str, argparse.ArgumentParser]:
    actions = arguments.parser()._actions  # argparse has no public way to list commands
    (found,) = (a.choices for a in actions if isinstance(a, argparse._SubParsersAction))
    return dict(found)


@pytest.mark.parametrize("name", commands())
def test_every_command_and_option_is_documented(name: str) -> None:
    about = section(page("docs/commands.md"), name)
    assert f"python -m pipelines {name}" in about
    options = {option for a in commands()[name]._actions for option in a.option_strings}
    named = set(re.findall(r"--[a-z][a-z-]*", about))
    assert named - {"--seen"} <= options | {"--help"} | named_elsewhere(about)
    assert options - {"-h", "--help"} <= named
    for action in commands()[name]._actions:
        for choice in action.choices or ():
            assert re.search(rf"\b{re.escape(str(choice))}\b", about), f"{name}: {choice}"


def named_elsewhere(about: str) -> set[str]:
    """Options that a section names as another command's, such as `act --seen`."""
    return set(re.findall(r"`[a-z]+ (--[a-z-]+)`", about))


def test_the_keys_that_scripts_rely_on_are_documented_in_their_order() -> None:
    about = page("docs/commands.md")
    for name, keys in (("tasks", columns.JSON_KEYS), ("accesses", output.ACCESS_KEYS)):
        listed = section(about, name).split("in this order:")[1].split("\n\n")[0]
        assert tuple(key for key in TEXT.findall(listed) if key in keys) == tuple(keys)
    (query,) = (ROOT / "pipelines").rglob("history.sql")
    selected = query.read_text(encoding="utf-8").split("FROM")[0]
    keys = re.findall(r"(?:AS |^    \w\.)(\w+),$", selected, re.MULTILINE)
    listed = section(about, "history").split("in this order:")[1]
    assert len(keys) > 10
    assert TEXT.findall(listed)[: len(keys)] == keys


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (("rules", "list"), 0),
        (("act", "defer", "T1", "--staff", "S1"), 1),
        (("tasks", "--nonsense"), 2),
    ],
)
def test_the_exit_codes_are_those_of_the_page(
    line: tuple[str, ...], code: int, tmp_path: Path
) -> None:
    listed = re.findall(r"^\| (\d) \|", section(page("docs/commands.md"), "Exit codes"), re.M)
    assert listed == ["0", "1", "2", "3"]
    environment = {"WORKBENCH_DATA": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "pipelines", *line]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == code


# Settings


def test_every_variable_is_documented() -> None:
    names = set(re.findall(r"WORKBENCH_[A-Z]+", text_of(Path(settings.__file__)))) | {"EMR_LINK_*"}
    about = section(page("docs/operations.md"), "Environment variables")
    assert {name for name in names if f"| `{name}` |" not in about} == set()


def test_every_key_of_the_settings_file_is_documented() -> None:
    parts = {
        "practice": settings.PRACTICE_KEYS,
        "extracts": settings.EXTRACTS_KEYS,
        "app": settings.APP_KEYS,
        "access": settings.ACCESS_KEYS,
        "rules.RULE": ("enabled", "due_days", "payers"),
    }
    about = section(page("docs/operations.md"), "Settings file")
    keys = {f"{part}.{key}" for part, known in parts.items() for key in known}
    assert {key for key in keys if f"`{key}" not in about} == set()


# Extracts


@pytest.mark.parametrize("table", [*contract.TABLES, "manifest"])
def test_every_column_of_the_extracts_is_documented(table: str) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", section(page("docs/data.md"), table), re.M)
    assert [name for name, _ in rows] == [column.name for column in contract.columns(table)]


# Measurements and recipes


def test_every_table_of_figures_names_the_command_that_makes_it() -> None:
    text = page("docs/performance.md")
    titles = [title for level, title in headings(text) if level == 2]
    tables = 0
    for title in titles:
        about = section(text, title)
        before, *rest = re.split(r"^\|.*\n(?:\|.*\n)+", about, flags=re.MULTILINE)
        tables += len(rest)
        assert not rest or re.search(r"^Command: `python -m pipelines bench", before, re.M), title
        for command in re.findall(r"`python -m pipelines ([^`]+)`", about):
            arguments.parser().parse_args(command.split())
    assert tables >= 7


@pytest.mark.parametrize(("change", "most"), RECIPES.items())
def test_a_change_touches_no_more_files_than_it_may(change: str, most: int) -> None:
    steps = re.findall(r"^\d+\. (.+)$", section(page("docs/changes.md"), change), re.MULTILINE)
    assert 2 <= len(steps) <= most
    assert all(TEXT.match(step) for step in steps), "each step begins with its file"


# All pages


def expected_paths(text: str) -> Iterator[str]:
    """The paths a text names, with what stands for many as *."""
    for code in TEXT.findall(text):
        path = re.sub(r"<[^>]*>|(?<![A-Z])(?:NAME|DIR|RULE)(?![A-Z])", "*", code.rstrip("/"))
        is_path = "/" in path and " " not in path and path.split("/")[0] in FOLDERS
        if (is_path or code.startswith((".deploy/", ".streamlit/"))) and "$" not in path:
            yield path


@pytest.mark.parametrize("path", DOCS, ids=name_of)
def test_every_file_it_names_exists(path: Path) -> None:
    named = set(expected_paths(re.sub(r"<(\w+) (\w+)>", r"<\1_\2>", text_of(path))))
    named = {name for name in named if not MADE_LATER.fullmatch(name)}
    assert {name for name in named if not any(ROOT.glob(name))} == set()


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_link_leads_somewhere(path: Path) -> None:
    broken = []
    for target in (one or other for one, other in LINK.findall(without_fences(text_of(path)))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        there = (path.parent / file).resolve() if file else path
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=name_of)
def test_the_readme_links_every_page(path: Path) -> None:
    assert f"]({name_of(path)})" in page("README.md")


@pytest.mark.parametrize("path", DOCS, ids=name_of)
def test_it_begins_with_its_purpose_in_one_sentence(path: Path) -> None:
    title, purpose, *_ = text_of(path).split("\n\n")
    assert re.fullmatch(r"# .+", title)
    assert purpose.endswith(".") and not purpose.startswith(("#", "|", "-", "`"))
    if path.name != "README.md":
        assert len(re.findall(r"[.!?](?:\s|$)", purpose)) == 1, purpose


@pytest.mark.parametrize("path", [path for path in DOCS if path.name != "README.md"], ids=name_of)
def test_its_table_of_contents_is_fresh(path: Path) -> None:
    found = CONTENTS.search(text_of(path).split("\n## ")[0])
    assert (found.group() if found else "") == contents(text_of(path)), (
        "python -m tests.lint.test_docs writes it"
    )


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_its_lines_can_be_read(path: Path) -> None:
    """Table rows, fenced code and lines with an address that cannot be broken may be longer."""
    lines = enumerate(without_fences(text_of(path)).splitlines(), start=1)
    assert [
        f"{name_of(path)}:{number}"
        for number, line in lines
        if len(line) > WIDTH and not line.lstrip().startswith("|") and "://" not in line
    ] == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_it_says_facility(path: Path) -> None:
    text = text_of(path)
    for name in ('never "Clinic"', "test_own_clinics", "`Clinics`"):  # the last is a vendor's file
        text = text.replace(name, "")
    assert not re.search(r"\bclinics?\b", text, re.IGNORECASE)


def with_contents(text: str) -> str:
    """The page with its table of contents as it should be, after the sentence of its purpose."""
    head, separator, rest = text.partition("\n## ")
    head = CONTENTS.sub("", head).rstrip("\n")
    title, purpose, *others = head.split("\n\n")
    listed = contents(text).rstrip("\n")
    parts = [title, purpose, *([listed] if listed else []), *(part for part in others if part)]
    return "\n\n".join(parts) + "\n" + separator + rest


if __name__ == "__main__":
    for document in DOCS:
        if document.name != "README.md":
            document.write_text(with_contents(text_of(document)), encoding="utf-8")
