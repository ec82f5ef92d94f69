"""Paths and choices of a practice: reads the environment and the settings file."""

from __future__ import annotations

import datetime as dt
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.errors import UserError
from pipelines.vocabulary import ALWAYS_NEEDED, MAY_BE_ABSENT, ROLES

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "data" / "sample"
SECTIONS = ("practice", "rules", "extracts", "guards", "claim_holds", "app", "access")
PRACTICE_KEYS = (
    "absent",
    "administrator",
    "administrator_email",
    "clock_tolerance",
    "go_live",
    "history_days",
    "manager_roles",
    "return_days",
)
EXTRACTS_KEYS = ("max_loss", "max_refused")
GUARDS_KEYS = ("closings", "keys", "openings", "values")
CLAIM_HOLDS_KEYS = ("authorization_codes",)
APP_KEYS = ("idle_minutes",)
MANAGER_ROLES = ("Therapy Director", "Practice Administrator", "Business Owner")
ACCESS_KEYS = (
    "email_verified_may_be_absent",
    "own_facilities",
    "sees_all_roles",
    "staff_facilities",
)
AUTHORIZATION_CODES = ("AUTH",)  # in the reason codes of holds that wait for an authorization
LOG_FORMS = ("text", "json")
LONGEST_TOLERANCE = 24 * 60  # minutes
LONGEST_HISTORY = 3650  # days
LONGEST_IDLE = 30 * 24 * 60  # minutes: Streamlit's sign-in cookie lives for 30 days


@dataclass(frozen=True)
class Access:
    """Who comes in, and who sees which facilities on the screens.

    `staff_facilities` replaces the facility of the staff record for people who work at others.
    `email_verified_may_be_absent`: the provider vouches for its addresses without that claim.
    """

    own_facilities: bool = False  # False: everybody sees all facilities
    sees_all_roles: tuple[str, ...] = ()
    staff_facilities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    email_verified_may_be_absent: bool = False

    def facilities_of(
        self, staff_id: str, role: str, facility_id: str | None
    ) -> tuple[str, ...] | None:
        """The sorted ids of the facilities this person may see; None when they see all."""
        if not self.own_facilities or role in self.sees_all_roles:
            return None
        own = (facility_id,) if facility_id else ()
        return tuple(sorted(set(self.staff_facilities.get(staff_id, own))))


@dataclass(frozen=True)
class GuardLimits:
    """What a run may do before a guard holds it; pipelines/runs/guards/ has the floors.

    Shares of a table's earlier keys that may be gone, of the earlier values of a column that may
    be others, and of the open tasks of a rule at a facility that may close without new work;
    openings may be so many times those of the largest run of the last 35 days.
    """

    keys: float = 0.2
    values: float = 0.2
    closings: float = 0.25
    openings: float = 5.0


@dataclass(frozen=True)
class Settings:
    """One practice's set-up.

    `rules` is the [rules] section as written; pipelines/rules checks its names and values.
    """

    data: Path
    extracts: Path | None
    ledger_url: str
    settings_file: Path
    own_rules: Path | None = None  # folder of the practice's own rule files; None: it has none
    max_loss: float = 0.2  # share of a table's rows a run may lose where no manifest counts them
    max_refused: float = 0.2  # share of a table's rows that may be refused before all of it is
    guards: GuardLimits = GuardLimits()
    return_days: int = 30  # a record back within so many days continues its task
    clock_tolerance: int = 5  # minutes that a time may be ahead of the machine's clock
    drop: Path | None = None  # where the EMR's deliveries arrive; the Connect page reads them
    clock_file: Path | None = None  # holds the seconds added to the screens' clock
    idle_minutes: int = 15  # without a click before the app asks who is there
    access: Access = Access()
    go_live: dt.date | None = None  # the practice began to work with the list; None: see go_live.py
    history_days: int | None = None  # before that day, which tasks that clear by themselves open
    manager_roles: tuple[str, ...] = MANAGER_ROLES  # who may bring in what was set aside
    absent: frozenset[str] = frozenset()  # the tables that this practice never delivers
    administrator: str | None = None  # the name of who comes in as long as there is no staff table
    administrator_email: str | None = None  # what sign-in compares
    authorization_codes: tuple[str, ...] = AUTHORIZATION_CODES
    rules: Mapping[str, object] = field(default_factory=dict)
    emr_links: Mapping[str, str] = field(default_factory=dict)

    @property
    def warehouse(self) -> Path:
        """Folder of the snapshots."""
        return self.data / "warehouse"

    @property
    def sources(self) -> Path:
        """Folder of the practice's own sources: mapping files, and what they keep."""
        return self.data / "sources"

    @property
    def rejected(self) -> Path:
        """Folder of the refused rows, one sub-folder for each run."""
        return self.data / "rejected"


def log_form(environment: Mapping[str, str] | None = None) -> str:
    """The log format, one of LOG_FORMS; UserError for any other.

    Separate from `load`, so that errors in the settings are logged in this format.
    """
    form = (os.environ if environment is None else environment).get("WORKBENCH_LOG") or LOG_FORMS[0]
    if form not in LOG_FORMS:
        raise UserError(f"WORKBENCH_LOG is {form!r}; it can be {' or '.join(LOG_FORMS)}")
    return form


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from WORKBENCH_* and EMR_LINK_* variables and the settings file.

    An empty variable counts as unset. UserError names the file and the key.
    """
    env = os.environ if environment is None else environment
    data = Path(env.get("WORKBENCH_DATA") or ROOT / "data")
    named = env.get("WORKBENCH_SETTINGS")
    path = Path(named or data / "settings.toml")
    written = _read(path, is_named=bool(named))
    _refuse_unknown(path, written, SECTIONS)
    extracts = _section(path, written, "extracts", EXTRACTS_KEYS)
    practice = _section(path, written, "practice", PRACTICE_KEYS)
    return Settings(
        data=data,
        extracts=_path(env, "WORKBENCH_EXTRACTS"),
        ledger_url=env.get("WORKBENCH_LEDGER") or f"sqlite:///{data / 'ledger.sqlite'}",
        settings_file=path,
        own_rules=data / "rules",
        max_loss=_share(
            path, extracts, "max_loss", "the share of rows a table may lose between two runs"
        ),
        max_refused=_share(
            path, extracts, "max_refused", "the share of a table's rows that may be refused"
        ),
        guards=_guards(path, _section(path, written, "guards", GUARDS_KEYS)),
        return_days=_whole(
            path,
            practice,
            "return_days",
            3650,
            "the days within which a record that was missing continues its task",
        ),
        clock_tolerance=_whole(
            path,
            practice,
            "clock_tolerance",
            LONGEST_TOLERANCE,
            "the minutes that a time may be ahead of the machine's clock",
        ),
        idle_minutes=_idle_minutes(path, _section(path, written, "app", APP_KEYS)),
        drop=_path(env, "WORKBENCH_DROP"),
        clock_file=_path(env, "WORKBENCH_CLOCK"),
        access=_access(path, _section(path, written, "access", ACCESS_KEYS)),
        authorization_codes=_authorization_codes(
            path, _section(path, written, "claim_holds", CLAIM_HOLDS_KEYS)
        ),
        go_live=_day(path, practice, "go_live"),
        history_days=_history_days(path, practice),
        manager_roles=_roles(
            path, practice.get("manager_roles", list(MANAGER_ROLES)), "practice.manager_roles"
        ),
        absent=_absent(path, practice.get("absent", [])),
        administrator=_text(path, practice, "administrator", "Dana Ruiz"),
        administrator_email=_text(path, practice, "administrator_email", "dana@practice.example"),
        rules=_section(path, written, "rules"),
        emr_links={key: value for key, value in sorted(env.items()) if key.startswith("EMR_LINK_")},
    )


def _path(env: Mapping[str, str], name: str) -> Path | None:
    value = env.get(name)
    return Path(value) if value else None


def _share(path: Path, section: Mapping[str, object], key: str, what: str) -> float:
    found = _number(section.get(key, getattr(Settings, key)), 1)
    if found is None:
        raise UserError(f"{path}: extracts.{key} must be a number from 0 to 1, {what}")
    return found


def _guards(path: Path, section: Mapping[str, object]) -> GuardLimits:
    most = {"keys": 1, "values": 1, "closings": 1, "openings": 1000}
    limits: dict[str, float] = {}
    for key, value in section.items():
        found = _number(value, most[key])
        if found is None:
            raise UserError(f"{path}: guards.{key} must be a number from 0 to {most[key]}")
        limits[key] = found
    return GuardLimits(**limits)


def _number(value: object, most: float) -> float | None:
    """A number from 0 to `most`; None for anything else, also for true and false."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
        return None
    return float(value)


def _whole(path: Path, section: Mapping[str, object], key: str, most: int, what: str) -> int:
    value = section.get(key, getattr(Settings, key))
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise UserError(f"{path}: practice.{key} must be a whole number from 0 to {most}, {what}")
    return value


def _idle_minutes(path: Path, section: Mapping[str, object]) -> int:
    value = section.get("idle_minutes", Settings.idle_minutes)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LONGEST_IDLE:
        raise UserError(
            f"{path}: app.idle_minutes must be a whole number from 1 to {LONGEST_IDLE}, "
            "the minutes without a click that end a session"
        )
    return value


def _authorization_codes(path: Path, section: Mapping[str, object]) -> tuple[str, ...]:
    codes = section.get("authorization_codes", list(AUTHORIZATION_CODES))
    if (
        not isinstance(codes, list)
        or not codes
        or not all(isinstance(code, str) and code.strip() and "," not in code for code in codes)
    ):
        raise UserError(
            f"{path}: claim_holds.authorization_codes must be a list of codes or words without "
            'commas, as in ["AUTH", "PA-"]'
        )
    return tuple(code.strip() for code in codes)


def _access(path: Path, section: Mapping[str, object]) -> Access:
    """The [access] section; a misspelt role or key would show people too little or too much."""
    flags: dict[str, bool] = {}
    for key in ("own_facilities", "email_verified_may_be_absent"):
        value = section.get(key, False)
        if not isinstance(value, bool):
            raise UserError(f"{path}: access.{key} must be true or false")
        flags[key] = value
    roles = _roles(path, section.get("sees_all_roles", []), "access.sees_all_roles")
    staff = section.get("staff_facilities", {})
    if not isinstance(staff, dict) or not all(_is_list_of_texts(ids) for ids in staff.values()):
        raise UserError(
            f"{path}: access.staff_facilities must name a list of facility ids for each staff id, "
            'as in S014 = ["F01", "F02"]'
        )
    return Access(
        sees_all_roles=roles,
        staff_facilities={staff_id: tuple(ids) for staff_id, ids in staff.items()},
        **flags,
    )


def _roles(path: Path, roles: object, key: str) -> tuple[str, ...]:
    if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
        raise UserError(f'{path}: {key} must be a list of roles, as in ["Practice Administrator"]')
    for role in roles:
        if role not in ROLES:
            raise UserError(f"{path}: {key}: there is no role {role}; there are {', '.join(ROLES)}")
    return tuple(roles)


def _absent(path: Path, tables: object) -> frozenset[str]:
    if not isinstance(tables, list) or not all(isinstance(table, str) for table in tables):
        raise UserError(f'{path}: practice.absent must be a list of tables, as in ["faxes"]')
    for table in tables:
        if table in ALWAYS_NEEDED:
            raise UserError(
                f"{path}: practice.absent: {table} cannot be absent; "
                f"no task opens without {', '.join(ALWAYS_NEEDED)}"
            )
        if table not in MAY_BE_ABSENT:
            raise UserError(
                f"{path}: practice.absent: there is no table {table}; "
                f"those that may be absent are {', '.join(MAY_BE_ABSENT)}"
            )
    return frozenset(tables)


def _text(path: Path, section: Mapping[str, object], key: str, example: str) -> str | None:
    value = section.get(key)
    if value is not None and not (isinstance(value, str) and value.strip()):
        raise UserError(f'{path}: practice.{key} must be a text, as in {key} = "{example}"')
    return value.strip() if isinstance(value, str) else None


def day(value: object, where: str) -> dt.date:
    """A day as TOML writes it, with or without quotes; UserError for anything else."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value
    try:
        return dt.date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise UserError(
            f"{where} must be a day, as in {where.split('.')[-1]} = 2026-11-02"
        ) from None


def _day(path: Path, section: Mapping[str, object], key: str) -> dt.date | None:
    return day(section[key], f"{path}: practice.{key}") if key in section else None


def _history_days(path: Path, section: Mapping[str, object]) -> int | None:
    if section.get("history_days") is None:
        return None
    return _whole(
        path,
        section,
        "history_days",
        LONGEST_HISTORY,
        "the days before go_live whose tasks still open if they clear by themselves",
    )


def _is_list_of_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _read(path: Path, *, is_named: bool) -> dict[str, object]:
    """The parsed settings file; empty when it is absent and WORKBENCH_SETTINGS does not name it."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if is_named:
            raise UserError(
                f"{path}: the settings file named by WORKBENCH_SETTINGS is not there"
            ) from None
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise UserError(f"{path}: the settings file cannot be read: {error}") from None


def _section(
    path: Path, written: Mapping[str, object], name: str, keys: tuple[str, ...] | None = None
) -> dict[str, object]:
    """One section of the settings file; UserError for keys it does not know (keys None: any)."""
    section = written.get(name, {})
    if not isinstance(section, dict):
        raise UserError(f"{path}: {name} must be a section")
    if keys is not None:
        _refuse_unknown(path, section, keys, f"{name}.")
    return section


def _refuse_unknown(
    path: Path, written: Mapping[str, object], known: tuple[str, ...], prefix: str = ""
) -> None:
    for key in written:
        if key not in known:
            raise UserError(
                f"{path}: unknown key {prefix}{key}; "
                f"known are {', '.join(sorted(prefix + name for name in known))}"
            )
