"""Answers of the worklist, cached while the list stays the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

import streamlit as st

from pipelines.worklist.at import State
from pipelines.worklist.worklist import Worklist

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


def ask(
    question: Callable[Concatenate[Worklist, Asked], Answer],
    worklist: Worklist,
    *args: Asked.args,
    **kwargs: Asked.kwargs,
) -> Answer:
    """What the question, such as Worklist.tasks or outcomes.ages, answers for these arguments."""
    name = f"{question.__module__}.{question.__qualname__}"
    return _answer(name, worklist.state, args, kwargs, question, worklist)


# Any: Streamlit hashes the arguments and pickles the answer, whatever they are.
@st.cache_data(max_entries=1000, show_spinner=False)
def _answer(
    name: str,
    state: State,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    _question: Callable[..., Any],
    _worklist: Worklist,
) -> Any:
    return _question(_worklist, *args, **kwargs)
