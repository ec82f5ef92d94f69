"""The view of the Tasks page: what its URL says, the filters that means, and the widgets that change it."""

from __future__ import annotations

from app_pages.url import filters as url_filters
from app_pages.url import view as url_view
from pipelines.worklist.filters import Filters


def query_of(wanted: Filters, at: str | None = None) -> dict[str, list[str]]:
    """The query of the Tasks page that lists exactly these tasks, now or as they were at a moment as URLs write it."""
    if wanted.task_ids:
        raise ValueError("the Tasks page lists no ids")
    fields = url_filters.FIELDS | {"ended": "close_kinds", "had": "happened"}
    query = {
        name: sorted(values) for name, field in fields.items() if (values := getattr(wanted, field))
    }
    if wanted.status != "pending":
        query["status"] = [wanted.status]
    if wanted.patient_id is not None:
        query["patient"] = [wanted.patient_id]
    if wanted.open_on is not None:
        query["on"] = [
            "..".join(
                url_view.written(day)
                for day in (wanted.open_since, wanted.open_on)
                if day is not None
            )
        ]
    if wanted.stood_as is not None:
        query["stood"] = [wanted.stood_as]
    for name, first, last in (
        ("in", wanted.in_from, wanted.in_to),
        ("out", wanted.out_from, wanted.out_to),
    ):
        if first is not None and last is not None:
            query[name] = [f"{url_view.written(first)}..{url_view.written(last)}"]
        elif first is not None or last is not None:
            raise ValueError("the Tasks page knows no days without an end")
    if at is not None:
        query["at"] = [at]
    return query
