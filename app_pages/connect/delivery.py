"""Step 1: which connection, which delivery in the folder, and how it is read."""

from __future__ import annotations

import re

import streamlit as st

from app_pages.connect import state
from app_pages.connect.state import Place
from pipelines.errors import UserError
from pipelines.operations import source_drop
from pipelines.operations.source_watch import Found
from pipelines.sources import choices as choices_module
from pipelines.sources import mapping
from pipelines.sources.choices import Choices

NAME, DELIVERY, FORMAT = "connect.name", "connect.delivery", "connect.format"
RECOGNISE = "Recognise the files"
NEW = "A new connection"


def show_sources(at: Place) -> None:
    """The connections that somebody began, to take one up again."""
    begun = choices_module.begun(at.home)
    if begun:
        st.selectbox(
            "Connection",
            begun,
            index=None,
            placeholder=NEW,
            key=at.view.key("source"),
            on_change=at.view.changed("source"),
            width=320,
        )


def summary(choices: Choices) -> str:
    """The delivery in a few words."""
    return _label(choices.delivery)


def show(at: Place, choices: Choices | None) -> None:
    """The form of the step."""
    found = state.deliveries(at)
    if not found:
        st.info("Nothing has arrived in the folder yet.", icon=":material/inbox:")
        return
    by_name = {one.name: one for one in found}
    names = list(by_name)
    before = choices.delivery if choices is not None and choices.delivery in by_name else names[0]
    if choices is None:
        st.text_input(
            "Name of the connection",
            value="emr",
            key=NAME,
            max_chars=40,
            help="Small letters and digits, such as the name of your EMR.",
            width=320,
        )
    st.selectbox(
        "Delivery",
        names,
        index=names.index(before),
        key=DELIVERY,
        format_func=lambda name: _offered(by_name[name]),
        width=480,
    )
    presets = [name for name in mapping.shipped() if not mapping.load(name).is_supplement]
    options = [RECOGNISE, *presets]
    preset = choices.preset if choices is not None else None
    st.selectbox(
        "How to read it",
        options,
        index=options.index(preset) if preset in options else 0,
        key=FORMAT,
        format_func=lambda name: (
            name if name == RECOGNISE else f"Ready-made: {mapping.load(name).title}"
        ),
        help="A ready-made connection knows the files of one system. Otherwise the workbench looks "
        "at names and contents, and you confirm what it finds.",
        width=480,
    )
    st.button(
        "Use this delivery",
        key="connect.use",
        type="primary",
        icon=":material/arrow_downward:",
        on_click=state.action(_use),
        args=(at, choices),
    )


def _use(at: Place, before: Choices | None) -> None:
    delivery = source_drop.chosen(at.drop, state.value(DELIVERY)).name
    chosen = state.value(FORMAT, RECOGNISE)
    preset = None if chosen == RECOGNISE else str(chosen)
    name = before.name if before is not None else _name(at, str(state.value(NAME, "")))
    choices = Choices(name, delivery, preset)
    if before is not None and before.preset == preset:  # what was chosen is kept
        choices = choices_module.with_delivery(before, delivery)
    choices = choices.with_done("delivery" if preset is None else "words")
    state.seen(at, choices)  # it can be read
    state.keep(at, choices)
    at.view.set("source", name)


def _name(at: Place, typed: str) -> str:
    name = re.sub(r"[^a-z0-9_-]+", "-", typed.strip().lower()).strip("-_")
    if not mapping.NAME.fullmatch(name):
        raise UserError("Give the connection a name of letters and digits.")
    if name in (*choices_module.begun(at.home), *mapping.own(at.home), *mapping.shipped()):
        raise UserError(f"There is a connection named {name} already. Choose another name.")
    return name


def _offered(one: Found) -> str:
    when = f"{one.day:%b} {one.day.day}, {one.day.year}"
    unfinished = " (still arriving)" if one.is_unfinished else ""
    return f"{_label(one.name)}, {when}{unfinished}"


def _label(name: str) -> str:
    return "Everything in the folder" if name == source_drop.ALL else name
