"""Streamlit in a browser: wait until it is idle, sign in, read and click its canvas grid."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

ROW_HEIGHT, HEADER_HEIGHT = (
    36,
    32,
)  # pixels: our pages' row_height, and what the theme's font makes of the header
TICK_X = 17  # pixels from the grid's left edge to the middle of a row's tick box
OPEN_X = 70  # and to the middle of a task's Open
PATIENCE = 20  # seconds until what should be seen must be seen
CHOSEN = """() => {
  const boxes = [...document.querySelectorAll('[data-testid=stMultiSelect]')];
  return Object.fromEntries(boxes.map(box => [
    box.querySelector('[data-testid=stWidgetLabel]').innerText.trim(),
    [...box.querySelectorAll('.react-aria-ComboBox [data-tag]')]
      .map(tag => tag.getAttribute('aria-label')),
  ]).filter(([, tags]) => tags.length));
}"""
ROWS = """grid => {
  const texts = (row, cell) => [...row.querySelectorAll(cell)].map(cell => cell.textContent.trim());
  const head = [...grid.querySelectorAll('table[role=grid] thead tr')];
  const names = head.flatMap(row => texts(row, 'th'));
  return [...grid.querySelectorAll('table[role=grid] tbody tr')].map(row => ({
    ticked: row.getAttribute('aria-selected') === 'true',
    ...Object.fromEntries(texts(row, 'td').map((text, place) => [names[place], text])),
  }));
}"""
_cookies: dict[tuple[str, str], object] = {}
IDLE = """() => {
  const app = document.querySelector('[data-testid=stApp]');
  return app && app.dataset.testConnectionState === 'CONNECTED'
    && app.dataset.testScriptState === 'notRunning'
    && !document.querySelector('[data-stale="true"], [data-testid=stSkeleton]');
}"""


def settle(page: Page) -> Page:
    """Wait until Streamlit is connected and idle, twice in a row: a click may start a run late."""
    page.wait_for_function(IDLE)
    page.wait_for_timeout(120)
    page.wait_for_function(IDLE)
    return page


@contextmanager
def changing_address(page: Page) -> Iterator[None]:
    """Wait for another address, then until idle: a page may be idle before it has asked."""
    before = page.url
    yield
    page.wait_for_url(lambda url: url != before)
    settle(page)


def visit(page: Page, url: str) -> Page:
    """Open an address and wait."""
    page.goto(url)
    return settle(page)


def come_in(page: Page, url: str, name: str) -> Page:
    """Open an address and, if asked, choose the name whose label begins with `name`."""
    visit(page, url)
    box = page.get_by_role("combobox", name="Your name")
    if box.count():
        choose(page, box, name)
        page.get_by_role("button", name="Start").click()
        page.get_by_role("heading", name="Who are you?").wait_for(state="detached")
        settle(page)
    return page


def sit_down(
    new_browser: Callable[..., Page], url: str, name: str, path: str = "/", **options: object
) -> Page:
    """A new browser with a person signed in; their cookie for this server is kept."""
    page = new_browser(**{"storage_state": _cookies.get((url, name)), **options})
    come_in(page, url + path, name)
    _cookies[url, name] = page.context.storage_state()
    return page


def query(page: Page) -> dict[str, list[str]]:
    """The query of the page's address."""
    return parse_qs(urlsplit(page.url).query)


def soon(look: Callable[[], object], wanted: object, page: Page) -> None:
    """Wait until `look` answers what is wanted; the failure says what it answered last."""
    until = time.monotonic() + PATIENCE
    while (answer := look()) != wanted and time.monotonic() < until:
        page.wait_for_timeout(50)
    assert answer == wanted, f"{answer!r} is not {wanted!r}"


def take(page: Page, box: Locator, text: str) -> None:
    """Type into a select widget and click the option, which may not be the first one yet."""
    box.click()
    box.fill(text)
    page.get_by_role("option", name=re.compile(f"^{re.escape(text)}", re.I)).first.click()


def choose(page: Page, box: Locator, text: str) -> Page:
    """Type into a select widget and take the first option that begins with the text."""
    take(page, box, text)
    return settle(page)


def pick(page: Page, label: str, *options: str) -> Page:
    """Choose options of a filter that takes several, by the beginnings of their labels."""
    box = page.get_by_role("combobox", name=label)
    for option in options:
        with changing_address(page):
            take(page, box, option)
    page.keyboard.press("Escape")  # the list stays open for more
    return settle(page)


def chosen(page: Page) -> dict[str, list[str]]:
    """The chosen values of each multiselect filter, by label; also behind an open dialog."""
    return page.evaluate(CHOSEN)


def panel(page: Page) -> Locator:
    """The dialog over the page: a task's panel or a confirmation."""
    return page.get_by_role("dialog")


def outcome(page: Page) -> Locator:
    """The line that says what became of the last action."""
    return page.locator(".st-key-actions-outcome")


class Grid:
    """An st.dataframe: clicked by geometry, read from its table for screen readers."""

    def __init__(self, page: Page, number: int = 0) -> None:
        self.page = page
        self.element = page.get_by_test_id("stDataFrame").nth(number)

    def ready(self) -> Grid:
        """Wait until it is drawn."""
        self.element.locator("canvas").first.wait_for()
        settle(self.page)
        return self

    def tick(self, row: int) -> None:
        """Tick or untick a row, counted from 0."""
        self.click(row, TICK_X)

    def click(self, row: int, x: float) -> None:
        """Click into a row, x pixels from the left edge, or from the right one if x is negative."""
        self.element.scroll_into_view_if_needed()
        box = self.element.bounding_box()
        assert box is not None
        self.page.mouse.click(
            box["x"] + (x if x >= 0 else box["width"] + x),
            box["y"] + HEADER_HEIGHT + ROW_HEIGHT * (row + 0.5),
        )
        settle(self.page)

    def headings(self) -> list[str]:
        """The columns' headings, from the left, without the tick boxes."""
        head = self.element.locator(
            "table[role=grid] thead th, table[role=grid] [role=columnheader]"
        )
        head.first.wait_for(state="attached")
        return [text.strip() for text in head.all_text_contents()]

    def cells(self, row: int) -> list[str]:
        """The texts of a row in view; the table is filled a moment after the canvas is drawn."""
        cells = self._row(row).locator("td")
        cells.first.wait_for(state="attached")
        return [text.strip() for text in cells.all_text_contents()]

    def rows(self) -> list[dict[str, object]]:
        """The rows in view: text by heading, and under "ticked" whether the row is ticked."""
        self._row(0).locator("td").first.wait_for(state="attached")
        return self.element.evaluate(ROWS)

    def column(self, heading: str) -> list[object]:
        """One column of the rows in view."""
        return [row[heading] for row in self.rows()]

    def open(self, row: int) -> Locator:
        """Open the task of a row; its panel."""
        self.click(row, OPEN_X)
        panel(self.page).wait_for()
        settle(self.page)
        return panel(self.page)

    def _row(self, row: int) -> Locator:
        return self.element.locator("table tbody tr").nth(row)
