"""After saving: how whoever looks after the workbench starts the nightly import."""

from __future__ import annotations

import shlex

import streamlit as st

from app_pages.connect.state import Place
from app_pages.session import workspace
from pipelines.sources.choices import Choices


def show(at: Place, choices: Choices) -> None:
    """The commands of the nightly import."""
    st.subheader("From tonight on")
    st.text(
        "Give these lines to whoever looks after the workbench. The first keeps running and reads "
        "each delivery once it has arrived; the second says that it is started with the machine."
    )
    if workspace.workspace().is_demo:
        st.text("Once the first list is published, start the workbench again to see it.")
    drop = shlex.quote(str(at.drop.resolve()))
    watch = f".venv/bin/python -m pipelines watch --source {choices.name} --from {drop}"
    st.code(watch, language=None)
    st.code(f"@reboot cd /path/to/workbench && {watch}", language=None)
