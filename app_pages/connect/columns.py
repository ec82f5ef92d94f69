"""Step 3: which column of ours each column of a file is."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app_pages.connect import state, words
from app_pages.connect.state import Place
from app_pages.session.markdown import caption, escape_markdown
from pipelines.errors import UserError
from pipelines.extracts import contract
from pipelines.sources import choices as choices_module
from pipelines.sources.choices import Choices
from pipelines.sources.looking import SeenColumn, SeenFile
from pipelines.sources.recognising import ColumnMatch

NOT_USED = "Not used"


def summary(choices: Choices) -> str:
    """How many columns are used."""
    used = sum(len(of_file) for of_file in choices.columns.values())
    return f"{used} columns are used"


def show(at: Place, choices: Choices) -> None:
    """A tab for each file; columns that are matched first, the others folded away."""
    seen = state.seen(at, choices)
    used = [one for one in seen.files if choices.files.get(one.relation)]
    st.text(
        "On the left what your file says, with values made unreadable; on the right what it means "
        "here."
    )
    labels = [words.table(str(choices.files[one.relation])) for one in used]
    several = len(set(labels)) < len(labels)
    tabs = st.tabs(
        [one.file if several else label for one, label in zip(used, labels, strict=True)]
    )
    for tab, one in zip(tabs, used, strict=True):
        with tab:
            _show_file(choices, one)
    st.button(
        "These columns are right",
        key="connect.confirm.columns",
        type="primary",
        icon=":material/check:",
        on_click=state.action(_confirm),
        args=(at, choices, used),
    )


def _show_file(choices: Choices, file: SeenFile) -> None:
    chosen = choices.columns.get(file.relation, {})
    matches = {one.theirs: one for one in file.match.columns} if file.match else {}
    st.markdown(caption(f"{escape_markdown(file.file)}, {file.rows:,} rows"))
    for column in file.columns:
        if column.name in chosen:
            _show_column(choices, file, column, matches.get(column.name))
    table = str(choices.files[file.relation])
    lacking = [
        words.column(one.name)
        for one in contract.columns(table)
        if not one.is_nullable and one.name not in chosen.values()
    ]
    if lacking:
        st.warning(
            f"No column was found for: {', '.join(lacking)}. Choose one below, or answer it in a "
            "later step.",
            icon=":material/help:",
        )
    others = [column for column in file.columns if column.name not in chosen]
    if others:
        with st.expander(f"Columns that are not used: {len(others)}"):
            for column in others:
                _show_column(choices, file, column, None)


def _show_column(
    choices: Choices, file: SeenFile, column: SeenColumn, match: ColumnMatch | None
) -> None:
    table = str(choices.files[file.relation])
    options = [NOT_USED, *(one.name for one in contract.columns(table))]
    ours = choices.columns.get(file.relation, {}).get(column.name, NOT_USED)
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.container(width=300, gap=None):
            st.text(column.name)
            st.markdown(caption(escape_markdown(" · ".join(column.samples) or "always empty")))
        st.selectbox(
            f"What {column.name} of {file.file} is",
            options,
            index=options.index(ours) if ours in options else 0,
            key=state.widget(choices, "column", file.relation, column.name),
            format_func=lambda name: name if name == NOT_USED else words.column(name),
            label_visibility="collapsed",
            width=260,
        )
        if match is not None and match.column == ours:
            sure = escape_markdown(f"{match.confidence:.0%} sure: {match.proof}")
            with st.container(width=320):
                st.markdown(caption(sure))


def _confirm(at: Place, choices: Choices, used: list[SeenFile]) -> None:
    columns: dict[str, dict[str, str]] = {}
    for file in used:
        chosen: dict[str, str] = {}
        for column in file.columns:
            ours = state.value(state.widget(choices, "column", file.relation, column.name))
            if ours is None or ours == NOT_USED:
                continue
            if ours in chosen.values():
                raise UserError(
                    f"{file.file}: two columns are {words.column(ours)}. Choose one of them, and "
                    f"“{NOT_USED}” for the other."
                )
            chosen[column.name] = ours
        columns[file.relation] = chosen
    after = replace(choices, columns=columns)
    after = choices_module.proposed_words(after, state.seen(at, after))
    state.keep(at, after.with_done("columns"))
