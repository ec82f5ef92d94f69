"""The steps of the page: confirmed ones as a line, the one at hand open, later ones as a title."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from app_pages.connect import columns, delivery, done, files, gaps, report, state, tasks, values
from app_pages.connect.state import Place
from app_pages.session.markdown import caption, escape_markdown
from pipelines.sources.choices import STEPS, Choices

Step = Callable[[Place, Choices], None]
TITLES = {
    "delivery": "Delivery",
    "files": "Files and tables",
    "columns": "Columns",
    "words": "Words",
    "gaps": "What cannot be told",
    "report": "What would come of it",
    "tasks": "First tasks",
}
BODIES: dict[str, Step] = {
    "files": files.show,
    "columns": columns.show,
    "words": values.show,
    "gaps": gaps.show,
    "report": report.show,
    "tasks": tasks.show,
}
SUMMARIES: dict[str, Callable[[Choices], str]] = {
    "delivery": delivery.summary,
    "files": files.summary,
    "columns": columns.summary,
    "words": values.summary,
    "gaps": gaps.summary,
    "report": lambda choices: "seen",
    "tasks": lambda choices: "confirmed and saved",
}
OF_A_PRESET = ("files", "columns", "words")  # what a ready-made connection says itself


def show(at: Place, choices: Choices | None) -> None:
    """All steps; the last line says how the nightly import is started."""
    current = choices.step if choices is not None else "delivery"
    for number, step in enumerate(STEPS, 1):
        title = f"{number}. {TITLES[step]}"
        if choices is not None and step in choices.done:
            _show_done(at, choices, step, title)
        elif step == current:
            with st.container(border=True, key=f"connect.step.{step}"):
                st.subheader(title)
                if step == "delivery":
                    delivery.show(at, choices)
                elif choices is not None:
                    BODIES[step](at, choices)
        else:
            st.markdown(caption(escape_markdown(title)))
    if choices is not None and current is None:
        done.show(at, choices)


def _show_done(at: Place, choices: Choices, step: str, title: str) -> None:
    is_given = choices.preset is not None and step in OF_A_PRESET
    says = "as the ready-made connection says" if is_given else SUMMARIES[step](choices)
    with st.container(horizontal=True, vertical_alignment="center"):
        line = f"**{escape_markdown(title)}** · {escape_markdown(says)}"
        st.markdown(f":green[:material/check_circle:] {line}", width="stretch")
        if not is_given:
            st.button(
                "Change",
                key=f"connect.change.{step}",
                type="tertiary",
                icon=":material/edit:",
                on_click=state.action(_go_back),
                args=(at, choices, step),
            )


def _go_back(at: Place, choices: Choices, step: str) -> None:
    state.keep(at, replace(choices.back_to(step)))
