"""Connect: from a delivery of the practice's EMR to a list of tasks, step by step."""

import streamlit as st

from app_pages.connect import delivery, news, state, steps
from app_pages.session import setup_roles, workspace
from app_pages.session.markdown import escape_markdown
from app_pages.url import view as url_view
from pipelines.errors import UserError
from pipelines.sources import choices as choices_module

home = workspace.workspace().practice.sources
view = url_view.read(
    "connect", [url_view.Param("source", "Connection", "one", lambda: choices_module.begun(home))]
)

st.title("Connect")
setup_roles.require()
for problem in view.problems:
    st.warning(escape_markdown(problem), icon=":material/link_off:")
if message := st.session_state.pop(state.PROBLEM, None):
    st.error(escape_markdown(message), icon=":material/error:")
if message := st.session_state.pop(state.DONE, None):
    st.success(escape_markdown(message), icon=":material/check_circle:")

at = state.place(view)
if at is None:
    st.info(
        "Ask whoever looks after the workbench to set WORKBENCH_DROP to the folder where your "
        "EMR's files arrive, and to start the workbench again.",
        icon=":material/folder_off:",
    )
    st.stop()

st.text(
    "Tell the workbench what your EMR delivers. Nothing is used before you have confirmed it, and "
    "you can leave at any step and go on later."
)
try:
    delivery.show_sources(at)
    chosen = choices_module.load(at.home, view["source"]) if view["source"] else None
    if chosen is not None:
        news.show(at, chosen)
    steps.show(at, chosen)
except UserError as error:
    st.error(escape_markdown(error), icon=":material/error:")
