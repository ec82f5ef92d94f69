"""The runs: how fresh the list is, a run at once, and what every run read, refused, asked and withheld."""

import datetime as dt

import streamlit as st

from app_pages.ui import data_notice, refresh_panel, run_record, url_state, workspace
from app_pages.ui.plain import plain
from pipelines import records

worklist = workspace.worklist()
runs = records.runs(worklist.con)
view = url_state.read("runs", [url_state.Param("run", "Run", "one", lambda: set(runs["run_id"]))])

st.title("Runs")
data_notice.show(worklist)
for problem in view.problems:
    st.warning(plain(problem), icon=":material/link_off:")

refresh_panel.show()

st.subheader("History of runs")
run_record.show_history(worklist, runs, lambda run_id: view.set("run", run_id))

chosen = runs[runs["run_id"] == view["run"]] if view["run"] else runs.head(1)
for run in chosen.itertuples():
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(f"Run {run.run_no}", width="stretch")
        query = {"at": url_state.written(run.as_of.to_pydatetime().astimezone(dt.UTC))}
        st.page_link(workspace.pages()["tasks"], label="The list it published", icon=":material/history:", query_params=query)
    run_record.show_rules(worklist, run.run_no)
    run_record.show_tables(worklist, run.run_no)
    run_record.show_refusals(worklist, run.run_no, run.run_id)
