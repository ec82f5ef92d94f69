"""Runs: how fresh the list is, Refresh, and what every run read, refused, applied and withheld."""

import datetime as dt

import streamlit as st

from app_pages.components import data_notice
from app_pages.runs import guards, record, refresh, start
from app_pages.session import workspace
from app_pages.session.markdown import escape_markdown
from app_pages.url import view as url_view
from pipelines.runs import history

worklist = workspace.worklist()
runs = history.runs(worklist.con)
view = url_view.read("runs", [url_view.Param("run", "Run", "one", lambda: set(runs["run_id"]))])

st.title("Runs")
data_notice.show(worklist)
for problem in view.problems:
    st.warning(escape_markdown(problem), icon=":material/link_off:")

refresh.show()
guards.show(worklist)
start.show(worklist)

st.subheader("History of runs")
record.show_history(worklist, runs, lambda run_id: view.set("run", run_id))

chosen = runs[runs["run_id"] == view["run"]] if view["run"] else runs.head(1)
for run in record.runs_of(chosen):
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(f"Run {run.run_no}", width="stretch")
        st.page_link(
            workspace.pages()["tasks"],
            label="The list it published",
            icon=":material/history:",
            query_params={"at": url_view.written(run.as_of.astimezone(dt.UTC))},
        )
    record.show_guards(worklist, run.run_no)
    record.show_rules(worklist, run.run_no)
    record.show_tables(worklist, run.run_no)
    record.show_refusals(worklist, run)
