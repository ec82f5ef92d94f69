"""The server: `streamlit run app.py` starts it; app_pages/frame.py is around every page."""

import streamlit as st

from app_pages.server import guard, log
from app_pages.session import errors
from pipelines.analytics import charts, survival  # noqa: F401 - loads Plotly before a request
from pipelines.operations import permissions

permissions.begin()
log.begin()
app = st.App(
    "app_pages/frame.py",
    middleware=guard.MIDDLEWARE,
    on_script_error=errors.show,
    exception_handlers={Exception: guard.broken},
)
