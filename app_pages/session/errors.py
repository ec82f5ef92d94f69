"""When something fails on a page: a sentence there, and in the log where it failed."""

from __future__ import annotations

import streamlit as st

from app_pages.session.markdown import escape_markdown
from pipelines.errors import UserError
from pipelines.operations import logs


def show(error: Exception) -> bool:
    """What a page says instead of a traceback; the code is also in the log. True: nothing else is to be shown."""
    if isinstance(error, UserError):
        st.error(escape_markdown(error), icon=":material/error:")
    else:
        st.error(
            f"Something went wrong on this page; what you had done before is kept. Reload the page. If it happens again, "
            f"tell who looks after the workbench this code, which is also in its log: **{logs.code(error)}**",
            icon=":material/error:",
        )
    return True
