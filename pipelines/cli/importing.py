"""The commands of sources: import a delivery, and show, check or recognise a source."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipelines.errors import UserError
from pipelines.settings import Settings


def import_export(options: argparse.Namespace, settings: Settings) -> int:
    """Turn a delivery into extracts; 1 when tables are held."""
    from pipelines.sources import importing, mapping

    request = importing.Request(
        mapping.load(options.source, settings.sources),
        options.from_dir,
        options.out,
        options.as_of,
        settings.sources,
        options.full,
        frozenset(options.accept),
        settings.max_loss,
    )
    done = importing.import_delivery(request)
    print(f"delivered {done.extracted_at:%Y-%m-%d %H:%M} UTC")
    for table, count in done.rows.items():
        print(f"{table:24}{count:>10,}{'  held' if table in done.held else ''}")
    for note in done.notes:
        print(f"note: {note}")
    for table, why in done.held.items():
        print(f"held: {table}: {why}")
    return 1 if done.held else 0


def sources(options: argparse.Namespace, settings: Settings) -> int:
    """List the sources, or show, check or recognise one."""
    return _WHAT[options.what](options, settings)


def _list(options: argparse.Namespace, settings: Settings) -> int:
    from pipelines.sources import mapping, names

    own = mapping.own(settings.sources)
    for name in names(settings.sources):
        source = mapping.load(name, settings.sources)
        whose = "own" if name in own else "preset"
        print(f"{name:16}{whose:8}{source.title}: {', '.join(source.provided())}")
    return 0


def _show(options: argparse.Namespace, settings: Settings) -> int:
    from pipelines.sources import mapping, showing

    source = mapping.load(_name(options), settings.sources)
    print(showing.as_sql(source) if options.sql else showing.as_text(source))
    return 0


def _check(options: argparse.Namespace, settings: Settings) -> int:
    from pipelines.cli import output
    from pipelines.operations import source_check
    from pipelines.sources import mapping

    source = mapping.load(_name(options), settings.sources)
    found = source_check.check(settings, source, _from(options), options.as_of)
    return output.print_source_check(found)


def _recognise(options: argparse.Namespace, settings: Settings) -> int:
    from pipelines.sources import proposing, recognising

    folder = options.from_dir or (Path(options.name) if options.name else None)
    if folder is None:
        raise UserError("sources recognise needs the folder of the delivery")
    found = recognising.recognise(folder)
    for line in recognising.report(found):
        print(line)
    if options.write:
        path = proposing.write(found, settings.sources, options.write)
        print(f"{path}: written, and applied by nothing until you confirm it. Read it, try it with")
        print(f"  python -m pipelines sources check {options.write} --from {folder}")
        print("and delete its line `unconfirmed = true`.")
    return 0


def _name(options: argparse.Namespace) -> str:
    if options.name is None:
        raise UserError(f"sources {options.what} needs the name of a source")
    return str(options.name)


def _from(options: argparse.Namespace) -> Path:
    if options.from_dir is None:
        raise UserError(f"sources {options.what} needs --from: the delivery")
    return Path(options.from_dir)


_WHAT = {"list": _list, "show": _show, "check": _check, "recognise": _recognise}
