"""Links from a number to exactly the tasks it counts, at the moment the page shows."""

from __future__ import annotations

import streamlit as st

from app_pages.session import workspace
from app_pages.session.markdown import caption, escape_markdown
from app_pages.url import task_link
from app_pages.url import view as url_view
from pipelines.worklist.filters import Filters


def link(
    view: url_view.View, label: str, wanted: Filters | None, task_id: str | None = None
) -> None:
    """To these tasks on the Tasks page, or to one of them; no link where it cannot list them."""
    if wanted is not None:
        _link(view, escape_markdown(label), wanted, task_id)


def card(
    view: url_view.View, label: str, number: str, wanted: Filters | None, note: str = ""
) -> None:
    """A number with its name and a note; a link where it counts tasks."""
    with st.container(border=True, gap="xxsmall", height="stretch"):
        text = f"{escape_markdown(label)}: **{escape_markdown(number)}**"
        if wanted is None:
            st.markdown(text)
        else:
            _link(view, text, wanted)
        if note:
            st.markdown(caption(escape_markdown(note)))


def _link(view: url_view.View, markdown: str, wanted: Filters, task_id: str | None = None) -> None:
    # Not st.switch_page: it leaves an address in the browser's history that this page cannot read.
    query = task_link.query_of(wanted, view["at"]) | ({"task": [task_id]} if task_id else {})
    st.page_link(
        workspace.pages()["tasks"], label=markdown, icon=":material/checklist:", query_params=query
    )
