"""The rules: purpose, parameters, past runs, and a backtest of other parameters."""

import streamlit as st

from app_pages.components import data_notice
from app_pages.rules import backtest_form, history, words
from app_pages.session import cached, labels, workspace
from app_pages.session.markdown import escape_markdown
from app_pages.url import view as url_view
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

worklist = workspace.worklist()
rules = workspace.rules().applied.rules
view = url_view.read("rules", [url_view.Param("rule", "Rule", "one", lambda: rules)])
rule = rules.get(view["rule"])

st.title(escape_markdown(rule.title) if rule else "Rules")
for problem in view.problems:
    st.warning(escape_markdown(problem), icon=":material/link_off:")

if rule is None:
    data_notice.show(worklist)
    st.text(
        "One rule makes each type of task. Open one to see what it asks for and how it is set "
        "here, and to test other parameters over past days."
    )
    words.show_list(worklist)
else:
    is_known = rule.rule_id in labels.types(worklist)
    with st.container(horizontal=True):
        st.page_link(workspace.pages()["rules"], label="All rules", icon=":material/arrow_back:")
        if is_known:
            waiting = cached.ask(
                Worklist.summary, worklist, Filters(status="open", rule_ids=(rule.rule_id,))
            )["tasks"]
            query = {"type": [rule.rule_id], "status": "open"}
            st.page_link(
                workspace.pages()["tasks"],
                label=f"Open tasks: {waiting:,}",
                icon=":material/checklist:",
                query_params=query,
            )
    words.show_limits(worklist, rule)
    words.show_words(rule)
    st.subheader("Parameters")
    words.show_parameters(worklist, rule)
    with st.expander(
        "The exact definition, for whoever maintains the rules", icon=":material/code:"
    ):
        st.code(rule.sql, language="sql")
    st.subheader("Last runs")
    history.show_runs(worklist, rule)
    st.subheader("Time to clear")
    if is_known:
        history.show_time_to_clear(worklist, rule)
    else:
        st.info("The newest run did not know this rule yet.", icon=":material/inbox:")
    st.subheader("Backtest")
    backtest_form.show(worklist, rule)
