"""What changed in the rules since the previous run: their parameters, or their own SQL."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import duckdb

from pipelines.rules import sql
from pipelines.rules.model import Applied, Params, Rule
from pipelines.warehouse import snapshots


class Change(NamedTuple):
    """What changed in a rule, in words, for one payer or for those without a row of their own.

    A payer with parameters of its own has a row also where nothing changed: `says` is None.
    """

    rule_id: str
    payer_id: str | None
    says: str | None


class _Earlier(NamedTuple):
    """A rule as the previous run applied it."""

    version: str | None
    params: Params
    payers: Mapping[str, Params]


def since_previous(con: duckdb.DuckDBPyConnection, applied: Applied) -> list[Change]:
    """The changes since the snapshot attached as `previous`; none before the first run."""
    earlier = _previous(con)
    return [
        change
        for rule_id, before in earlier.items()
        if rule_id in applied.rules
        for change in _changes(applied.rules[rule_id], applied.payers.get(rule_id, {}), before)
    ]


def _previous(con: duckdb.DuckDBPyConnection) -> dict[str, _Earlier]:
    if not snapshots.has_table(con, "previous", "runs"):
        return {}
    ((parameters,),) = con.execute(sql("previous_parameters")).fetchall()
    # SELECT r.*, because the rules of earlier snapshots have no version.
    rules = con.sql("SELECT r.* FROM previous.rules AS r").to_df()
    versions = (
        dict(zip(rules["rule_id"], rules["version"], strict=True)) if "version" in rules else {}
    )
    return {
        rule_id: _Earlier(versions.get(rule_id), of["params"], of["payers"])
        for rule_id, of in json.loads(parameters).items()
    }


def _changes(rule: Rule, payers: Mapping[str, Params], before: _Earlier) -> Iterator[Change]:
    is_other = before.version is not None and before.version != rule.version
    for payer_id in (None, *sorted({*payers, *before.payers})):
        own, earlier_own = payers.get(payer_id or "", {}), before.payers.get(payer_id or "", {})
        says = _difference({**before.params, **earlier_own}, {**rule.params, **own})
        if not says and is_other:
            says = "the rule itself changed"
        yield Change(rule.rule_id, payer_id, says or None)


def _difference(before: Params, now: Params) -> str:
    """The parameters whose values differ, such as: days_ahead 14 → 7."""
    return ", ".join(
        f"{name} {_written(before[name])} → {_written(value)}"
        for name, value in now.items()
        if name in before and before[name] != value
    )


def _written(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
