"""What browser tests share: a practice, servers, and a Chromium that may ask this machine only."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

import pytest

from pipelines.cli.commands import main
from tests.browser.browser_pool import BrowserPool
from tests.browser.servers import FRIDAY, ROOT, Server
from tests.conftest import copy_data
from tests.practice import Practice

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Request

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--process-per-site",  # see PooledBrowser
]
SCREENSHOTS = ROOT / ".cache" / "browser"
_report = pytest.StashKey[pytest.TestReport]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Keep a test's outcome where its fixtures can see it when they end."""
    report = yield
    if report.when == "call":
        item.stash[_report] = report
    return report


@pytest.fixture(scope="session")
def practice_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a small practice, one task about one patient; copy it before use."""
    folder = tmp_path_factory.mktemp("practice")
    practice = Practice()
    practice.add("staff", "S1", email="Dana@facility.example")
    practice.add("staff", "S2", email="omar@facility.example")
    practice.add("staff", "S3", name="Gone Gully", email="gone@facility.example", is_active="false")
    practice.patient("P1", first_name="Zebulon", last_name="Quartermaine").visit(
        "V1", "P1", "2026-11-02T09:00:00"
    )
    as_of = FRIDAY - dt.timedelta(hours=2)
    practice.write(folder / "extracts", as_of)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_DATA", str(folder / "data"))
        assert (
            main(["run", "--extracts", str(folder / "extracts"), "--as-of", as_of.isoformat()]) == 0
        )
    return folder / "data"


@pytest.fixture(scope="session")
def local() -> set[str]:
    """Host and port of every server the tests have started: what a browser may talk to."""
    return set()


@pytest.fixture(scope="session")
def others() -> set[str]:
    """Host and port of stand-ins for other servers, such as a sign-in provider, not checked."""
    return set()


@pytest.fixture(scope="session")
def new_server(
    tmp_path_factory: pytest.TempPathFactory, local: set[str]
) -> Iterator[Callable[..., Server]]:
    """Makes a server on a copy of a data folder; the test starts it, the fixture stops it."""
    made: list[Server] = []

    def make(data: Path, root: Path = ROOT) -> Server:
        folder = tmp_path_factory.mktemp("server")
        copy_data(data, folder / "data")
        made.append(Server(folder, folder / "data", root))
        local.add(made[-1].netloc)
        return made[-1]

    yield make
    for server in made:
        server.stop()


@pytest.fixture(scope="session")
def start_server(new_server: Callable[..., Server]) -> Callable[..., Server]:
    """A running server on a copy of a data folder; the options are those of Server.start."""
    return lambda data, *arguments, **options: new_server(data).start(*arguments, **options)


@pytest.fixture(scope="module")
def server(start_server: Callable[..., Server], demo_data: Path) -> Iterator[Server]:
    """The demo practice, single-site, for one module's tests."""
    running = start_server(demo_data)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; without it tests are skipped, and fail in .ci/run, which installs it."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("Playwright for Python: pip install -r tests/requirements.lock")
    path = shutil.which("chromium")
    if path is None:
        _missing("Chromium: apt-get install chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def browser_pool(chromium: Browser, local: set[str], others: set[str]) -> BrowserPool:
    """The browsers, which one test after another uses."""

    def check_request(sent: Request) -> list[str]:
        return [] if _host(sent.frame.url) in others else _foreign(sent.url, local | others)

    return BrowserPool(chromium, check_request, lambda url: _foreign(url, local))


@pytest.fixture
def new_browser(
    browser_pool: BrowserPool, local: set[str], request: pytest.FixtureRequest
) -> Iterator[Callable[..., Page]]:
    """Makes a page in a browser of its own; options are those of Playwright's new_context.

    The test fails when the browser asked another host for anything, or when a page tried what
    the security policy forbids.
    """
    yield browser_pool.new_page
    report = request.node.stash.get(_report, None)
    if report is not None and report.failed:
        _keep_screenshots(request.node.nodeid, browser_pool.pages())
    assert browser_pool.reset([f"http://{netloc}" for netloc in local]) == []


@pytest.fixture
def browser_page(new_browser: Callable[..., Page]) -> Page:
    """A page 1280 wide and 900 high in a browser that has never been here."""
    return new_browser()


def _missing(what: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"the browser tests need {what}", pytrace=False)
    pytest.skip(f"needs {what}")


def _foreign(url: str, local: set[str]) -> list[str]:
    parts = urlsplit(url)
    is_local = parts.scheme in ("data", "blob", "about") or parts.netloc in local
    return [] if is_local else [f"asked for {parts.scheme}://{parts.netloc}{parts.path}"]


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _keep_screenshots(test: str, pages: list[Page]) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^A-Za-z0-9]+", "-", test).strip("-")
    for number, page in enumerate(pages):
        page.screenshot(path=SCREENSHOTS / f"{name}-{number}.png")
