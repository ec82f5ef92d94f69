"""Links out of a task: to sections of the patient page, and to the EMR where it is configured."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

import pandas as pd
import streamlit as st

from app_pages.session import workspace

# A rule's name for a place: its label, and the section of the patient page that shows it.
PLACES = {
    "policies": ("Policies", "policies"),
    "authorizations": ("Authorizations", "policies"),
    "payments": ("Payments", "payments"),
    "documents": ("Clinical Documents", "documents"),
    "schedule": ("Schedule", "schedule"),
    "demographics": ("Demographics", "tasks"),
}


def show(task: pd.Series, places: Sequence[str]) -> None:
    """A link for each place of the rule, and the EMR's page where EMR_LINK_<PLACE> is set."""
    templates = workspace.workspace().settings.emr_links
    with st.container(horizontal=True):
        for place in places:
            label, section = PLACES[place]
            st.page_link(
                workspace.pages()["patient"],
                label=label,
                icon=":material/arrow_outward:",
                query_params={"patient_id": task["patient_id"], "section": section},
            )
            template = templates.get(f"EMR_LINK_{place.upper()}", "")
            if template.startswith(("https://", "http://")):
                st.link_button(
                    f"{label} in the EMR", filled(template, task), icon=":material/open_in_new:"
                )


def filled(template: str, task: pd.Series) -> str:
    """The template with {patient_id}, {case_id} and {subject_id} filled in, escaped for a URL."""
    for name in ("patient_id", "case_id", "subject_id"):
        value = task[name]
        text = "" if pd.isna(value) else quote(str(value), safe="")
        template = template.replace("{" + name + "}", text)
    return template
