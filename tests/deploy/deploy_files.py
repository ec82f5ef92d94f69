"""The files of .deploy/ and what the documentation says of them, as the tests read them."""

from __future__ import annotations

import re
from pathlib import Path

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
