"""Saved views: the newest of a name counts, each person has their own, bad names are refused."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipelines.errors import UserError
from pipelines.ledger.ledger import open_ledger
from pipelines.ledger.views import LONGEST_NAME, LONGEST_QUERY, MOST_VIEWS, SavedView
from tests.ledgers import rows_of

AT = dt.datetime(2026, 11, 3, 14, 15, tzinfo=dt.UTC)


@pytest.fixture
def url(ledger_url):
    return ledger_url


@pytest.fixture
def ledger(url):
    with open_ledger(url) as opened:
        yield opened


def save(ledger, name, staff_id="ann", page="tasks", query="facility=F1"):
    return ledger.save_view(at=AT, staff_id=staff_id, name=name, page=page, query=query)


def names(ledger, staff_id="ann"):
    return [view.name for view in ledger.views(staff_id)]


def test_a_view_comes_back_as_it_was_saved(ledger):
    saved = save(ledger, " Zoë’s late ones  ", query="type=pending_signature&payer=P%201")
    assert saved == SavedView(
        1, AT, "ann", "Zoë’s late ones", "tasks", "type=pending_signature&payer=P%201"
    )
    assert ledger.views("ann") == [saved]


def test_a_view_without_filters_is_a_view(ledger):
    save(ledger, "everything", query="")
    assert [view.query for view in ledger.views("ann")] == [""]


def test_views_are_sorted_by_name_without_regard_to_case(ledger):
    for name in ("beta", "Alpha", "Gamma", "alpha", "Émile"):
        save(ledger, name)
    assert names(ledger) == ["Alpha", "alpha", "beta", "Gamma", "Émile"]


def test_the_newest_view_under_a_name_holds_and_the_older_one_stays_on_record(ledger, url):
    save(ledger, "mine", query="a=1")
    save(ledger, "mine", page="backlog", query="a=2")
    assert [(view.seq, view.page, view.query) for view in ledger.views("ann")] == [
        (2, "backlog", "a=2")
    ]
    assert rows_of(url, "SELECT query FROM saved_views ORDER BY seq") == [("a=1",), ("a=2",)]


def test_everybody_has_their_own_views(ledger):
    save(ledger, "mine", "ann")
    save(ledger, "mine", "bob", query="facility=F2")
    ledger.remove_view(at=AT, staff_id="ann", name="mine")
    assert (names(ledger, "ann"), names(ledger, "bob"), names(ledger, "eve")) == ([], ["mine"], [])


def test_a_removed_view_is_gone_until_it_is_saved_again(ledger, url):
    save(ledger, "mine")
    ledger.remove_view(at=AT, staff_id="ann", name=" mine ")
    assert names(ledger) == []
    with pytest.raises(
        UserError,
        match="You have no saved view named 'mine'; it may have been removed in another window",
    ):
        ledger.remove_view(at=AT, staff_id="ann", name="mine")
    save(ledger, "mine", query="a=2")
    assert [view.query for view in ledger.views("ann")] == ["a=2"]
    assert rows_of(url, "SELECT page, query FROM saved_views ORDER BY seq") == [
        ("tasks", "facility=F1"),
        ("tasks", None),
        ("tasks", "a=2"),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "x" * LONGEST_NAME,
        f"  {'x' * LONGEST_NAME}  ",
        "My \U0001f468\u200d\U0001f469\u200d\U0001f467 list",
        "a\u00a0b",
        "<b>&'\"",
    ],
)
def test_a_name_of_1_to_60_characters_is_kept(ledger, name):
    assert save(ledger, name).name == name.strip()
    assert names(ledger) == [name.strip()]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"name": ""}, "A saved view needs a name"),
        ({"name": " \n "}, "A saved view needs a name"),
        ({"name": "x" * 61}, "at most 60 characters; this one has 61"),
        ({"name": "two\nlines"}, "no line breaks and no control characters"),
        ({"name": "two\u2028lines"}, "no line breaks"),
        ({"name": "bell\x07"}, "no control characters"),
        ({"name": "nul\x00"}, "no control characters"),
        ({"name": "del\x7f"}, "no control characters"),
        ({"name": "c1\x85y"}, "no control characters"),
        ({"name": "half \udcff"}, "no control characters"),
        (
            {"name": "x", "query": "a" * (LONGEST_QUERY + 1)},
            "take at most 4,000 characters; these take 4,001: choose fewer",
        ),
        (
            {"name": "x", "query": "half \udcff"},
            "The saved view holds characters that cannot be stored",
        ),
        ({"name": "x", "page": ""}, "needs a page"),
        ({"name": "x", "staff_id": ""}, "and the staff member"),
    ],
)
def test_a_view_that_cannot_be_stored_is_refused(ledger, given, says):
    with pytest.raises(UserError, match=says):
        save(ledger, **given)
    assert names(ledger, given.get("staff_id", "ann")) == []


def test_the_longest_query_is_kept(ledger):
    assert save(ledger, "x", query="a" * LONGEST_QUERY).query == "a" * LONGEST_QUERY


def test_a_person_keeps_at_most_100_views_and_may_still_replace_and_remove(ledger):
    for number in range(MOST_VIEWS):
        save(ledger, f"view {number}")
    with pytest.raises(
        UserError,
        match="You have 100 saved views, and 100 is the most one person can keep: remove one first",
    ):
        save(ledger, "one more")
    assert save(ledger, "view 7", query="a=2").query == "a=2"
    save(ledger, "mine", "bob")
    ledger.remove_view(at=AT, staff_id="ann", name="view 7")
    save(ledger, "one more")
    assert len(names(ledger)) == MOST_VIEWS


def test_also_four_at_once_do_not_save_more_than_100(ledger):
    def save_forty(window):
        refused = 0
        for number in range(40):
            try:
                save(ledger, f"window {window} view {number}")
            except UserError:
                refused += 1
        return refused

    with ThreadPoolExecutor(4) as windows:
        refused = sum(windows.map(save_forty, range(4)))
    assert (len(names(ledger)), refused) == (MOST_VIEWS, 160 - MOST_VIEWS)


def test_a_reader_sees_the_views_and_saves_none(ledger, url):
    save(ledger, "mine")
    with open_ledger(url, read_only=True) as reader:
        assert names(reader) == ["mine"]
        with pytest.raises(UserError, match="cannot be used"):
            save(reader, "another")
    assert names(ledger) == ["mine"]
