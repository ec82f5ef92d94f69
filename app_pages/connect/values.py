"""Step 4: what the words of the files mean; every word has an answer, or its rows are refused."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app_pages.connect import state, words
from app_pages.connect.state import Place
from app_pages.session.markdown import caption, escape_markdown
from pipelines.errors import UserError
from pipelines.sources import choices as choices_module
from pipelines.sources.choices import REFUSE, Choices

REFUSE_ROWS = "Refuse these rows"


def summary(choices: Choices) -> str:
    """How many words have a meaning."""
    meanings = [meaning for of_column in choices.words.values() for meaning in of_column.values()]
    refused = sum(meaning == REFUSE for meaning in meanings)
    said = f"{len(meanings)} words are explained"
    return f"{said}, rows with {refused} of them are refused" if refused else said


def show(at: Place, choices: Choices) -> None:
    """A select for each word of each column that has a fixed set of meanings."""
    seen = state.seen(at, choices)
    found = list(choices_module.word_columns(choices, seen))
    if not found:
        st.text("No column of these files has words to explain.")
    open_words = choices_module.unanswered(choices, seen)
    if open_words:
        st.warning(
            f"Words that are not known: {open_words}. Say what they mean, or refuse their rows.",
            icon=":material/help:",
        )
    keys: list[tuple[str, str, str]] = []
    of_ours: dict[str, dict[str, str]] = {}
    for table, column, of_column in found:
        name = f"{table}.{column.name}"
        st.markdown(f"**{words.table(table)}: {words.column(column.name)}**")
        known = choices.words.get(name, {})
        same = [word for word in of_column if word in (column.allowed or ())]
        if same:
            of_ours[name] = {word: word for word in same}
            st.markdown(caption(f"The same here: {escape_markdown(', '.join(same))}"))
        for word in of_column:
            if word in same:
                continue
            key = state.widget(choices, "word", name, word)
            keys.append((name, word, key))
            ask(word, column.allowed or (), key, known.get(word))
    st.button(
        "These words are right",
        key="connect.confirm.words",
        type="primary",
        icon=":material/check:",
        on_click=state.action(_confirm),
        args=(at, choices, keys, of_ours),
    )


def ask(word: str, allowed: tuple[str, ...], key: str, known: str | None) -> None:
    """A word and the select of its meaning."""
    options = [*allowed, REFUSE]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"{escape_markdown(word)} →", width=220)
        st.selectbox(
            f"What {word} means",
            options,
            index=options.index(known) if known in options else None,
            placeholder="Choose",
            key=key,
            format_func=lambda value: value or REFUSE_ROWS,
            label_visibility="collapsed",
            width=260,
        )


def _confirm(
    at: Place,
    choices: Choices,
    keys: list[tuple[str, str, str]],
    of_ours: dict[str, dict[str, str]],
) -> None:
    asked = {name for name, _, _ in keys} | set(of_ours)
    answers = {
        name: {**choices.words.get(name, {}), **of_ours.get(name, {})} for name in sorted(asked)
    }
    unanswered = 0
    for name, word, key in keys:
        answer = state.value(key)
        if answer is None:
            unanswered += 1
        else:
            answers[name][word] = answer
    after = replace(choices, words=answers)
    if unanswered:
        state.keep(at, after)
        raise UserError(
            "One word still needs an answer."
            if unanswered == 1
            else f"{unanswered} words still need an answer."
        )
    after = choices_module.proposed_gaps(after)
    state.keep(at, after.with_done("words"))
