"""Who may connect a source: the practice administrator and the owner."""

from __future__ import annotations

import streamlit as st

from app_pages.session import workspace
from pipelines.vocabulary import ADMINISTRATOR_ROLE

ROLES = (ADMINISTRATOR_ROLE, "Business Owner")


def may_connect(role: str) -> bool:
    """Whether somebody with this role sees the page."""
    return role in ROLES


def require() -> None:
    """Stop the page for everybody else."""
    if not may_connect(workspace.person().role):
        st.info(
            f"Only a {' or '.join(ROLES)} can connect the practice's data.", icon=":material/lock:"
        )
        st.stop()
