"""Step 2: which table each file is."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app_pages.connect import state, words
from app_pages.connect.state import Place
from app_pages.session.markdown import caption, escape_markdown
from pipelines.errors import UserError
from pipelines.sources import choices as choices_module
from pipelines.sources.choices import Choices
from pipelines.vocabulary import ALWAYS_NEEDED

NONE = ""
NOT_OURS = "Not used"


def summary(choices: Choices) -> str:
    """How many files are used."""
    used = sum(table is not None for table in choices.files.values())
    return f"{used} of {len(choices.files)} files are used"


def show(at: Place, choices: Choices) -> None:
    """Each file with the table that it seems to be, to confirm or change."""
    seen = state.seen(at, choices)
    first = state.seen(at, choices, decided=False)
    sure = {one.relation: one.match for one in first.files if one.match is not None}
    options = [NONE, *words.TABLES]
    for one in seen.files:
        match = sure.get(one.relation)
        proposed = match.table if match else None
        table = choices.files.get(one.relation, proposed) or NONE
        if not one.has_names:
            table = NONE
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(width=320, gap=None):
                st.text(one.file)
                says = f"{match.confidence:.0%} sure" if match else "no table was recognised"
                if not one.has_names:
                    says = "its first line has no names of columns; ask for the file with them"
                st.markdown(caption(f"{one.rows:,} rows · {says}"))
            st.selectbox(
                f"What {one.file} holds",
                options if one.has_names else [NONE],
                index=options.index(table),
                key=state.widget(choices, "file", one.relation),
                format_func=lambda name: words.table(name) if name else NOT_OURS,
                label_visibility="collapsed",
                width=320,
            )
    for note in seen.notes:
        st.markdown(caption(escape_markdown(note)))
    st.button(
        "These tables are right",
        key="connect.confirm.files",
        type="primary",
        icon=":material/check:",
        on_click=state.action(_confirm),
        args=(at, choices, [one.relation for one in seen.files]),
    )


def _confirm(at: Place, choices: Choices, relations: list[str]) -> None:
    files = {name: state.value(state.widget(choices, "file", name)) or None for name in relations}
    missing = [name for name in ALWAYS_NEEDED if name not in files.values() and name != "cases"]
    if missing:
        listed = " and ".join(words.table(name) for name in missing)
        raise UserError(f"No list of tasks can be made without {listed}: choose a file for it.")
    after = replace(choices, files=files)
    after = choices_module.proposed_columns(after, state.seen(at, after))
    state.keep(at, after.with_done("files"))
