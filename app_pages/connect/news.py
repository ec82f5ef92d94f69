"""What is new in the last delivery, and held until somebody confirms it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from app_pages.connect import state, values, words
from app_pages.connect.state import Place
from app_pages.session.markdown import escape_markdown
from pipelines.operations import source_watch
from pipelines.sources import choices as choices_module
from pipelines.sources import differences
from pipelines.sources.choices import Choices
from pipelines.sources.differences import COLUMN, WORD, Difference, News


def show(at: Place, choices: Choices) -> None:
    """A line for each difference of the last import, with the button that confirms it."""
    if choices.step is not None:
        return
    news = differences.read(at.home / choices.name)
    if not news.found:
        return
    with st.container(border=True, key="connect.news"):
        st.subheader("What is new in the last delivery")
        st.text(
            "These tables stay as they were until you confirm what is new. The delivery is then "
            "read again."
        )
        for number, new in enumerate(news.found):
            _show_one(at, choices, news, number, new)


def _show_one(at: Place, choices: Choices, news: News, number: int, new: Difference) -> None:
    key = state.widget(choices, "news", str(number))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_sentence(new), width="stretch")
        if new.kind == WORD and new.what:
            options = [*_allowed(new), values.REFUSE]
            st.selectbox(
                f"What {new.what} means",
                options,
                index=None,
                placeholder="Choose",
                key=key,
                format_func=lambda value: value or values.REFUSE_ROWS,
                label_visibility="collapsed",
                width=220,
            )
        if new.what if new.kind == WORD else new.column:
            label = "Do not use it" if new.kind == COLUMN else "Confirm"
            st.button(
                label,
                key=f"{key}.confirm",
                icon=":material/check:",
                on_click=state.action(_confirm),
                args=(at, choices, news, new, key),
            )


def forget(at: Place, choices: Choices) -> None:
    """Once a connection is saved anew, nothing is new and the last delivery is read again."""
    news = differences.read(at.home / choices.name)
    if news.found:
        differences.write(at.home / choices.name, News("", ()))
        source_watch.forget(at.home / choices.name, news.delivery)


def _sentence(new: Difference) -> str:
    file, column = escape_markdown(new.file), escape_markdown(new.column)
    if new.kind == COLUMN:
        if not new.column:
            return f"**{file}** came without names of columns. Ask for the file with them."
        use = "To use it, change step 1 to this delivery."
        return f"**{file}** has a new column **{column}**. {use}"
    if new.kind == WORD and not new.what:
        return (
            f"**{file}**: {new.rows:,} rows have many unknown words for "
            f"{words.column(new.column)}; a wrong column may have been chosen. Change step 3."
        )
    if new.kind == WORD:
        return (
            f"**{file}** has a new word **{escape_markdown(new.what)}** for "
            f"{words.column(new.column)} in {new.rows:,} rows. It means:"
        )
    return f"**{file}** writes **{column}** in another way: {escape_markdown(new.what)}."


def _allowed(new: Difference) -> tuple[str, ...]:
    column = choices_module.of_contract(str(new.table), new.column)
    return column.allowed or () if column is not None else ()


def _confirm(at: Place, choices: Choices, news: News, new: Difference, key: str) -> None:
    answer = state.value(key) if new.kind == WORD else ""
    if answer is None:
        st.session_state[state.PROBLEM] = "Choose what the word means first."
        return
    after = choices_module.accept(choices, new, answer)
    choices_module.save(at.home, after)
    state.keep(at, after)
    left = tuple(one for one in news.found if one != new)
    differences.write(at.home / choices.name, News(news.delivery, left))
    if not left:
        source_watch.forget(at.home / choices.name, news.delivery)
        st.session_state[state.DONE] = (
            "All that was new is confirmed. The delivery is read again with the next look at the "
            "folder."
        )


def show_words(at: Place, choices: Choices, found: Sequence[Difference]) -> None:
    """The words that only the trial found, as a ready-made connection's: to answer at once."""
    asked = [one for one in found if one.kind == WORD and one.what]
    if not asked:
        return
    st.markdown("**Words that nobody has explained**")
    keys = []
    for number, new in enumerate(asked):
        key = state.widget(choices, "trial", str(number))
        keys.append(key)
        values.ask(new.what, _allowed(new), key, None)
    st.button(
        "Use these words and try again",
        key="connect.words.again",
        icon=":material/refresh:",
        on_click=state.action(_answer),
        args=(at, choices, asked, keys),
    )


def _answer(at: Place, choices: Choices, asked: list[Difference], keys: list[str]) -> None:
    after = choices
    for new, key in zip(asked, keys, strict=True):
        answer = state.value(key)
        if answer is not None:
            after = choices_module.accept(after, new, answer)
    state.keep(at, replace(after, done=choices.done))
