"""When a page fails: what to do on the screen, the place in the log, no patient in either."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.screen import come_in, settle
from tests.browser.servers import ROOT, Server

if TYPE_CHECKING:
    from playwright.sync_api import Page

PATIENT = re.compile("Zebulon|Quartermaine")
FAILING_PAGE = """
import streamlit as st

def fail():
    raise ValueError("no such patient: Zebulon Quartermaine")

@st.fragment
def part():
    if st.button("In a part"):
        fail()

st.title("A page")
st.button("In a callback", on_click=fail)
part()
if st.button("In the page"):
    fail()
"""


@pytest.fixture(scope="module")
def failing(
    new_server: Callable[..., Server], practice_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Server:
    """A copy of the code whose tasks page can be made to fail."""
    root = tmp_path_factory.mktemp("code")
    for folder in ("app_pages", "pipelines", "rules", ".streamlit"):
        shutil.copytree(
            ROOT / folder,
            root / folder,
            ignore=shutil.ignore_patterns("__pycache__", "secrets.toml"),
        )
    shutil.copy(ROOT / "app.py", root)
    (root / "app_pages" / "tasks" / "page.py").write_text(FAILING_PAGE, encoding="utf-8")
    return new_server(practice_data, root).start(WORKBENCH_LOG="json")


@pytest.mark.parametrize("where", ["In the page", "In a callback", "In a part"])
def test_a_failing_page_says_what_to_do(failing: Server, browser_page: Page, where: str) -> None:
    come_in(browser_page, failing.url + "/tasks", "Dana")
    browser_page.get_by_role("button", name=where).click()
    alert = browser_page.get_by_test_id("stAlert").filter(has_text="Something went wrong")
    alert.wait_for()
    settle(browser_page)
    text = alert.inner_text()
    assert "Reload the page" in text
    (code,) = re.findall(r"log: ([0-9a-f]{6})", text)
    assert "Traceback" not in browser_page.inner_text("body")
    assert not PATIENT.search(browser_page.content())
    logged = failing.logged()
    assert not PATIENT.search(logged)
    assert "Traceback" not in logged
    # Streamlit's, in our form; its greeting on standard output is no log.
    lines = [json.loads(line) for line in logged.splitlines() if line.startswith("{")]
    found = [line for line in lines if code in line.get("where", "")]
    assert found
    assert all(
        line["level"] == "ERROR" and line["logger"].startswith("streamlit") for line in found
    )
    assert re.search(r"app_pages/tasks/page\.py:\d+ in fail", found[-1]["where"])
