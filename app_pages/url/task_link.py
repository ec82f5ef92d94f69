"""Links to the Tasks page that list exactly the tasks of a number."""

from __future__ import annotations

from app_pages.url import filters as url_filters
from pipelines.worklist.filters import Filters


def query_of(wanted: Filters, at: str | None = None) -> dict[str, list[str]]:
    """The query of the Tasks page for these filters, now or at a moment as URLs write it.

    ValueError for what the page cannot list: task ids, days without an end.
    """
    if wanted.task_ids:
        raise ValueError("the Tasks page lists no ids")
    query = url_filters.query_of(wanted)
    if at is not None:
        query["at"] = [at]
    return query
