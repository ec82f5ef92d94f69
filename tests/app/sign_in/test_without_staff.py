"""Who comes in where no staff table was ever delivered: the administrator of the settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app_pages.session import clock
from tests.app.conftest import FRAME, App
from tests.conftest import Workbench
from tests.practice import Practice

EMAIL = "dana@facility.example"
ADMINISTRATOR = '[practice]\nadministrator = "Dana Ruiz"\n'


@pytest.fixture
def run(
    workbench: Workbench, practice: Practice, move_clock: Callable[..., None]
) -> Iterator[Callable[[str], None]]:
    """Runs over a practice without staff, with these settings."""
    st.cache_data.clear()
    st.cache_resource.clear()

    def run_with(text: str) -> None:
        workbench.data.mkdir(exist_ok=True)
        (workbench.data / "settings.toml").write_text(text, encoding="utf-8")
        workbench.run(practice, 1, without=("staff",))
        move_clock(workbench.day(1))

    yield run_with
    st.cache_data.clear()
    st.cache_resource.clear()


def signed_in(email: str) -> str:
    """The text of the page of somebody who signs in with this address."""
    app = AppTest.from_file(str(FRAME), default_timeout=60)
    app.secrets["auth"] = {"client_id": "workbench"}
    now = int(clock.machine_now().timestamp())
    app.user = {
        "iss": "https://provider.example",
        "sub": email,
        "email": email,
        "email_verified": True,
        "iat": now,
        "exp": now + 600,
        "is_logged_in": True,
    }
    app.run()
    assert not app.exception
    kinds = (app.title, app.markdown, app.error, app.text)
    found = [str(element.value) for kind in kinds for element in kind]
    found += [str(element.value) for element in app.sidebar.text]
    return "\n".join(found).replace("\\", "")


def test_the_administrator_chooses_their_name(run: Callable[[str], None]) -> None:
    run(ADMINISTRATOR)
    app = App(None)
    assert app.test.selectbox(key="identity.chosen").options == [
        "Dana Ruiz – Practice Administrator"
    ]
    app = App("administrator").open("dashboard", facility="F1")
    assert "Dana Ruiz" in app.says


def test_the_administrator_signs_in(run: Callable[[str], None]) -> None:
    run(f'{ADMINISTRATOR}administrator_email = "{EMAIL}"\n')
    assert "Dana Ruiz" in signed_in(EMAIL)
    assert "no active member" in signed_in("omar@facility.example")


def test_the_page_says_how_to_become_known(run: Callable[[str], None]) -> None:
    run("")
    app = App(None)
    assert "Nobody is known here yet: deliver the staff table, or write your name" in app.says
    assert not app.test.selectbox
    said = signed_in(EMAIL)
    assert "knows no active staff of the practice yet" in said
    assert "administrator_email below [practice]" in said
