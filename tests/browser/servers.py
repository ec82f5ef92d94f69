"""A workbench server in another process, started as documented, on its own data folder."""

from __future__ import annotations

import datetime as dt
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from pipelines.settings import LONGEST_IDLE

ROOT = Path(__file__).resolve().parents[2]
FRIDAY = dt.datetime(
    2026, 11, 20, 13, 30, tzinfo=dt.UTC
)  # 08:30 in New York, half an hour after the demo's last staff came in
STARTS_WITHIN = 60  # seconds; two on an idle machine
OURS = ("WORKBENCH_", "EMR_LINK_", "STREAMLIT_")


class Server:
    """`data` is its folder, `root` the code; its clock runs from FRIDAY on."""

    def __init__(self, folder: Path, data: Path, root: Path = ROOT) -> None:
        self.folder, self.data, self.root = folder, data, root
        self.log, self.clock, self.secrets = (
            folder / "server.log",
            folder / "clock",
            folder / "secrets.toml",
        )
        self.port = _free_port()
        self.netloc = f"localhost:{self.port}"
        self.url = f"http://{self.netloc}"
        self._process: subprocess.Popen[bytes] | None = None
        self.set_clock(FRIDAY)

    def start(
        self,
        *arguments: str,
        idle_minutes: int = LONGEST_IDLE,
        secrets: str = "",
        **environment: str,
    ) -> Server:
        """Run until `stop`: streamlit's arguments, the text of secrets.toml, more environment.

        By default nobody is ever timed out, so that a test may move the clock by days.
        """
        self.data.mkdir(parents=True, exist_ok=True)
        settings = self.data / "settings.toml"
        if not settings.exists():
            settings.write_text(f"[app]\nidle_minutes = {idle_minutes}\n", encoding="utf-8")
        if secrets:
            self.secrets.write_text(secrets, encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        places = {
            "WORKBENCH_DATA": str(self.data),
            "WORKBENCH_CLOCK": str(self.clock),
            "PYTHONUNBUFFERED": "1",
        }
        options = [
            "--server.port",
            str(self.port),
            "--secrets.files",
            str(self.secrets),
            *arguments,
        ]
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", "app.py", *options],
                cwd=self.root,
                env=kept | places | environment,
                stdout=log,
                stderr=log,
            )
        self._wait()
        return self

    def set_clock(self, moment: dt.datetime) -> None:
        """Make it this moment for the app."""
        self.clock.write_text(
            str(round((moment - dt.datetime.now(dt.UTC)).total_seconds())), encoding="utf-8"
        )

    def move_clock(self, **span: float) -> None:
        """Let time pass: `days=1`, `minutes=16`."""
        seconds = int(self.clock.read_text(encoding="utf-8")) + round(
            dt.timedelta(**span).total_seconds()
        )
        self.clock.write_text(str(seconds), encoding="utf-8")

    def stop(self) -> None:
        """End it, if it runs."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def logged(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def _wait(self) -> None:
        until = time.monotonic() + STARTS_WITHIN
        while (
            time.monotonic() < until and self._process is not None and self._process.poll() is None
        ):
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        self.stop()
        raise AssertionError(f"the server did not start:\n{self.logged()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
