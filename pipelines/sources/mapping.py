"""Read a mapping file (source.toml): which file and column of an export becomes which of ours.

The practice's own file lies in WORKBENCH_DATA/sources/NAME/ and may build on a shipped preset, a
folder of pipelines/sources/. docs/sources.md describes every key.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import available_timezones

from pipelines.errors import UserError
from pipelines.extracts import contract
from pipelines.sources import specs
from pipelines.sources.specs import ColumnSpec, Spec

PRESETS = Path(__file__).parent
FILE = "source.toml"
HORIZON = "horizon"  # horizon.sql gives the last day that each table's files cover
NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
MODES = ("full", "changes", "window", "events")
CASES = ("one a patient",)
ORDERS = {"M/D/YYYY": "month first", "D/M/YYYY": "day first"}
KEYS = (
    "title",
    "preset",
    "with",
    "adds",
    "time_zone",
    "dates",
    "absent",
    "every_hours",
    "cases",
    "confirmed",
    "days",
    "unconfirmed",
    "files",
    "tables",
)
FILE_KEYS = ("mode", "key", "date", "flag", "delete", "back", "ahead")
OF_MODE = {  # keys of a file that another mode would ignore
    "key": ("changes", "window", "events"),
    "flag": ("changes",),
    "delete": ("changes",),
    "date": ("window",),
    "back": ("window",),
    "ahead": ("window",),
}
SECTIONS = {"files": 2, "tables": 2, "confirmed": 1}  # how deep a practice's keys join a preset's
TABLE_KEYS = ("from", "one_per", "only", "without", "columns", "assumed", "optional")


@dataclass(frozen=True)
class FileRule:
    """How the rows of a file are delivered.

    full: all of them every time. changes: new ones, changed ones, and those to `delete` by the
    value of the column `flag`, by `key`. window: those whose `date` lies from `back` days before
    the delivery's day to `ahead` days after it; None: from its first day to its last. events:
    what happened, by `key`; it is added to what is known, and a delivery without any is no loss.
    """

    pattern: str
    mode: str = "full"
    key: tuple[str, ...] = ()
    date: str | None = None
    flag: str | None = None
    delete: tuple[str, ...] = ()
    back: float | None = None
    ahead: float | None = None


@dataclass(frozen=True)
class OnePer:
    """Of several rows with the same `key`, the one with the latest value stays."""

    key: tuple[str, ...]
    latest: str


@dataclass(frozen=True)
class TableRule:
    """Where a table of the contract comes from; `source` is None where it is made up from others.

    Of several names in `source`, with | between them, the first that is there counts.
    `only` and `without` keep or leave out rows by the texts of a column.
    """

    table: str
    source: str | None
    columns: Mapping[str, ColumnSpec]
    one_per: OnePer | None = None
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    without: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    assumed: tuple[str, ...] = ()
    is_optional: bool = False


@dataclass(frozen=True)
class SourceMapping:
    """A source: its files, its tables, and the folders whose SQL files make tables, own ones first.

    `confirmed` has the columns of each file that a person has seen, `days` the strptime formats of
    its days then; `is_unconfirmed` marks a proposal that nobody has read yet, which is never
    imported.
    """

    name: str
    path: Path
    title: str = ""
    preset: str | None = None
    time_zone: str | None = None
    dates: str | None = None
    absent: tuple[str, ...] = ()
    every_hours: float | None = None
    one_case_a_patient: bool = False
    is_unconfirmed: bool = False
    confirmed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    files: tuple[FileRule, ...] = ()
    tables: Mapping[str, tuple[TableRule, ...]] = field(default_factory=dict)
    folders: tuple[Path, ...] = ()
    supplements: tuple[SourceMapping, ...] = ()
    adds: tuple[str, ...] = ()
    days: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    @property
    def is_supplement(self) -> bool:
        """Whether it only adds to other sources, by `with`."""
        return bool(self.adds)

    def sql_files(self) -> dict[str, Path]:
        """The SQL file of each table that a SELECT makes; own ones replace the preset's."""
        return _stems(self.folders, "*.sql")

    def steps(self) -> dict[str, Path]:
        """The SQL files of what several tables share, in the order of their names."""
        return _stems([folder / "steps" for folder in self.folders], "*.sql")

    def provided(self) -> list[str]:
        """The tables it gives, parents first; not those that the practice says are absent."""
        made = set(self.tables) | (set(self.sql_files()) - {HORIZON})
        for supplement in self.supplements:
            made |= set(supplement.adds)
        if self.one_case_a_patient:
            made.add("cases")
        return [table for table in contract.TABLES if table in made - set(self.absent)]


def shipped() -> list[str]:
    """The presets, sorted."""
    return sorted(
        folder.name
        for folder in PRESETS.iterdir()
        if (folder / FILE).exists() or (folder.is_dir() and any(folder.glob("*.sql")))
    )


def own(home: Path) -> list[str]:
    """The practice's own sources, sorted; `home` is WORKBENCH_DATA/sources."""
    return sorted(path.parent.name for path in home.glob(f"*/{FILE}"))


def load(name: str, home: Path | None = None) -> SourceMapping:
    """The source of this name, the practice's own before a preset; UserError names file and key."""
    known = [*(own(home) if home else []), *shipped()]
    if name not in known:
        listed = ", ".join(dict.fromkeys(known)) or "none"
        raise UserError(f"there is no source named {name}; known: {listed}")
    if home is not None and name in own(home):
        return read(home / name / FILE)
    return read(PRESETS / name / FILE)


def read(path: Path) -> SourceMapping:
    """The mapping of a file, built on its preset; a folder with SQL files only needs no file."""
    return from_document(path.parent.name, path, _document(path))


def from_document(name: str, path: Path, document: Mapping[str, object]) -> SourceMapping:
    """The mapping of a parsed document that would lie at `path`."""
    told = Spec(path, "", document)
    preset = told.text("preset")
    folders = [path.parent]
    merged: Mapping[str, object] = document
    if preset is not None:
        if preset not in shipped():
            raise told.wrong("preset", f"no preset is named so; there are {', '.join(shipped())}")
        folders.append(PRESETS / preset)
        merged = merge(_document(PRESETS / preset / FILE), document)
    told = Spec(path, "", merged)
    told.only_keys(KEYS)
    cases, confirmed = told.text("cases", CASES), told.under("confirmed")
    supplements = tuple(_supplements(told))
    days = told.under("days")
    mapping = SourceMapping(
        name,
        path,
        told.text("title") or name,
        preset,
        told.text("time_zone"),
        told.text("dates", tuple(ORDERS)),
        told.texts("absent"),
        told.number("every_hours"),
        cases is not None,
        told.flag("unconfirmed"),
        {key: confirmed.texts(key) for key in confirmed.document},
        (*_file_rules(told.under("files")), *(rule for one in supplements for rule in one.files)),
        dict(_tables(told.under("tables"))),
        tuple(folders),
        supplements,
        told.texts("adds"),
        {name: _texts_by_key(days.under(name)) for name in days.document},
    )
    if mapping.time_zone is not None and mapping.time_zone not in available_timezones():
        raise told.wrong("time_zone", 'is no IANA name, such as "America/New_York"')
    for table in mapping.absent:
        if table not in contract.TABLES:
            raise told.wrong("absent", f"{table} is not a table of the contract")
    for table, sql in mapping.sql_files().items():
        if table not in contract.TABLES and table != HORIZON:
            raise UserError(
                f"{sql.parent.name}/{sql.name}: {table} is not a table of the contract "
                "(what several tables share goes into steps/)"
            )
    return mapping


def _supplements(told: Spec) -> Iterator[SourceMapping]:
    for name in told.texts("with"):
        found = read(PRESETS / name / FILE) if name in shipped() else None
        if found is None or not found.is_supplement:
            raise told.wrong("with", f"{name} does not supplement other sources")
        yield found


def merge(base: Mapping[str, object], own: Mapping[str, object]) -> dict[str, object]:
    """A preset's document with the practice's own keys in the place of its own.

    Files, tables and their columns are merged key by key, the practice's own file patterns first;
    any other value, a column's whole description too, replaces the preset's.
    """
    merged = {**base, **own}
    for section, depth in SECTIONS.items():
        if section in base and section in own:
            merged[section] = _merged(_of_mode(base[section], own[section]), own[section], depth)
    return merged


def _of_mode(base: object, own: object) -> object:
    """A preset's files without those that the practice says are delivered in another mode."""
    if not isinstance(base, Mapping) or not isinstance(own, Mapping):
        return base
    return {
        pattern: rule
        for pattern, rule in base.items()
        if not isinstance(rule, Mapping)
        or not isinstance(own.get(pattern), Mapping)
        or own[pattern].get("mode") in (None, rule.get("mode"))
    }


def _merged(before: object, now: object, depth: int) -> object:
    """Two sections as one, own keys first; a list of sections, or what is wrong, replaces all."""
    if depth == 0 or not isinstance(before, Mapping) or not isinstance(now, Mapping):
        return now
    both = {
        key: _merged(before[key], now[key], 1 if key == "columns" else depth - 1)
        for key in now
        if key in before
    }
    return {**now, **both, **{key: value for key, value in before.items() if key not in now}}


def _document(path: Path) -> dict[str, object]:
    if not path.exists() and any(path.parent.glob("*.sql")):
        return {}  # all of it is SQL
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: is not TOML: {error}") from None


def _texts_by_key(told: Spec) -> dict[str, tuple[str, ...]]:
    return {key: told.texts(key) for key in told.document}


def _file_rules(told: Spec) -> Iterator[FileRule]:
    for pattern in told.document:
        rule = told.under(pattern)
        rule.only_keys(FILE_KEYS)
        mode = rule.text("mode", MODES) or "full"
        key, date, flag = rule.texts("key"), rule.text("date"), rule.text("flag")
        if mode in ("changes", "events") and not key:
            raise rule.wrong("key", f"{mode} need the columns that tell rows apart")
        if mode == "window" and not date:
            raise rule.wrong("date", "a window needs the column of its days")
        if (flag is None) != (not rule.texts("delete")):
            raise rule.wrong("delete", "needs flag, the column that says so, and its words")
        for name, of_mode in OF_MODE.items():
            if name in rule.document and mode not in of_mode:
                raise rule.wrong(name, f"is of mode {' or '.join(of_mode)}; this file's is {mode}")
        reach = rule.number("back", may_be_0=True), rule.number("ahead", may_be_0=True)
        yield FileRule(pattern, mode, key, date, flag, rule.texts("delete"), *reach)


def _tables(told: Spec) -> Iterator[tuple[str, tuple[TableRule, ...]]]:
    for table in told.document:
        if table not in contract.TABLES:
            raise told.wrong(table, "is not a table of the contract (docs/data.md lists them)")
        value = told.document[table]
        parts = value if isinstance(value, list) else [value]
        rules: list[TableRule] = []
        for part in parts:
            if not isinstance(part, Mapping):
                raise told.wrong(table, "must be a section")
            rules.append(_table(table, Spec(told.path, f"{told.place}.{table}", part)))
        yield table, tuple(rules)


def _table(table: str, told: Spec) -> TableRule:
    told.only_keys(TABLE_KEYS)
    known = {column.name for column in contract.columns(table)}
    columns: dict[str, ColumnSpec] = {}
    for name, value in told.under("columns").document.items():
        if name not in known:
            listed = ", ".join(sorted(known))
            raise told.under("columns").wrong(name, f"{table} has no such column; it has {listed}")
        columns[name] = specs.column(told.under("columns"), name, value)
    one_per = None
    if "one_per" in told.document:
        kept = told.under("one_per")
        kept.only_keys(("key", "latest"))
        latest = kept.text("latest")
        if not kept.texts("key") or latest is None:
            raise told.wrong("one_per", "needs key and latest")
        one_per = OnePer(kept.texts("key"), latest)
    for name in told.texts("assumed"):
        if name not in known:
            raise told.wrong("assumed", f"{table} has no column {name}")
    return TableRule(
        table,
        "|".join(told.texts("from")) or None,
        columns,
        one_per,
        {name: told.under("only").texts(name) for name in told.under("only").document},
        {name: told.under("without").texts(name) for name in told.under("without").document},
        told.texts("assumed"),
        told.flag("optional"),
    )


def _stems(folders: Sequence[Path], pattern: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder in reversed(folders):
        found |= {path.stem: path for path in folder.glob(pattern)}
    return dict(sorted(found.items()))
