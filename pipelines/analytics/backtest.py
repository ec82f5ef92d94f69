"""A backtest: what a rule with other parameters would have opened over past extracts, and when.

Both replays are real runs of this one rule in temporary folders, without anybody's actions. The
practice's own list, ledger and refused rows are not touched.
"""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from pipelines.errors import UserError
from pipelines.rules import model, overrides
from pipelines.runs import run
from pipelines.settings import Settings
from pipelines.vocabulary import CLOSED_BY_RUN
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import open_worklist

COLUMNS = [
    "task_id",
    "subject_id",
    "patient_id",
    "facility_id",
    "since",
    "opened_at",
    "closed_at",
    "reason",
]

# How a text is read as a parameter of a type.
PARSE: Mapping[type, Callable[[str], model.Param]] = {
    bool: lambda text: text.lower() in ("true", "yes", "1"),
    int: int,
    float: float,
    str: str,
}


@dataclass(frozen=True)
class Comparison:
    """The rule as it is and with the change.

    `days` has a row per day; the others hold the tasks that only one of the two opens, or that the
    changed rule opens earlier.
    """

    rule_id: str
    params: model.Params
    changed: model.Params
    days: pd.DataFrame
    only_changed: pd.DataFrame
    only_now: pd.DataFrame
    earlier: pd.DataFrame


def changes_from(texts: Sequence[str], rule: model.Rule) -> dict[str, model.Param]:
    """The parameters of texts such as days_ahead=21, typed as the rule's; UserError for others."""
    found: dict[str, model.Param] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise UserError(f"--set {text}: write NAME=VALUE, as in --set days_ahead=21", 1)
        if name not in rule.params:
            raise UserError(
                f"--set {name}: the rule has no such parameter; "
                f"it has {', '.join(rule.params) or 'none'}",
                1,
            )
        kind = type(rule.params[name])
        try:
            found[name] = PARSE[kind](value)
        except ValueError:
            raise UserError(f"--set {text}: must be {model.TYPE_NAMES[kind]}", 1) from None
    return found


def backtest(
    settings: Settings,
    rule_id: str,
    changes: model.Params,
    folders: Sequence[tuple[Path, dt.datetime]],
    tell: Callable[[float, str], None] = lambda share, doing: None,
) -> Comparison:
    """Replay dated folders, each with its moment and in order, without and with the change."""
    applied = overrides.rules_in_force(settings)
    found, params = applied.rules, applied.find(rule_id).params
    if not folders:
        raise UserError("There are no dated folders of past extracts to test over", 1)
    written = settings.rules.get(rule_id, {})
    now = {**(written if isinstance(written, Mapping) else {}), **params}
    tasks_now, days_now = _replay(
        settings, found, rule_id, now, folders, lambda share, doing: tell(share / 2, doing)
    )
    tasks_changed, days_changed = _replay(
        settings,
        found,
        rule_id,
        {**now, **changes},
        folders,
        lambda share, doing: tell((1 + share) / 2, doing),
    )
    days = days_now.merge(days_changed, on="as_of", suffixes=("_now", "_changed"))
    both = tasks_now.merge(
        tasks_changed[["task_id", "opened_at"]], on="task_id", suffixes=("", "_changed")
    )
    return Comparison(
        rule_id=rule_id,
        params=dict(params),
        changed=dict(changes),
        days=days,
        only_changed=tasks_changed[
            ~tasks_changed["task_id"].isin(tasks_now["task_id"])
        ].reset_index(drop=True),
        only_now=tasks_now[~tasks_now["task_id"].isin(tasks_changed["task_id"])].reset_index(
            drop=True
        ),
        earlier=both[both["opened_at_changed"] < both["opened_at"]].reset_index(drop=True),
    )


def _replay(
    settings: Settings,
    found: Mapping[str, model.Rule],
    rule_id: str,
    of_rule: Mapping[str, object],
    folders: Sequence[tuple[Path, dt.datetime]],
    tell: Callable[[float, str], None],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tasks the rule made, and how many it opened, closed and left open in each run."""
    off = {other: {"enabled": False} for other in found if other != rule_id}
    with tempfile.TemporaryDirectory(prefix="backtest-") as scratch:
        data = Path(scratch)
        chosen = {**off, rule_id: {**of_rule, "enabled": True}}
        place = replace(
            settings, data=data, ledger_url=f"sqlite:///{data / 'ledger.sqlite'}", rules=chosen
        )
        days = []
        for number, (folder, as_of) in enumerate(folders):
            tell(number / len(folders), f"{as_of:%A, %B %-d}")
            report = run.run(place, folder, as_of)
            counts = report.decisions.get(rule_id, {})
            closed = sum(counts.get(kind, 0) for kind in CLOSED_BY_RUN)
            (answer,) = (answer for answer in report.answers if answer.rule_id == rule_id)
            days.append(
                {
                    "as_of": as_of,
                    "opened": counts.get("open", 0) + counts.get("came_back", 0),
                    "closed": closed,
                    "withheld": answer.reason or "",
                }
            )
        with open_worklist(place, folders[-1][1]) as worklist:
            tasks = worklist.tasks(Filters(status="all"))[COLUMNS]
    frame = pd.DataFrame(days)
    return tasks, frame.assign(open=(frame["opened"] - frame["closed"]).cumsum())
