"""What is logged of an exception: its kinds and places, so that the log may leave the practice."""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from app_pages.ui import failures


@pytest.fixture
def safe_log(monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    """A logger of a process whose log keeps values out; the process is as before afterwards."""
    factory = logging.getLogRecordFactory()
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    failures.keep_values_out_of_the_log()
    logger = logging.Logger("streamlit")
    logger.addHandler(logging.StreamHandler())
    yield logger
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


def test_the_log_names_kinds_and_places_only(safe_log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    error = failed()
    safe_log.exception("Uncaught app execution", exc_info=error)
    safe_log.warning("It failed: %s", error)
    logged = capsys.readouterr().err
    assert "Zebulon" not in logged
    assert re.search(r"tests/app/test_failures\.py:\d+ in fail", logged)
    assert "builtins.ValueError" in logged
    assert "builtins.RuntimeError" in logged
    assert failures.code(error) in logged


def test_a_thread_that_dies_is_logged_the_same_way(safe_log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    thread = threading.Thread(target=fail, args=("Zebulon Quartermaine",))
    thread.start()
    thread.join()
    logged = capsys.readouterr().err
    assert "Zebulon" not in logged
    assert "builtins.RuntimeError" in logged


def test_one_way_to_fail_has_one_code() -> None:
    assert failures.code(failed()) == failures.code(failed())
    assert failures.code(failed()) != failures.code(ValueError("Zebulon"))


def test_a_page_shows_a_mistake_the_user_can_mend_as_text() -> None:
    def page() -> None:
        from app_pages.ui import failures
        from pipelines.errors import UserError

        failures.show(UserError("![x](http://evil.example/a.png) is not a folder"))

    (shown,) = AppTest.from_function(page).run().error
    assert r"\!\[x\]\(http" in shown.value
