"""The progress bar of a job, the same for refresh, backtest, reports and the first start."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import streamlit as st

from app_pages.session.markdown import escape_markdown
from app_pages.sign_in import identity
from pipelines.operations.jobs import Job

T = TypeVar("T")
EVERY_SECONDS = 0.7
NO_WORDS: Mapping[str, str] = {}


def show(job: Job[T], *, by: str = "started by", words: Mapping[str, str] = NO_WORDS) -> None:
    """Follow a job that is going on, and run the page again when it is over.

    `words` says what the job reports in other words.
    """

    @st.fragment(run_every=EVERY_SECONDS)
    def progress() -> None:
        if job.is_over:
            identity.rerun_unattended()
        doing = escape_markdown(words.get(job.doing, job.doing))
        person = f" ({by} {escape_markdown(job.by)})" if job.by else ""
        st.progress(job.share, text=doing + person)

    progress()
