"""The rules: what each is for, as set by the practice, what it has done, and what it would do with other parameters."""

import streamlit as st

from app_pages.ui import asking, backtest_panel, data_notice, names, rule_record, rule_words, url_state, workspace
from app_pages.ui.plain import plain
from pipelines.worklist import Filters

worklist = workspace.worklist()
rules = rule_words.book().rules
view = url_state.read("rules", [url_state.Param("rule", "Rule", "one", lambda: rules)])
rule = rules.get(view["rule"])

st.title(plain(rule.title) if rule else "Rules")
for problem in view.problems:
    st.warning(plain(problem), icon=":material/link_off:")

if rule is None:
    data_notice.show(worklist)
    st.text("One rule makes each type of task. Open one to see what it asks for, how it is set here, and to test other parameters over past days.")
    rule_words.show_list(worklist)
else:
    is_known = rule.rule_id in names.types(worklist)
    with st.container(horizontal=True):
        st.page_link(workspace.pages()["rules"], label="All rules", icon=":material/arrow_back:")
        if is_known:
            waiting = asking.summary(worklist, Filters(status="open", rule_ids=(rule.rule_id,)))["tasks"]
            query = {"type": [rule.rule_id], "status": "open"}
            st.page_link(workspace.pages()["tasks"], label=f"Open tasks: {waiting:,}", icon=":material/checklist:", query_params=query)
    rule_words.show_words(rule)
    st.subheader("Parameters")
    rule_words.show_parameters(worklist, rule)
    with st.expander("SQL: who needs one", icon=":material/code:"):
        st.code(rule.sql, language="sql")
    st.subheader("Last runs")
    rule_record.show_runs(worklist, rule)
    st.subheader("Time to clear")
    if is_known:
        rule_record.show_time_to_clear(worklist, rule)
    else:
        st.info("The newest run did not know this rule yet.", icon=":material/inbox:")
    st.subheader("Backtest")
    backtest_panel.show(worklist, rule)
