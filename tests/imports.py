"""A source and its deliveries, made by hand for a test."""

from __future__ import annotations

import csv
import datetime as dt
import os
import textwrap
from dataclasses import dataclass
from pathlib import Path

from pipelines.extracts import folder, read
from pipelines.sources import importing, mapping
from pipelines.sources.importing import Imported
from pipelines.warehouse import snapshots

DAY = dt.datetime(2026, 11, 2, 6, tzinfo=dt.UTC)  # when the first delivery was made
PATIENTS = """
[tables.patients]
from = "Patients"
[tables.patients.columns]
patient_id = "id"
first_name = "first"
last_name = "last"
status = "status"
facility_id = { constant = "F" }
"""


@dataclass
class Practice:
    """A practice's own source `mine` below `root`, whose extracts are written to `out`."""

    root: Path

    @property
    def home(self) -> Path:
        return self.root / "sources"

    @property
    def out(self) -> Path:
        return self.root / "out"

    @property
    def store(self) -> Path:
        return self.home / "mine" / "kept.duckdb"

    def maps(self, toml: str, **sql: str) -> Practice:
        """Write the mapping file, and SQL files by their names without .sql."""
        place = self.home / "mine"
        place.mkdir(parents=True, exist_ok=True)
        (place / mapping.FILE).write_text(textwrap.dedent(toml), encoding="utf-8")
        for name, text in sql.items():
            (place / f"{name}.sql").write_text(text, encoding="utf-8")
        return self

    def source(self) -> mapping.SourceMapping:
        return mapping.load("mine", self.home)

    def delivery(self, files: dict[str, str | bytes], night: float = 0) -> Path:
        """A new folder with these files, made so many days after DAY."""
        place = self.root / f"delivery-{len(list(self.root.glob('delivery-*')))}"
        for name, content in files.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                content = textwrap.dedent(content).lstrip("\n").encode()
            path.write_bytes(content)
            made = (DAY + dt.timedelta(days=night)).timestamp()
            os.utime(path, (made, made))
        return place

    def imports(
        self, files: dict[str, str | bytes] | Path, night: float = 0, **request: object
    ) -> Imported:
        """Import a delivery of that night, or the delivery in a folder."""
        place = files if isinstance(files, Path) else self.delivery(files, night)
        given = {"home": self.home, **request}
        return importing.import_delivery(
            importing.Request(self.source(), place, self.out, **given)  # type: ignore[arg-type]
        )

    def rows(self, table: str) -> list[dict[str, str]]:
        """The rows of an extract."""
        with (self.out / f"{table}.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def column(self, table: str, name: str) -> list[str]:
        return [row[name] for row in self.rows(table)]

    def manifest(self, table: str) -> dict[str, str]:
        return {row["table"]: row for row in self.rows("manifest")}[table]

    def refused(self) -> dict[str, list[tuple[int, str]]]:
        """By table, the line and column of each value that the contract refuses."""
        with snapshots.connect() as con:
            found = read.read(con, folder.find(self.out), {}, self.root / "rejected")
        assert all(one.status != "refused" for one in found)
        refused: dict[str, list[tuple[int, str]]] = {}
        for path in sorted((self.root / "rejected").rglob("*.csv")):
            with path.open(newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    refused.setdefault(path.stem, []).append((int(row["line"]), row["column"]))
        return refused
