"""The dollars that wait in Uncollected Payments and Refund Request, by age."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from app_pages.components import chart, number_table
from app_pages.session import cached
from app_pages.session.markdown import caption
from app_pages.url import view as url_view
from pipelines.analytics import charts, outcomes
from pipelines.vocabulary import AGE_BANDS, OLDEST_AGE_BAND
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

EXPLANATION = (
    "Open tasks of these two types, deferred ones too. Age runs from the day the money was due, "
    "not from when the task was seen."
)


def show(worklist: Worklist, view: url_view.View, wanted: Filters) -> None:
    """The chart, then every number."""
    found = cached.ask(outcomes.money, worklist, wanted)
    if found.empty:
        st.info(
            "No money waits in Uncollected Payments or Refund Request with these filters.",
            icon=":material/payments:",
        )
        return
    st.subheader("How old is the money that waits?")
    titles: dict[str, str] = dict(
        found[["rule_id", "title"]].drop_duplicates().itertuples(index=False, name=None)
    )
    total = found["amount"].sum()
    st.metric(
        "Dollars waiting",
        f"${total:,.2f}",
        border=True,
        width=260,
        help="What Tasks shows as dollars waiting of the same open tasks",
    )
    grid = _grid(found, "amount").astype(float)
    old = grid.loc[OLDEST_AGE_BAND].sum()
    figure = charts.bars(
        grid.assign(named=list(AGE_BANDS.values())), "named", titles, "Dollars"
    ).update_yaxes(tickprefix="$")
    alt = (
        f"${total:,.2f} wait; ${old:,.2f} of them for 31 days or more. "
        "The chance of collecting falls once the patient has left."
    )
    chart.show(figure, alt, "aging.money", height=280)
    _show_table(view, replace(wanted, status="open"), found, titles)


def _grid(found: pd.DataFrame, values: str) -> pd.DataFrame:
    """Age band by type."""
    return (
        found.assign(age_band=found["age_band"].astype(str))
        .pivot(index="age_band", columns="rule_id", values=values)
        .reindex(list(AGE_BANDS))
        .fillna(0)
    )


def _show_table(
    view: url_view.View, wanted: Filters, found: pd.DataFrame, titles: dict[str, str]
) -> None:
    tasks, dollars = _grid(found, "tasks"), _grid(found, "amount").astype(float)
    rows = pd.DataFrame({"named": list(AGE_BANDS.values()), "band": list(AGE_BANDS)})
    for rule_id in titles:
        rows[f"{rule_id} tasks"] = tasks[rule_id].to_numpy(dtype=int)
        rows[f"{rule_id} dollars"] = dollars[rule_id].to_numpy()
    sums = rows.select_dtypes("number").sum().to_frame().T.assign(named="All ages", band=None)
    rows = pd.concat([sums, rows], ignore_index=True)

    def links(row: pd.Series) -> number_table.Links:
        bands = (row["band"],) if isinstance(row["band"], str) else ()
        for rule_id, title in titles.items():
            of_type = replace(wanted, rule_ids=(rule_id,), age_bands=bands or wanted.age_bands)
            yield title, int(row[f"{rule_id} tasks"]), of_type

    columns = {"named": number_table.text("Age")}
    for rule_id, title in titles.items():
        columns[f"{rule_id} tasks"] = number_table.number(f"{title}, tasks")
        columns[f"{rule_id} dollars"] = number_table.number(f"{title}, dollars", pattern="dollar")
    number_table.show(view, rows, columns, "Tasks and dollars waiting by age", links, name="money")
    st.markdown(caption(EXPLANATION))
