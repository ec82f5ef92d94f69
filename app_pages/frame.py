"""The frame around every page: sign-in, navigation, and the URL written back after the page."""

from pathlib import Path

import streamlit as st

from app_pages.components import data_notice, first_start
from app_pages.session import access_record, setup_roles
from app_pages.session.markdown import caption, escape_markdown
from app_pages.sign_in import identity
from app_pages.url import view

st.set_page_config(
    page_title="Task Workbench", page_icon=str(Path(__file__).parent / "icon.png"), layout="wide"
)
view.begin()

pages = {
    "dashboard": st.Page(
        "dashboard/page.py", title="Dashboard", icon=":material/space_dashboard:", default=True
    ),
    "tasks": st.Page("tasks/page.py", title="Tasks", icon=":material/checklist:", url_path="tasks"),
    "patient": st.Page(
        "patient/page.py", title="Patients", icon=":material/person:", url_path="patient"
    ),
    "backlog": st.Page(
        "backlog/page.py", title="Backlog", icon=":material/stacked_bar_chart:", url_path="backlog"
    ),
    "aging": st.Page(
        "aging/page.py", title="Aging", icon=":material/hourglass_bottom:", url_path="aging"
    ),
    "schedule": st.Page(
        "schedule/page.py", title="Schedule gaps", icon=":material/event_busy:", url_path="schedule"
    ),
    "rules": st.Page("rules/page.py", title="Rules", icon=":material/rule:", url_path="rules"),
    "reports": st.Page(
        "reports/page.py", title="Reports", icon=":material/description:", url_path="reports"
    ),
    "runs": st.Page("runs/page.py", title="Runs", icon=":material/sync:", url_path="runs"),
    "connect": st.Page(
        "connect/page.py", title="Connect", icon=":material/cable:", url_path="connect"
    ),
}
st.session_state["pages"] = pages
# Before sign-in: an unknown path becomes the first page.
page = st.navigation(list(pages.values()), position="hidden")

first_start.ensure_a_list()
person = identity.require()
st.session_state["person"] = person

with st.sidebar:
    st.markdown("### :material/task_alt: Task Workbench")
    links = st.container(gap="xxsmall")
    page_filters = st.container()
    st.session_state["sidebar"] = page_filters
    identity.show(person)
    limit = st.container()

data_notice.show_demo()
data_notice.show_limit(limit)
access_record.begin_page(page.url_path)
page.run()
access_record.end_page()

for name in view.write():
    st.warning(
        f"The address has a part “{escape_markdown(name)}” that this page does not know; it was "
        "left out.",
        icon=":material/link_off:",
    )
for name, target in pages.items():
    if name == "connect":
        if not setup_roles.may_connect(person.role):
            continue
        links.markdown(caption("Setup"))
    links.page_link(target, query_params=view.carried("facility"), width="stretch")
