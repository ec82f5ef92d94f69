"""The facility of pages that show one at a time: the URL's, else the person's own."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app_pages.session import workspace
from app_pages.session.markdown import escape_markdown
from app_pages.url import view as url_view
from app_pages.url.view import View


def choose(view: View, facilities: Mapping[str, str]) -> str:
    """The facility shown, with its select box in the sidebar; links to other pages keep it.

    Without one in the URL it is the person's own; writing it there would break the Back button.
    """
    own = workspace.person().facility_id
    facility_id: str = next(iter(facilities))
    if view["facility"]:
        facility_id = view["facility"][0]
    elif own is not None and own in facilities:
        facility_id = own
    url_view.carry("facility", [facility_id])
    key = f"{view.scope}.one"

    def take() -> None:
        view.set("facility", [st.session_state[key]])

    with st.session_state["sidebar"]:
        st.session_state[key] = facility_id
        st.selectbox(
            "Facility",
            list(facilities),
            key=key,
            format_func=facilities.__getitem__,
            on_change=url_view.touch(take),
        )
    return facility_id


def say_one_of_several(
    view: View, facilities: Mapping[str, str], facility_id: str, page: str
) -> None:
    """That the URL named more facilities than this page shows."""
    if len(view["facility"]) > 1:
        st.info(
            f"The {page} shows one facility at a time: "
            f"{escape_markdown(facilities[facility_id])}. Tasks shows several."
        )
