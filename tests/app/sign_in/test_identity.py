"""Who may sign in and when sessions end, on a script that shows the person's id."""

from __future__ import annotations

import datetime as dt
import itertools
import shutil
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from app_pages.session import clock
from app_pages.session.logins import SESSIONS
from app_pages.sign_in import active_staff
from pipelines.cli.commands import main
from pipelines.ledger.ledger import open_ledger
from pipelines.worklist.live import LiveWorklist
from tests.app.conftest import FRAME
from tests.conftest import Workbench
from tests.practice import Practice

DAY = 20  # of the run, in the days of Workbench; the app's clock begins an hour later
NONCES = itertools.count()


class Facility:
    """A published practice whose app is asked who is there; times in minutes from the opening."""

    def __init__(self, bench: Workbench, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.bench, self.clock, self._patch = bench, folder / "clock", patch
        patch.setenv("WORKBENCH_CLOCK", str(self.clock))
        self.pass_until(0)

    @staticmethod
    def at(minute: float) -> dt.datetime:
        return Workbench.day(DAY) + dt.timedelta(hours=1, minutes=minute)

    def pass_until(self, minute: float) -> None:
        """Set the app's and the machine's clock to that minute."""
        self._patch.setattr(clock, "machine_now", lambda: self.at(minute))
        self.clock.write_text("0", encoding="utf-8")

    def token(
        self,
        email: object = "dana@facility.example",
        began: float = 0,
        lasts: float = 600,
        **claims: object,
    ) -> dict[str, object]:
        """The claims of a sign-in of its own; claims that are None are not in it."""
        given = {
            "iss": "https://provider.example",
            "sub": f"the account of {str(email).strip().lower()}",
            "email_verified": True,
            "nonce": next(NONCES),
            "email": email,
            "iat": int(self.at(began).timestamp()),
            "exp": int(self.at(began + lasts).timestamp()),
            "is_logged_in": True,
            **claims,
        }
        return {name: value for name, value in given.items() if value is not None}

    def tab(self, user: dict[str, object]) -> AppTest:
        """A tab of a browser with this sign-in, where [auth] is set up."""
        app = AppTest.from_function(_page, default_timeout=30)
        app.secrets["auth"] = {"client_id": "workbench"}
        app.user = user
        return app.run()

    def events(self) -> list[tuple[str, str | None]]:
        with (
            open_ledger(f"sqlite:///{self.bench.data / 'ledger.sqlite'}") as ledger,
            ledger.reading() as connection,
        ):
            return [
                tuple(row)
                for row in connection.exec_driver_sql(
                    "SELECT event, staff_id FROM sessions ORDER BY seq"
                )
            ]


def _page() -> None:
    import streamlit as st

    from app_pages.session import workspace
    from app_pages.sign_in import identity

    person = identity.require()
    st.session_state["person"] = person
    st.markdown(f"let in as {person.staff_id}")
    st.text_input("A search", key="search")
    identity.show(person)
    st.button(
        "Act",
        key="act",
        on_click=lambda: st.session_state.update(acted=workspace.person().staff_id),
    )
    st.button("Look again", on_click=lambda: st.session_state.update({"identity.unattended": True}))


def staffed() -> Practice:
    """Two who may come in, one who left, two with one address, one with none."""
    practice = Practice()
    practice.add("staff", "S1", email="Dana@facility.example").add(
        "staff", "S2", email="omar.k@facility.example"
    )
    practice.add("staff", "S3", name="Gone Gully", email="gone@facility.example", is_active="false")
    for number in (4, 5):
        practice.add("staff", f"S{number}", name="Twin Twain", email="twin@facility.example")
    return practice.add("staff", "S6", name="No Mail", email="")


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the staff's list, to be copied: a run takes a second."""
    folder = tmp_path_factory.mktemp("published")
    staffed().write(folder / "extracts", Workbench.day(DAY))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_DATA", str(folder / "data"))
        assert (
            main(
                [
                    "run",
                    "--extracts",
                    str(folder / "extracts"),
                    "--as-of",
                    Workbench.day(DAY).isoformat(),
                ]
            )
            == 0
        )
    return folder / "data"


@pytest.fixture
def facility(
    workbench: Workbench, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Facility:
    shutil.copytree(published, workbench.data)
    st.cache_resource.clear()
    return Facility(workbench, tmp_path, monkeypatch)


def says(app: AppTest) -> str:
    """All that is on the page, as a reader sees it."""
    return shown(app).replace("\\", "")


def shown(app: AppTest) -> str:
    assert not app.exception
    kinds = (app.title, app.markdown, app.info, app.error, app.warning, app.text)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def is_in(app: AppTest, staff_id: str) -> bool:
    return f"let in as {staff_id}" in says(app)


@pytest.mark.parametrize(
    "email", ["dana@facility.example", "DANA@Facility.Example", " dana@facility.example "]
)
def test_an_address_is_the_same_in_any_case(facility: Facility, email: str) -> None:
    assert is_in(facility.tab(facility.token(email)), "S1")
    assert facility.events() == [("signed in", "S1")]


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"email": "stranger@elsewhere.example"}, "no active member"),
        ({"email": "gone@facility.example"}, "no active member"),
        ({"email": "twin@facility.example"}, "more than one active member"),
        ({"email": "dana@facility.example.evil"}, "no active member"),
        (
            {"email": "omar.\u212a@facility.example"},
            "no active member",
        ),  # the Kelvin sign, which Unicode says is a k
        ({"email": ""}, "did not pass on"),
        ({"email": None}, "did not pass on"),
        ({"email": ["dana@facility.example"]}, "did not pass on"),
        ({"email_verified": False}, "nobody has confirmed"),
        ({"email_verified": "false"}, "nobody has confirmed"),
        ({"email_verified": "true"}, "nobody has confirmed"),  # a text is not OpenID Connect's true
        ({"email_verified": 1}, "nobody has confirmed"),
        ({"email_verified": None}, "does not say whether"),
        ({"iss": None}, "does not say which account"),
        ({"sub": None}, "does not say which account"),
        ({"sub": ""}, "does not say which account"),
        ({"sub": 7}, "does not say which account"),
        ({"exp": None}, "does not say when"),
        ({"iat": None}, "does not say when"),
        ({"iat": True}, "does not say when"),
        ({"exp": 1e300}, "does not say when"),
    ],
)
def test_everybody_else_is_refused_and_told_why(
    facility: Facility, claims: dict[str, object], why: str
) -> None:
    app = facility.tab(facility.token(**claims))
    assert why in says(app)
    assert "let in" not in says(app)
    app.run()
    assert facility.events() == [("refused", None)]


def test_an_address_is_shown_as_text(facility: Facility) -> None:
    assert r"\!\[x\]\(http" in shown(
        facility.tab(facility.token("![x](http://evil.example/a.png)"))
    )


def test_a_token_is_good_until_its_very_end(facility: Facility) -> None:
    app = facility.tab(facility.token(lasts=10))
    facility.pass_until(10 - 1 / 60)
    assert is_in(app.run(), "S1")
    facility.pass_until(10)
    assert "expired" in says(app.run())
    assert "let in" not in says(app)
    app.run()
    assert facility.events() == [("signed in", "S1"), ("timed out", "S1")]


def test_a_session_lasts_until_nobody_has_used_it_for_15_minutes(facility: Facility) -> None:
    user = facility.token()
    first, second = facility.tab(user), facility.tab(user)
    facility.pass_until(14)
    assert is_in(first.run(), "S1")
    facility.pass_until(14 + 15 - 1 / 60)
    assert is_in(second.run(), "S1")
    facility.pass_until(14 + 30)
    assert "15 minutes" in says(first.run())
    assert "15 minutes" in says(second.run())
    assert "15 minutes" in says(facility.tab(user))
    assert facility.events() == [("signed in", "S1"), ("timed out", "S1")]
    assert is_in(facility.tab(facility.token(began=44)), "S1")


def test_what_runs_by_the_clock_is_not_use(facility: Facility) -> None:
    app = facility.tab(facility.token())
    facility.pass_until(14)
    assert is_in(app.button[-1].click().run(), "S1")
    facility.pass_until(16)
    assert "15 minutes" in says(app.run())


def test_a_click_after_the_end_does_nothing(facility: Facility) -> None:
    user = facility.token()
    for end in ("idle", "signed out"):
        app, other = facility.tab(user), facility.tab(user)
        assert app.button(key="act").click().run().session_state["acted"] == "S1"
        del app.session_state["acted"]
        if end == "idle":
            facility.pass_until(15)
        else:
            other.button(key="identity.leave").click().run()
        # A callback runs before the script that would ask who is there.
        app.button(key="act").click().run()
        assert app.exception
        assert "acted" not in app.session_state
        user = facility.token(began=15)


def test_the_practice_sets_the_minutes(facility: Facility) -> None:
    (facility.bench.data / "settings.toml").write_text(
        "[app]\nidle_minutes = 1\n", encoding="utf-8"
    )
    st.cache_resource.clear()
    app = facility.tab(facility.token())
    facility.pass_until(1)
    assert "for 1 minute." in says(app.run())


def test_signing_out_ends_every_session_of_the_person(facility: Facility) -> None:
    user = facility.token()
    first, second, elsewhere, other = (
        facility.tab(u)
        for u in (user, user, facility.token(), facility.token("omar.k@facility.example"))
    )
    first.session_state["search"] = "Zebulon"
    first.run()
    facility.pass_until(1)
    first.button(key="identity.leave").click().run()
    assert "let in" not in says(first)
    assert "search" not in first.session_state
    for app in (second, elsewhere, facility.tab(user)):
        assert "You signed out" in says(app.run())
    assert is_in(other.run(), "S2")
    assert facility.events().count(("signed out", "S1")) == 1


def test_after_a_restart_only_a_fresh_sign_in_counts(
    facility: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = [facility.token(), facility.token(), facility.token(began=2), facility.token(began=3)]
    app = facility.tab(users[0])
    facility.pass_until(2)
    app.button(key="identity.leave").click().run()
    monkeypatch.setattr(SESSIONS, "_by_login", {})
    facility.pass_until(3)
    assert [is_in(facility.tab(user), "S1") for user in users] == [False, False, False, True]
    monkeypatch.setattr(SESSIONS, "_by_login", {})
    facility.pass_until(3 + 15)
    assert "15 minutes" in says(facility.tab(users[3]))


def test_who_leaves_the_practice_is_out_with_the_next_run(facility: Facility) -> None:
    app = facility.tab(facility.token())
    facility.bench.run(staffed().add("staff", "S1", is_active="false"), DAY + 1 / 48)
    assert "no active member" in says(app.run())
    assert facility.events() == [("signed in", "S1"), ("refused", "S1")]


def test_without_sign_in_it_asks_and_believes(facility: Facility) -> None:
    app = AppTest.from_function(_page, default_timeout=30).run()
    assert "No sign-in is set up" in says(app)
    labels = app.selectbox[0].options
    assert labels == [
        "Dana Whitfield – Front Desk",
        "No Mail – Front Desk",
        "Omar Reyes – Clinical Staff",
    ] + [f"Twin Twain – Front Desk ({staff_id})" for staff_id in ("S4", "S5")]
    app.button[0].click().run()
    assert "Who are you?" in says(app)
    app.selectbox[0].select("S2")
    app.button[0].click().run()
    assert is_in(app, "S2")
    app.session_state["search"] = "Zebulon"
    app.run().button(key="identity.leave").click().run()
    assert "Who are you?" in says(app)
    assert "search" not in app.session_state
    assert facility.events() == [("signed in", "S2"), ("signed out", "S2")]


def test_nothing_is_asked_about_a_patient_before_somebody_is_in(
    facility: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, asked = LiveWorklist.at, []

    class Watched:
        def __init__(self, *asked_for: object) -> None:
            self._worklist = whole(*asked_for)

        def __enter__(self) -> Watched:
            return self

        def __exit__(self, *error: object) -> None:
            self._worklist.con.close()

        def __getattr__(self, name: str) -> object:
            asked.append(name)
            return getattr(self._worklist, name)

    active_staff.of_snapshot.cache_clear()
    monkeypatch.setattr(LiveWorklist, "at", lambda *asked_for: Watched(*asked_for))
    for user in ({"is_logged_in": False}, facility.token("stranger@elsewhere.example")):
        app = AppTest.from_file(str(FRAME), default_timeout=30)
        app.secrets["auth"] = {"client_id": "workbench"}
        app.user = user
        assert not app.run().exception
        assert app.title[0].value in ("Sign in", "You cannot use the workbench")
    assert asked == ["staff"]
