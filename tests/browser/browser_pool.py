"""Browsers that tests share: data is cleared between tests, compiled scripts are kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Request

PATIENCE = 20_000  # milliseconds a test waits for anything; two cores may be shared
CheckRequest, CheckAddress = (
    Callable[["Request"], list[str]],
    Callable[[str], list[str]],
)  # what is wrong with a request, and with a WebSocket's address
VIEWPORT = {"width": 1280, "height": 900}
OF_A_PAGE = {
    "viewport",
    "reduced_motion",
    "storage_state",
}  # options that a page of a used browser can be given
# Besides cookies; a tab's session storage goes with the tab.
KEPT_BY_PAGES = "local_storage,indexeddb,cache_storage,service_workers"


class PooledBrowser:
    """A browser with its own cookies, whose renderer has Streamlit's scripts compiled already.

    A page that stays open keeps the renderer; compiling took two thirds of the cost of a page.
    Needs Chromium's --process-per-site, else each tab has its own renderer.
    """

    def __init__(
        self,
        chromium: Browser,
        options: dict[str, object],
        check_request: CheckRequest,
        check_address: CheckAddress,
    ) -> None:
        self.context: BrowserContext = chromium.new_context(**options)
        self.wrong: list[str] = []
        self.context.set_default_timeout(PATIENCE)
        self._kept = self.context.new_page()
        self._kept.route("**", lambda route: route.fulfill(body=""))
        self._kept.goto("http://localhost/")
        self.context.on("request", lambda sent: self.wrong.extend(check_request(sent)))
        self.context.on(
            "page",
            lambda page: page.on(
                "websocket", lambda socket: self.wrong.extend(check_address(socket.url))
            ),
        )
        self.context.on("console", lambda said: self.wrong.extend(_forbidden(said.text)))

    def pages(self) -> list[Page]:
        """The tabs of the test."""
        return [page for page in self.context.pages if page != self._kept]

    def new_page(
        self,
        viewport: dict[str, int] = VIEWPORT,
        reduced_motion: str = "no-preference",
        storage_state: dict | None = None,
    ) -> Page:
        """Open a first tab."""
        self.context.add_cookies(storage_state["cookies"] if storage_state else [])
        page = self.context.new_page()
        page.set_viewport_size(viewport)
        page.emulate_media(reduced_motion=reduced_motion)
        return page

    def reset(self, origins: list[str]) -> list[str]:
        """Close the tabs and clear their data; answers what went wrong meanwhile."""
        for page in self.pages():
            page.close()
        self.context.clear_cookies()
        browser = self.context.new_cdp_session(self._kept)
        for origin in origins:
            browser.send(
                "Storage.clearDataForOrigin", {"origin": origin, "storageTypes": KEPT_BY_PAGES}
            )
        browser.detach()
        wrong, self.wrong = self.wrong, []
        return wrong


class BrowserPool:
    """A test takes free browsers, or new ones where none is free or its options need one."""

    def __init__(
        self, chromium: Browser, check_request: CheckRequest, check_address: CheckAddress
    ) -> None:
        self._chromium, self._check_request, self._check_address = (
            chromium,
            check_request,
            check_address,
        )
        self._free: list[PooledBrowser] = []
        self._taken: list[PooledBrowser] = []
        self._special: list[PooledBrowser] = []

    def new_page(self, **options: object) -> Page:
        """A page in a browser that the test uses for nothing else."""
        if not options.keys() <= OF_A_PAGE:
            self._special.append(self._new({"viewport": VIEWPORT, **options}))
            return self._special[-1].context.new_page()
        self._taken.append(self._free.pop() if self._free else self._new({}))
        return self._taken[-1].new_page(**options)

    def pages(self) -> list[Page]:
        """The tabs of the test."""
        return [page for browser in (*self._taken, *self._special) for page in browser.pages()]

    def reset(self, origins: list[str]) -> list[str]:
        """Free all browsers for the next test; answers what went wrong in this one."""
        wrong = [
            each for browser in (*self._taken, *self._special) for each in browser.reset(origins)
        ]
        for browser in self._special:
            browser.context.close()
        self._free += reversed(self._taken)
        self._taken, self._special = [], []
        return wrong

    def _new(self, options: dict[str, object]) -> PooledBrowser:
        return PooledBrowser(self._chromium, options, self._check_request, self._check_address)


def _forbidden(said: str) -> list[str]:
    return [said] if "Content Security Policy" in said else []
