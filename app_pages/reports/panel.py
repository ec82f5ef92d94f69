"""The report that is asked for: the button, how far it is, and what was made, to download or to read."""

from __future__ import annotations

import streamlit as st

from app_pages.reports import report_job
from app_pages.reports import view as reports_view
from app_pages.reports.report_job import Making
from app_pages.session import workspace
from app_pages.session.markdown import caption, escape_markdown
from app_pages.sign_in import identity
from app_pages.url import view as url_view
from pipelines import reports
from pipelines.errors import UserError

MINE, PROBLEM = "reports.mine", "reports.problem"
KINDS = {
    "html": ("Download the page", "text/html", "Opens in any browser, also without a network"),
    "xlsx": (
        "Download the tables",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "The report's tables, a sheet each",
    ),
}


def show(view: url_view.View) -> None:
    """The button, and this session's last report."""
    going = report_job.makings().going
    st.button(
        "Make the report",
        key="reports.make",
        type="primary",
        icon=":material/description:",
        disabled=going is not None,
        on_click=url_view.touch(_start),
        args=(view,),
    )
    if problem := st.session_state.pop(PROBLEM, None):
        st.error(escape_markdown(problem), icon=":material/error:")
    if going is not None:
        _show_progress(going)
    mine: Making | None = st.session_state.get(MINE)
    if mine is None or not mine.is_over or mine.query != view.query():
        if going is None:
            st.info(
                "Nothing was made for these choices yet. It takes up to a minute.",
                icon=":material/hourglass_empty:",
            )
        return
    if mine.failed:
        st.error(
            f"The report was not made. {escape_markdown(mine.failed)}", icon=":material/error:"
        )
        return
    with st.container(horizontal=True):
        for name, content in mine.files.items():
            label, mime, tip = KINDS[name.rpartition(".")[2]]
            st.download_button(
                label,
                content,
                name,
                mime,
                key=f"reports.{name}",
                icon=":material/download:",
                on_click="ignore",
                help=tip,
            )
    if page := mine.files.get(f"{reports.DIGEST}.html"):
        st.html(page.decode("utf-8"))
    else:
        st.markdown(
            caption(
                "The page draws its own charts, so it opens outside the workbench: download it."
            )
        )


def _start(view: url_view.View) -> None:
    try:
        now = workspace.worklist()
        if workspace.visible_facilities() is not None and view["facility"] is None:
            raise UserError(
                "Choose one of your facilities first: a report of all of them holds others’ numbers."
            )
        days = reports_view.days(view, now) if view["days"] else None
        asked = report_job.arguments(view["report"], days, view["facility"], now.at)
        wanted = Making(workspace.person().name, view.query())
        report_job.makings().start(wanted, asked)
        st.session_state[MINE] = wanted
    except UserError as error:
        st.session_state[PROBLEM] = str(error)


def _show_progress(going: Making) -> None:
    @st.fragment(run_every=0.7)
    def progress() -> None:
        if going.is_over:
            identity.rerun_unattended()
        st.progress(
            going.share,
            text=f"{escape_markdown(going.doing)} (asked for by {escape_markdown(going.by)})",
        )

    progress()
