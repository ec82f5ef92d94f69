"""The server: `streamlit run app.py` starts it. What every page stands in is app_pages/frame.py."""

import streamlit as st

from app_pages.ui import failures, server, server_log
from pipelines import charts, measures, private  # noqa: F401 - or the first person to open a chart would wait a second for what they import

private.begin()
server_log.begin()
app = st.App(
    "app_pages/frame.py",
    middleware=server.MIDDLEWARE,
    on_script_error=failures.show,
    exception_handlers={Exception: server.broken},
)
