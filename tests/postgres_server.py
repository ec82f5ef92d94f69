"""A real PostgreSQL server for the test run, in a scratch folder, reached by a socket."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

MISSING = "PostgreSQL is not installed here (Debian: apt-get install postgresql)"
USER = (
    "postgres"  # PostgreSQL refuses to run as root, so there it runs as the user its package made
)


def programs() -> Path | None:
    """The folder of PostgreSQL's own programs; Debian keeps them out of the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    beside = shutil.which("initdb")
    return found[-1].parent if found else Path(beside).parent if beside else None


class Server:
    """One server; databases are made as they are asked for."""

    def __init__(self, bin_folder: Path, *, is_durable: bool = False) -> None:
        # Not pytest's folder: a socket's path has at most 107 characters.
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._bin = bin_folder
        self._made = 0
        if os.geteuid() == 0:
            shutil.chown(self.folder, USER)
        self._call(
            "initdb",
            "-D",
            str(self.folder / "data"),
            "-A",
            "trust",
            "-U",
            USER,
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        )
        settings = [
            f"unix_socket_directories = '{self.folder}'",
            "listen_addresses = ''",
            "max_connections = 200",
        ]
        settings += (
            [] if is_durable else ["fsync = off"]
        )  # a test run's machine is not meant to lose its power
        with open(self.folder / "data" / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write("\n".join(["", *settings, ""]))
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._call(
            "pg_ctl", "-D", str(self.folder / "data"), "-w", "-l", str(self.folder / "log"), "start"
        )

    def stop(self, how: str = "fast") -> None:
        """Stop it: fast ends what goes on, immediate is as good as pulling the plug."""
        self._call("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", how, "stop")

    def new_database(self) -> str:
        """The URL of an empty database."""
        self._made += 1
        name = f"ledger_{self._made}"
        self._call("createdb", "-h", str(self.folder), "-U", USER, name)
        return f"postgresql+psycopg://{USER}@/{name}?host={self.folder}"

    def remove(self) -> None:
        """Stop it and leave nothing behind."""
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _call(self, program: str, *arguments: str) -> None:
        user = USER if os.geteuid() == 0 else None
        done = subprocess.run(
            [self._bin / program, *arguments],
            user=user,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stderr}")
