"""What a rule has done: its last runs, and how long its tasks take to clear."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from app_pages.components import chart, run_times
from app_pages.session.markdown import caption, escape_markdown
from pipelines.analytics import charts, survival
from pipelines.rules.model import Rule
from pipelines.runs import history
from pipelines.vocabulary import CLOSE_KINDS, CLOSED_BY_RUN
from pipelines.worklist.at import State
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

RUNS, RUNS_DRAWN = 30, 14
COUNTS = {
    "opened": "Opened",
    **{name: CLOSE_KINDS[name].short_label for name in CLOSED_BY_RUN},
}
DRAWN = {name: COUNTS[name] for name in ("opened", "cleared", "converted")}


def show_runs(worklist: Worklist, rule: Rule) -> None:
    """Opened, cleared and converted tasks of the last runs, as a chart and as a table."""
    runs = history.rule_runs(worklist.con, rule.rule_id, RUNS)
    if runs.empty:
        st.info("No run has asked this rule yet.", icon=":material/inbox:")
        return
    withheld = runs[runs["is_withheld"].astype(bool)]
    if not withheld.empty:
        last = withheld.iloc[0]
        st.warning(
            f"Withheld in {len(withheld)} of the last {len(runs)} runs, "
            f"last in run {last['run_no']}: {escape_markdown(last['reason'])}",
            icon=":material/pause_circle:",
        )
    drawn = runs.head(RUNS_DRAWN).iloc[::-1]
    drawn = drawn.assign(
        run=[
            f"{at:%b %-d}<br>run {number}"
            for at, number in zip(drawn["as_of"], drawn["run_no"], strict=True)
        ]
    )
    said = ", ".join(f"{int(drawn[name].sum()):,} {label.lower()}" for name, label in DRAWN.items())
    figure = charts.bars(drawn, "run", DRAWN, "Tasks")
    chart.show(
        figure, f"Tasks by run, in the last {len(drawn)} runs: {said}.", "rules.runs", height=240
    )
    _show_table(worklist, runs)


def _show_table(worklist: Worklist, runs: pd.DataFrame) -> None:
    shown = runs.assign(as_of=run_times.local(worklist, runs["as_of"]))
    st.dataframe(
        shown[
            [
                "run_no",
                "as_of",
                "candidates",
                *COUNTS,
                "held",
                "reason",
            ]
        ],
        hide_index=True,
        row_height=36,
        height=min(36 * (len(shown) + 1) + 3, 258),
        placeholder="",
        alt=f"The last {len(shown)} runs: what the rule asked for, what became of it, "
        "and why it was withheld",
        column_config={
            "run_no": st.column_config.NumberColumn("Run", format="%d", width=60),
            "as_of": st.column_config.DatetimeColumn(
                run_times.heading(worklist, "As of"), format="MMM D, YYYY, HH:mm", width=150
            ),
            "candidates": st.column_config.NumberColumn("Asks for", format="localized"),
            **{
                name: st.column_config.NumberColumn(label, format="localized")
                for name, label in COUNTS.items()
            },
            "held": st.column_config.NumberColumn(
                "Held",
                help="Not opened, changed or closed: a row that could not be read may concern them",
            ),
            "reason": st.column_config.TextColumn("Withheld because", width=260),
        },
    )


def show_time_to_clear(worklist: Worklist, rule: Rule) -> None:
    """The median days of cleared tasks, and of all tasks with the others censored."""
    found = _survivals(worklist.state, rule.rule_id, worklist)
    if not found:
        st.info("This rule has made no task yet.", icon=":material/inbox:")
        return
    (all_tasks,) = found
    with st.grid(5, min_column_width=140):
        st.metric(
            "Median, cleared",
            _days(all_tasks.naive_median),
            border=True,
            height="stretch",
            help="Too short: the slow ones are still open",
        )
        st.metric(
            "Median, all",
            _days(all_tasks.median),
            delta=_limits(all_tasks),
            delta_color="off",
            delta_arrow="off",
            border=True,
            height="stretch",
            help="Kaplan–Meier estimate with its 95 percent limits: "
            "open tasks count for as long as they have waited",
        )
        st.metric(
            "Cleared",
            f"{all_tasks.cleared:,}",
            border=True,
            height="stretch",
            help="By the system, or completed by a person",
        )
        st.metric("Still open", f"{all_tasks.still_open:,}", border=True, height="stretch")
        st.metric(
            "Ended otherwise",
            f"{all_tasks.ended_otherwise:,}",
            border=True,
            height="stretch",
            help="Withdrawn, discharged, the record is gone, or it became another task",
        )
    st.markdown(
        caption(
            f"Days since the task fell due in the data; {all_tasks.late_entries:,} of the tasks "
            f"were first seen more than {survival.LATE_DAYS} day after that."
        )
    )


@st.cache_data(max_entries=100, show_spinner=False)
def _survivals(state: State, rule_id: str, _worklist: Worklist) -> list[survival.Survival]:
    return survival.survivals(_worklist, Filters(status="all", rule_ids=(rule_id,)))


def _days(number: float | None) -> str:
    return "not reached" if number is None else "1 day" if number == 1 else f"{number:g} days"


def _limits(found: survival.Survival) -> str:
    lower, upper = (
        f"{limit:g}" if limit is not None else None
        for limit in (found.median_lower, found.median_upper)
    )
    return (
        "no limits"
        if lower is None
        else f"{lower} or more"
        if upper is None
        else f"{lower} to {upper}"
    )
