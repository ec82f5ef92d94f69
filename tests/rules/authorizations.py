"""Policies, authorizations and visits of patient A, for the tests about authorizations."""

from __future__ import annotations

LATER = {"entered_at": "2026-11-01T10:00:00"}


def policy(practice, key, **values):
    """A policy of patient A that needs an authorization, or a change of it."""
    is_new = key not in practice.tables["policies"]
    defaults = {"patient_id": "A", "authorization_required": "true"} if is_new else {}
    return practice.add("policies", key, **{**defaults, **values})


def authorize(practice, key, **values):
    defaults = {
        "policy_id": "PO1",
        "case_id": "C-A",
        "starts_on": "2026-10-01",
        "entered_at": "2026-09-25T10:00:00",
    }
    return practice.add(
        "authorizations",
        key,
        **{**defaults, **values} if key not in practice.tables["authorizations"] else values,
    )


def visits(practice, *days, **values):
    for day in days:
        practice.visit(f"V{len(practice.tables['appointments'])}", "A", f"{day}T09:00:00", **values)
    return practice
