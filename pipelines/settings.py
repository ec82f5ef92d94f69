"""Where things lie and what a practice chose: the environment and the settings file, read in one place."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "data" / "sample"
EXTRACTS_KEYS = {"max_loss": float}
APP_KEYS = {"idle_minutes": int}
LONGEST_IDLE = 30 * 24 * 60  # minutes: Streamlit's sign-in cookie lives for 30 days


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


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from WORKBENCH_* and EMR_LINK_* variables and the settings file; UserError names file and key."""
    env = os.environ if environment is None else environment
    data = Path(env.get("WORKBENCH_DATA") or ROOT / "data")
    extracts = env.get("WORKBENCH_EXTRACTS")
    path = Path(env.get("WORKBENCH_SETTINGS") or data / "settings.toml")
    written = _read(path, is_named="WORKBENCH_SETTINGS" in env)
    _refuse_unknown(path, written, {"rules", "extracts", "app"}, "")
    chosen_rules, chosen, chosen_app = (_section(path, written, name) for name in ("rules", "extracts", "app"))
    _refuse_unknown(path, chosen, set(EXTRACTS_KEYS), "extracts.")
    max_loss = chosen.get("max_loss", 0.2)
    if isinstance(max_loss, bool) or not isinstance(max_loss, (int, float)) or not 0 <= max_loss <= 1:
        raise UserError(f"{path}: extracts.max_loss must be a number from 0 to 1, the share of rows a table may lose between two runs")
    _refuse_unknown(path, chosen_app, set(APP_KEYS), "app.")
    idle_minutes = chosen_app.get("idle_minutes", 15)
    if isinstance(idle_minutes, bool) or not isinstance(idle_minutes, int) or not 1 <= idle_minutes <= LONGEST_IDLE:
        raise UserError(f"{path}: app.idle_minutes must be a whole number from 1 to {LONGEST_IDLE}, the minutes without a click that end a session")
    return Settings(
        data=data,
        extracts=Path(extracts) if extracts else None,
        ledger_url=env.get("WORKBENCH_LEDGER") or f"sqlite:///{data / 'ledger.sqlite'}",
        settings_file=path,
        max_loss=float(max_loss),
        idle_minutes=idle_minutes,
        clock_file=Path(env["WORKBENCH_CLOCK"]) if env.get("WORKBENCH_CLOCK") else None,
        rules=chosen_rules,
        emr_links={key: value for key, value in sorted(env.items()) if key.startswith("EMR_LINK_")},
    )


def _read(path: Path, *, is_named: bool) -> dict:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if is_named:
            raise UserError(f"{path}: the settings file named by WORKBENCH_SETTINGS is not there") from None
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
            raise UserError(f"{path}: unknown key {prefix}{key}; known are {', '.join(sorted(prefix + name for name in known))}")
