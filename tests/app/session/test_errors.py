"""What is logged of an exception: its kinds and places, so that the log may leave the practice."""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from app_pages.server import log
from pipelines.operations import logs


@pytest.fixture
def safe_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The log of this process keeps values out; afterwards it is as before."""
    factory = logging.getLogRecordFactory()
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    logs.begin("text")
    logs.catch_all()
    yield
    logging.setLogRecordFactory(factory)


def fail(patient: str) -> None:
    try:
        int(patient)
    except ValueError as error:
        raise RuntimeError(f"no number: {patient}") from error


def failed() -> RuntimeError:
    with pytest.raises(RuntimeError) as caught:
        fail("Zebulon Quartermaine")
    return caught.value


@pytest.mark.usefixtures("safe_log")
def test_the_log_names_kinds_and_places_only(caplog: pytest.LogCaptureFixture) -> None:
    error = failed()
    logger = logging.getLogger("somebody.elses")
    logger.error("Uncaught app execution", exc_info=error)
    logger.warning("It failed: %s", error)
    assert "Zebulon" not in caplog.text
    assert re.search(r"tests/app/session/test_errors\.py:\d+ in fail", caplog.text)
    assert "builtins.ValueError" in caplog.text
    assert "builtins.RuntimeError" in caplog.text
    assert logs.code(error) in caplog.text


@pytest.mark.usefixtures("safe_log")
def test_a_thread_that_dies_is_logged_the_same_way(caplog: pytest.LogCaptureFixture) -> None:
    thread = threading.Thread(target=fail, args=("Zebulon Quartermaine",))
    thread.start()
    thread.join()
    assert "Zebulon" not in caplog.text
    assert "builtins.RuntimeError" in caplog.text


def test_one_way_to_fail_has_one_code() -> None:
    assert logs.code(failed()) == logs.code(failed())
    assert logs.code(failed()) != logs.code(ValueError("Zebulon"))


def test_a_page_shows_a_mistake_the_user_can_mend_as_text() -> None:
    def page() -> None:
        from app_pages.session import errors
        from pipelines.errors import UserError

        errors.show(UserError("![x](http://evil.example/a.png) is not a folder"))

    (shown,) = AppTest.from_function(page).run().error
    assert r"\!\[x\]\(http" in shown.value


def test_a_form_of_log_that_there_is_not_ends_the_server_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WORKBENCH_LOG", "xml")
    with pytest.raises(SystemExit, match="^error: WORKBENCH_LOG is 'xml'; it can be text or json$"):
        log.begin()
