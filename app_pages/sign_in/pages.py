"""The pages before the workbench, without patients: sign in, choose your name, or read why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import streamlit as st

from app_pages.session.markdown import escape_markdown

SINGLE_SITE = (
    "No sign-in is set up: the workbench answers this computer only and does not check who you "
    "are. What you do is recorded under the name you choose."
)


NO_STAFF = (
    "Nobody is known here yet: deliver the staff table, or write your name below [practice] in the "
    'settings file, as in administrator = "Dana Ruiz", and run the pipeline again.'
)


@contextmanager
def _page(title: str, notice: str | None = None) -> Iterator[None]:
    with (
        st.container(horizontal_alignment="center"),
        st.container(width=520, border=True, gap="medium"),
    ):
        st.markdown(":material/task_alt: Task Workbench")
        st.title(title)
        if notice:
            st.info(escape_markdown(notice), icon=":material/lock_clock:")
        yield


def sign_in(
    providers: Mapping[str | None, str], notice: str | None, begin: Callable[[str | None], None]
) -> None:
    """A button for each provider: name in the settings → label."""
    with _page("Sign in", notice):
        st.markdown("Sign in with your practice’s account. The page you asked for opens then.")
        for name, label in providers.items():
            st.button(
                escape_markdown(label),
                key=f"identity.sign_in.{name}",
                type="primary",
                width="stretch",
                on_click=begin,
                args=(name,),
            )


def who_are_you(
    people: Sequence[tuple[str, str]], notice: str | None, choose: Callable[[], None]
) -> None:
    """Choose from (staff id, label); session state has the id under identity.chosen."""
    names = dict(people)
    if not names:
        with _page("Who are you?", notice):
            st.text(NO_STAFF)
        return
    with _page("Who are you?", notice):
        st.selectbox(
            "Your name",
            list(names),
            index=None,
            format_func=names.__getitem__,
            key="identity.chosen",
            placeholder="Type a part of your name",
        )
        st.button("Start", type="primary", width="stretch", on_click=choose)
        st.warning(SINGLE_SITE, icon=":material/computer:")


def go_on(shown_as: str, notice: str, again: Callable[[], None]) -> None:
    """For a person whom a sign-on proxy names: sign in again through the proxy."""
    with _page("You are signed out", notice):
        st.markdown("To end the session of your sign-on as well, sign out there.")
        st.button(
            f"Go on as {escape_markdown(shown_as)}", type="primary", width="stretch", on_click=again
        )


def no_facility() -> None:
    """For staff who are limited to their own facilities and have none."""
    with _page("You have no facility here"):
        st.text(
            "Staff see the tasks of their own facilities only, and your record in the EMR names "
            "none."
        )
        st.text(
            "Ask the practice to enter your facility in the EMR’s staff list, or ask the person "
            "who looks after the workbench to give you your facilities."
        )


def refused(
    why: str, remedy: str, *, shown_as: str | None, other_account: Callable[[], None] | None
) -> None:
    """Why a person may not sign in, what to do, and the way to another account."""
    with _page("You cannot use the workbench"):
        if shown_as is not None:
            st.markdown(f"You are signed in as **{escape_markdown(shown_as)}**.")
        st.error(escape_markdown(why), icon=":material/block:")
        st.markdown(escape_markdown(remedy))
        if other_account is not None:
            st.button(
                "Use another account", type="primary", width="stretch", on_click=other_account
            )
        elif shown_as is not None:
            st.markdown("To use another account, sign out of your sign-on first.")
