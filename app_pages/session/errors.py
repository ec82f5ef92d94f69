"""When something fails on a page: a sentence there, and the place in the log."""

from __future__ import annotations

import streamlit as st

from app_pages.session.markdown import escape_markdown
from pipelines.errors import UserError
from pipelines.operations import logs


def show(error: Exception) -> bool:
    """Show a sentence instead of a traceback, with the log's code; True: show nothing else."""
    if isinstance(error, UserError):
        st.error(escape_markdown(error), icon=":material/error:")
    else:
        st.error(
            "Something went wrong on this page; what you had done before is kept. Reload the page. "
            "If it happens again, tell the person who looks after the workbench this code, "
            "which is also in its log: "
            f"**{logs.code(error)}**",
            icon=":material/error:",
        )
    return True
