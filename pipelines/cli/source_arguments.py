"""The options of the commands that make and judge extracts: sample, import, sources, check."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Protocol

from pipelines.cli import values


class Commands(Protocol):
    """What argparse returns for sub-commands; its own class is private."""

    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser: ...


def add(commands: Commands) -> None:
    """The commands sample, import, sources and check."""
    sample = commands.add_parser("sample", help="write the extracts of a made-up practice")
    sample.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write")
    sample.add_argument(
        "--patients", type=values.positive, metavar="N", help="number of patients (default: 250)"
    )
    sample.add_argument(
        "--facilities", type=values.positive, metavar="N", help="number of facilities (default: 3)"
    )
    sample.add_argument(
        "--as-of",
        type=values.time,
        metavar="TS",
        help="write what was known at this time (default: 2026-11-20T06:00:00-05:00)",
    )
    sample.add_argument(
        "--seed",
        type=int,
        metavar="N",
        help="which random practice; the same numbers give the same bytes (default: 1)",
    )
    sample.add_argument(
        "--format", choices=("csv", "parquet"), default="csv", help="default: %(default)s"
    )

    source = commands.add_parser(
        "import", help="turn another system's export into extracts; exits with 1 if tables are held"
    )
    source.add_argument(
        "--source", required=True, metavar="NAME", help="a source of `sources list`"
    )
    source.add_argument(
        "--from",
        dest="from_dir",
        type=Path,
        required=True,
        metavar="DIR",
        help="the export: a folder, a zip, a workbook or a file",
    )
    source.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where the extracts go"
    )
    source.add_argument(
        "--as-of",
        type=values.time,
        metavar="TS",
        help="write what was known at this time (default: when the export was made)",
    )
    source.add_argument(
        "--full",
        action="store_true",
        help="the files of changes hold everything this time, as after a lost delivery",
    )
    source.add_argument(
        "--accept",
        action="append",
        default=[],
        metavar="FILE",
        help="this file has so many rows fewer than before, and it is true; may be given again",
    )
    _add_sources(commands)

    check = commands.add_parser(
        "check", help="validate extracts against the contract; exits with 1 if any row is refused"
    )
    check.add_argument(
        "--extracts",
        type=Path,
        metavar="DIR",
        help="the folder with the tables (default: WORKBENCH_EXTRACTS, else data/sample)",
    )


def _add_sources(commands: Commands) -> None:
    sources = commands.add_parser(
        "sources", help="list the sources, or show, check or recognise one"
    )
    sources.add_argument("what", choices=("list", "show", "check", "recognise"))
    sources.add_argument(
        "name",
        nargs="?",
        metavar="NAME",
        help="of show and check: the source; of recognise: the folder of the delivery",
    )
    sources.add_argument(
        "--from", dest="from_dir", type=Path, metavar="DIR", help="of check: the delivery"
    )
    sources.add_argument(
        "--as-of",
        type=values.time,
        metavar="TS",
        help="of check: the time it speaks for (default: when the delivery was made)",
    )
    sources.add_argument(
        "--sql", action="store_true", help="of show: the SELECT that each table compiles to"
    )
    sources.add_argument(
        "--write",
        metavar="SOURCE",
        help="of recognise: write the proposal as the mapping file of this new source",
    )
