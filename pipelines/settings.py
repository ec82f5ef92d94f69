"""Where things lie and what a practice chose: the environment and the settings file, read in one place."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.errors import UserError
from pipelines.extracts.contract import ROLES

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "data" / "sample"
EXTRACTS_KEYS = {"max_loss": float}
APP_KEYS = {"idle_minutes": int}
ACCESS_KEYS = ("own_facilities", "sees_all_roles", "staff_facilities")
LOG_FORMS = ("text", "json")
LONGEST_IDLE = 30 * 24 * 60  # minutes: Streamlit's sign-in cookie lives for 30 days


@dataclass(frozen=True)
class Access:
    """Who may see what on the screens. `staff_facilities` names the facilities of staff who work at others than the one in their record."""

    own_facilities: bool = False  # False: everybody sees all
    sees_all_roles: tuple[str, ...] = ()
    staff_facilities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def facilities_of(
        self, staff_id: str, role: str, facility_id: str | None
    ) -> tuple[str, ...] | None:
        """The ids of the facilities this person is limited to, in order; None for whoever sees all."""
        if not self.own_facilities or role in self.sees_all_roles:
            return None
        return tuple(
            sorted(set(self.staff_facilities.get(staff_id, (facility_id,) if facility_id else ())))
        )


@dataclass(frozen=True)
class Settings:
    """One practice's set-up. `rules` is the [rules] part of the settings file as written; rules.py checks its names."""

    data: Path
    extracts: Path | None
    ledger_url: str
    settings_file: Path
    max_loss: float = 0.2  # share of a table's rows that may be missing since the last run where no manifest counts them
    clock_file: Path | None = None  # holds the seconds by which the screens' clock is moved
    idle_minutes: int = 15  # without a click for this long, the app asks again who is there
    access: Access = Access()
    rules: Mapping[str, object] = field(default_factory=dict)
    emr_links: Mapping[str, str] = field(default_factory=dict)

    @property
    def warehouse(self) -> Path:
        """Folder of the snapshots."""
        return self.data / "warehouse"

    @property
    def rejected(self) -> Path:
        """Folder of the refused rows, one sub-folder a run."""
        return self.data / "rejected"


def log_form(environment: Mapping[str, str] | None = None) -> str:
    """How to log, which is asked for before anything can go wrong; UserError when it is none of LOG_FORMS."""
    form = (os.environ if environment is None else environment).get("WORKBENCH_LOG") or LOG_FORMS[0]
    if form not in LOG_FORMS:
        raise UserError(f"WORKBENCH_LOG is {form!r}; it can be {' or '.join(LOG_FORMS)}")
    return form


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from WORKBENCH_* and EMR_LINK_* variables and the settings file; UserError names file and key."""
    env = os.environ if environment is None else environment
    data = Path(env.get("WORKBENCH_DATA") or ROOT / "data")
    extracts = env.get("WORKBENCH_EXTRACTS")
    path = Path(env.get("WORKBENCH_SETTINGS") or data / "settings.toml")
    written = _read(path, is_named="WORKBENCH_SETTINGS" in env)
    _refuse_unknown(path, written, {"rules", "extracts", "app", "access"}, "")
    chosen_rules, chosen, chosen_app, chosen_access = (
        _section(path, written, name) for name in ("rules", "extracts", "app", "access")
    )
    _refuse_unknown(path, chosen, set(EXTRACTS_KEYS), "extracts.")
    max_loss = chosen.get("max_loss", 0.2)
    if (
        isinstance(max_loss, bool)
        or not isinstance(max_loss, (int, float))
        or not 0 <= max_loss <= 1
    ):
        raise UserError(
            f"{path}: extracts.max_loss must be a number from 0 to 1, the share of rows a table may lose between two runs"
        )
    _refuse_unknown(path, chosen_app, set(APP_KEYS), "app.")
    idle_minutes = chosen_app.get("idle_minutes", 15)
    if (
        isinstance(idle_minutes, bool)
        or not isinstance(idle_minutes, int)
        or not 1 <= idle_minutes <= LONGEST_IDLE
    ):
        raise UserError(
            f"{path}: app.idle_minutes must be a whole number from 1 to {LONGEST_IDLE}, the minutes without a click that end a session"
        )
    return Settings(
        data=data,
        extracts=Path(extracts) if extracts else None,
        ledger_url=env.get("WORKBENCH_LEDGER") or f"sqlite:///{data / 'ledger.sqlite'}",
        settings_file=path,
        max_loss=float(max_loss),
        idle_minutes=idle_minutes,
        clock_file=Path(env["WORKBENCH_CLOCK"]) if env.get("WORKBENCH_CLOCK") else None,
        access=_access(path, chosen_access),
        rules=chosen_rules,
        emr_links={key: value for key, value in sorted(env.items()) if key.startswith("EMR_LINK_")},
    )


def _access(path: Path, chosen: dict) -> Access:
    """The [access] part; a role that does not exist would quietly show somebody less than was meant, a misspelt switch everybody more."""
    _refuse_unknown(path, chosen, set(ACCESS_KEYS), "access.")
    is_limited, roles, others = (
        chosen.get("own_facilities", False),
        chosen.get("sees_all_roles", []),
        chosen.get("staff_facilities", {}),
    )
    if not isinstance(is_limited, bool):
        raise UserError(f"{path}: access.own_facilities must be true or false")
    if not _is_texts(roles):
        raise UserError(
            f'{path}: access.sees_all_roles must be a list of roles, as in ["Practice Administrator"]'
        )
    for role in roles:
        if role not in ROLES:
            raise UserError(
                f"{path}: access.sees_all_roles: there is no role {role}; there are {', '.join(ROLES)}"
            )
    if not isinstance(others, dict) or not all(
        _is_texts(facilities) for facilities in others.values()
    ):
        raise UserError(
            f'{path}: access.staff_facilities must name a list of facility ids for each staff id, as in S014 = ["F01", "F02"]'
        )
    return Access(
        is_limited,
        tuple(roles),
        {staff_id: tuple(facilities) for staff_id, facilities in others.items()},
    )


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _read(path: Path, *, is_named: bool) -> dict:
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


def _section(path: Path, written: dict, name: str) -> dict:
    section = written.get(name, {})
    if not isinstance(section, dict):
        raise UserError(f"{path}: {name} must be a section")
    return section


def _refuse_unknown(path: Path, written: dict, known: set[str], prefix: str) -> None:
    for key in written:
        if key not in known:
            raise UserError(
                f"{path}: unknown key {prefix}{key}; known are {', '.join(sorted(prefix + name for name in known))}"
            )
