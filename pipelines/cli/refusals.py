"""Refused actions in the words of the command line, which name its options."""

from __future__ import annotations

from pipelines.worklist.refusals import Reason, Refusal


def in_words(refusal: Refusal) -> str:
    """The message of a refused action."""
    if refusal.is_about_colleague:
        return f"--to {refusal}"
    if refusal.reason is Reason.EMPTY_NOTE:
        return "A note needs --reason TEXT"
    if refusal.reason is Reason.NO_END_OF_DEFERRAL:
        return "A deferral needs --for or --until"
    if refusal.reason is Reason.NO_REASON:
        return str(refusal).replace("needs a reason", "needs --reason")
    return str(refusal)
