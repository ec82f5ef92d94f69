"""Time travel: the list as it was at the moment in the URL, to look at and not to work."""

from __future__ import annotations

import datetime as dt

import streamlit as st

from app_pages.session import workspace
from app_pages.session.markdown import caption, escape_markdown
from app_pages.session.times import local_times
from app_pages.url import view as url_view
from pipelines.worklist.past import PastWorklists, evening_of
from pipelines.worklist.worklist import Worklist

PARAM = url_view.Param("at", "As it was", "moment")


def worklist(view: url_view.View) -> Worklist:
    """The list of this view: now, or at the moment in its URL; a future moment means now."""
    now = workspace.worklist()
    at = _moment(view, now)
    if at is None:
        return now
    if at >= now.at:
        view.set("at", None)
        view.problems.append(
            "As it was: that moment has not come yet; this is the list as it is now"
        )
        return now
    return _lists().at(at, workspace.visible_facilities())


def again(shown: Worklist) -> Worklist:
    """A reader of the same past list, for another thread."""
    return _lists().at(shown.at, shown.state.facility_ids)


def is_on(view: url_view.View) -> bool:
    """Whether the view shows a past list, in which there is nothing to do."""
    return view["at"] is not None


def show_picker(view: url_view.View) -> None:
    """The day to look back at, for the sidebar."""
    today = workspace.now().date()
    key = f"{view.scope}.past"
    at = url_view.moment(view["at"]) if view["at"] else None
    st.session_state[key] = at.date() if isinstance(at, dt.datetime) else at

    def take() -> None:
        chosen = st.session_state[key]
        view.set("at", None if chosen is None or chosen >= today else url_view.written(chosen))

    st.date_input(
        "As it was in the evening of",
        key=key,
        max_value=today,
        on_change=url_view.touch(take),
        help="Empty means now",
    )


def show_banner(view: url_view.View, shown: Worklist) -> None:
    """That this is the past, and the way back."""
    if view["at"] is None:
        return

    def back() -> None:
        view.set("at", None)

    with st.container(horizontal=True, vertical_alignment="center", border=True, key="past.banner"):
        st.markdown(
            f":material/history: **The list as it was {escape_markdown(_when(view, shown))}.** "
            "Nothing can be done to it.",
            width="stretch",
        )
        st.button(
            "Back to now", key="past.back", icon=":material/update:", on_click=url_view.touch(back)
        )
    st.markdown(caption("Names of patients, payers and staff are those of the newest extracts."))


def _when(view: url_view.View, shown: Worklist) -> str:
    found = url_view.moment(view["at"])
    if isinstance(found, dt.datetime):
        return (
            f"{local_times(shown, shown.facilities()['facility_id'].tolist(), found)}, {found:%Y}"
        )
    return f"in the evening of {found:%A, %B %-d, %Y}"


def _moment(view: url_view.View, now: Worklist) -> dt.datetime | None:
    if view["at"] is None:
        return None
    found = url_view.moment(view["at"])
    if isinstance(found, dt.datetime):
        return found
    return evening_of(now, found)


@st.cache_resource(show_spinner=False)
def _lists() -> PastWorklists:
    place = workspace.workspace()
    return PastWorklists(place.settings, place.shared.ledger)
