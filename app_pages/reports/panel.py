"""The report that is asked for: the button, its progress, and the files to download or to read."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from app_pages.components import job_progress
from app_pages.reports import view as reports_view
from app_pages.session import patient_data, workspace
from app_pages.session.markdown import caption, escape_markdown
from app_pages.url import view as url_view
from pipelines import reports
from pipelines.errors import UserError
from pipelines.operations.jobs import Job, JobSlot
from pipelines.settings import Settings

Files = Mapping[str, bytes]  # by name
MINE, PROBLEM = "reports.mine", "reports.problem"
ASKED_BY = "asked for by"
KINDS = {
    "html": ("Download the page", "text/html", "Opens in any browser, also without a network"),
    "xlsx": (
        "Download the tables",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "The report's tables, a sheet each",
    ),
}


@dataclass(frozen=True)
class AskedReport:
    """A report this session asked for, with the page's query, as it is shown for no other."""

    job: Job[Files]
    query: Mapping[str, Sequence[str]]


def show(view: url_view.View) -> None:
    """The button, and this session's last report."""
    going = report_jobs().going
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
        job_progress.show(going, by=ASKED_BY)
    mine: AskedReport | None = st.session_state.get(MINE)
    if mine is None or not mine.job.is_over or mine.query != view.query():
        if going is None:
            st.info(
                "Nothing was made for these choices yet. It takes up to a minute.",
                icon=":material/hourglass_empty:",
            )
    elif mine.job.failed:
        st.error(
            f"The report was not made. {escape_markdown(mine.job.failed)}",
            icon=":material/error:",
        )
    else:
        address = f"reports?{urlencode(mine.query, doseq=True)}"
        _show_files(patient_data.report(mine.job.result or {}, address))


@st.cache_resource(show_spinner=False)
def report_jobs() -> JobSlot[Files]:
    """This server's reports, which stay in memory and not on a disk."""
    return JobSlot()


def _show_files(files: Files) -> None:
    with st.container(horizontal=True):
        for name, content in files.items():
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
    if page := files.get(f"{reports.DIGEST}.html"):
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
                "Choose one of your facilities first: "
                "a report of all facilities would show numbers of others."
            )
        days = reports_view.days(view, now) if view["days"] else None
        arguments = _arguments(view["report"], days, view["facility"], now.at)
        settings = workspace.workspace().settings
        mine = Job(workspace.person().name, partial(_make, settings, arguments))
        going = report_jobs().start(mine)
        if going is not mine:
            raise UserError(
                f"A report that {going.by} asked for is being made. Ask for yours when it is done."
            )
        st.session_state[MINE] = AskedReport(mine, view.query())
    except UserError as error:
        st.session_state[PROBLEM] = str(error)


def _arguments(
    report: str, days: tuple[dt.date, dt.date] | None, facility: str | None, at: dt.datetime
) -> list[str]:
    """The command line of a report; without days those it usually has."""
    kind = ["--digest"] if report == reports.DIGEST else ["--notebook", report]
    arguments = ["report", *kind, "--at", at.isoformat()]
    if days is not None:
        first, last = (day.isoformat() for day in days)
        is_week = report == reports.DIGEST
        arguments += ["--from", last] if is_week else ["--from", first, "--to", last]
    return arguments + (["--facility", facility] if facility else [])


def _make(settings: Settings, arguments: Sequence[str], job: Job[Files]) -> Files:
    with tempfile.TemporaryDirectory(prefix="report") as out:
        job.run_command(settings, [*arguments, "--out", out])
        return {path.name: path.read_bytes() for path in sorted(Path(out).iterdir())}
