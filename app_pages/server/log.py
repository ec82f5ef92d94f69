"""The server's log: Streamlit's and uvicorn's lines in our form, without patients' values."""

from __future__ import annotations

import logging

from streamlit import logger as streamlit_logger

from pipelines import settings
from pipelines.errors import UserError
from pipelines.operations import logs

_set_up = streamlit_logger.setup_formatter


def begin() -> None:
    """For the whole process, also for loggers that Streamlit makes later."""
    try:
        form = settings.log_form()
    except UserError as error:
        raise SystemExit(f"error: {error}") from None
    logs.begin(form)
    logs.catch_all()
    if form != settings.LOG_FORMS[0]:
        # Streamlit gives every logger a handler, and replaces it after reading its settings.
        def in_our_form(logger: logging.Logger) -> None:
            _set_up(logger)
            for handler in logger.handlers:
                handler.setFormatter(logs.formatter(form))

        streamlit_logger.setup_formatter = in_our_form
        streamlit_logger.update_formatter()
