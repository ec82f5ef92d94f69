"""The link of a view, and the views a person has given a name."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import streamlit as st

from app_pages.session import patient_data, workspace
from app_pages.session.markdown import caption, escape_markdown
from app_pages.url import view as url_view
from pipelines.errors import UserError

PROBLEM = "views.problem"


def show_menu(view: url_view.View, page: str) -> None:
    """Copy the link of what is shown, keep it under a name, and go to what was kept before."""
    query = urlencode(view.query(task=None, page=1), doseq=True)
    with st.popover("Copy link", icon=":material/link:"):
        st.markdown(
            caption(
                "This address opens this very view, also in another browser. It holds ids only, no "
                "names."
            )
        )
        st.code(_address(page, query), language=None, wrap_lines=True)
    with st.popover("Saved views", icon=":material/bookmark:"):
        _show_saved(page, query)


def _address(page: str, query: str) -> str:
    parts = urlsplit(st.context.url or "")
    host = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
    return f"{host}/{page}" + (f"?{query}" if query else "")


def _show_saved(page: str, query: str) -> None:
    ledger, person = workspace.workspace().shared.ledger, workspace.person()
    saved = patient_data.saved_views(ledger.views(person.staff_id))
    if not saved:
        st.markdown(
            caption(
                "None yet. Filter the list, give it a name, and it is here on any machine you sign "
                "in at."
            )
        )
    for number, kept in enumerate(saved):
        with st.container(horizontal=True, vertical_alignment="center"):
            target = workspace.pages()[kept.page]
            st.page_link(
                target,
                label=escape_markdown(kept.name),
                icon=":material/bookmark:",
                query_params=parse_qs(kept.query or ""),
                width="stretch",
            )
            st.button(
                "Remove",
                key=f"views.remove.{number}",
                type="tertiary",
                on_click=url_view.touch(_remove),
                args=(kept.name,),
            )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Name for this view",
            key="views.name",
            max_chars=60,
            placeholder="Tuesday copays",
            on_change=url_view.touch(),
        )
        st.button("Save", key="views.save", on_click=url_view.touch(_save), args=(page, query))
    if problem := st.session_state.pop(PROBLEM, None):
        st.error(escape_markdown(problem))


def _save(page: str, query: str) -> None:
    name = st.session_state.get("views.name", "")
    try:
        workspace.workspace().shared.ledger.save_view(
            at=workspace.now(),
            staff_id=workspace.person().staff_id,
            name=name,
            page=page,
            query=query,
        )
        st.session_state["views.name"] = ""
    except UserError as error:
        st.session_state[PROBLEM] = str(error)


def _remove(name: str) -> None:
    workspace.workspace().shared.ledger.remove_view(
        at=workspace.now(), staff_id=workspace.person().staff_id, name=name
    )
