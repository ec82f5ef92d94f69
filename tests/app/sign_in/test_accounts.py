"""The account of a sign-in: confirmed, bound to its person, and released by an administrator."""

from __future__ import annotations

import pytest
import streamlit as st

from app_pages.session.logins import SESSIONS
from app_pages.sign_in import claims
from pipelines.ledger.ledger import open_ledger
from tests.app.sign_in.test_identity import (  # noqa: F401 - fixtures
    DAY,
    Facility,
    facility,
    is_in,
    published,
    says,
    staffed,
)

ISSUER = "https://provider.example"
DANA, OMAR = "dana@facility.example", "omar.k@facility.example"


def bindings(place: Facility) -> list[tuple[str, str, str, str]]:
    with (
        open_ledger(f"sqlite:///{place.bench.data / 'ledger.sqlite'}") as ledger,
        ledger.reading() as connection,
    ):
        return [
            tuple(row)
            for row in connection.exec_driver_sql(
                "SELECT staff_id, event, issuer, subject FROM sign_ins ORDER BY seq"
            )
        ]


def release(place: Facility, staff_id: str, minute: float, by: str = "S7") -> tuple[int, str, str]:
    at = place.at(minute).isoformat()
    return place.bench.command(
        "sign-in", "release", staff_id, "--staff", by, "--reason", "a new account", "--at", at
    )


@pytest.fixture
def managed(facility: Facility) -> Facility:  # noqa: F811
    """With a manager."""
    practice = staffed().add(
        "staff", "S7", name="Ada Boss", role="Practice Administrator", email="ada@facility.example"
    )
    facility.bench.run(practice, DAY + 1 / 48)
    return facility


def test_a_provider_that_does_not_say_needs_a_setting(facility: Facility) -> None:  # noqa: F811
    token = facility.token(email_verified=None)
    assert "does not say whether" in says(facility.tab(token))
    (facility.bench.data / "settings.toml").write_text(
        "[access]\nemail_verified_may_be_absent = true\n", encoding="utf-8"
    )
    st.cache_resource.clear()
    assert is_in(facility.tab(facility.token(email_verified=None)), "S1")
    for verified in (False, "false", "true"):
        app = facility.tab(facility.token(email_verified=verified))
        assert "nobody has confirmed" in says(app)


def test_a_null_is_not_absence(facility: Facility) -> None:  # noqa: F811
    (facility.bench.data / "settings.toml").write_text(
        "[access]\nemail_verified_may_be_absent = true\n", encoding="utf-8"
    )
    st.cache_resource.clear()
    token = facility.token() | {"email_verified": None}
    assert "nobody has confirmed" in says(facility.tab(token))


def test_the_first_sign_in_binds_the_account_to_the_person(facility: Facility) -> None:  # noqa: F811
    assert is_in(facility.tab(facility.token(sub="d1")), "S1")
    assert is_in(facility.tab(facility.token(OMAR, sub="o1")), "S2")
    assert is_in(facility.tab(facility.token(sub="d1")), "S1")
    assert bindings(facility) == [("S1", "bound", ISSUER, "d1"), ("S2", "bound", ISSUER, "o1")]


@pytest.mark.parametrize("other", [{"sub": "d2"}, {"sub": "d1", "iss": "https://another.example"}])
def test_another_account_with_the_address_is_refused(
    facility: Facility,  # noqa: F811
    other: dict[str, str],
) -> None:
    assert is_in(facility.tab(facility.token(sub="d1")), "S1")
    app = facility.tab(facility.token(**other))
    assert "another account" in says(app)
    assert "ask an administrator of the workbench" in says(app)
    assert "let in" not in says(app)
    assert len(bindings(facility)) == 1
    assert facility.events() == [("signed in", "S1"), ("refused", None)]


def test_an_account_does_not_become_anothers_with_the_address(facility: Facility) -> None:  # noqa: F811
    assert is_in(facility.tab(facility.token(sub="d1")), "S1")
    app = facility.tab(facility.token(OMAR, sub="d1"))
    assert "that of another member of staff" in says(app)
    assert len(bindings(facility)) == 1


def test_two_people_with_one_address_bind_nothing(facility: Facility) -> None:  # noqa: F811
    assert "more than one active member" in says(
        facility.tab(facility.token("twin@facility.example"))
    )
    assert bindings(facility) == []


@pytest.mark.parametrize("claims_", [{"began": -60, "lasts": 30}, {"email_verified": False}])
def test_who_is_not_let_in_binds_nothing(
    facility: Facility,  # noqa: F811
    claims_: dict[str, object],
) -> None:
    assert "let in" not in says(facility.tab(facility.token(**claims_)))
    assert bindings(facility) == []


def test_an_administrator_makes_room_for_a_new_account(managed: Facility) -> None:
    old = managed.token(sub="d1")
    app = managed.tab(old)
    assert is_in(app, "S1")
    code, out, _ = release(managed, "S1", 5)
    assert code == 0
    assert f"the account of S1 at {ISSUER}" in out
    managed.pass_until(6)
    assert "released your account" in says(app.run())
    assert "released your account" in says(managed.tab(old))  # the token is as old as the account
    assert is_in(managed.tab(managed.token(began=6, sub="d2")), "S1")
    assert "another account" in says(managed.tab(managed.token(began=6, sub="d1")))
    assert [(event, sub) for _, event, _, sub in bindings(managed)] == [
        ("bound", "d1"),
        ("released", "d1"),
        ("bound", "d2"),
    ]
    assert managed.events()[:3] == [("signed in", "S1"), ("signed out", "S1"), ("signed in", "S1")]


def test_after_a_release_and_a_restart_the_old_sign_in_is_no_good(
    managed: Facility, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = managed.token(sub="d1")
    assert is_in(managed.tab(old), "S1")
    release(managed, "S1", 5)
    monkeypatch.setattr(SESSIONS, "_by_login", {})
    managed.pass_until(6)
    assert "released your account" in says(managed.tab(old))
    assert len(bindings(managed)) == 2


def test_only_a_manager_releases_and_only_what_is_bound(managed: Facility) -> None:
    assert release(managed, "S1", 1)[0] == 1
    managed.tab(managed.token())
    for by, why in (("S2", "may release a sign-in"), ("S9", "no such staff member")):
        code, _, said = release(managed, "S1", 1, by)
        assert code == 1
        assert why in said
    code, _, said = managed.bench.command("sign-in", "release", "S1", "--staff", "S7")
    assert code == 2
    assert "--reason" in said
    assert len(bindings(managed)) == 1


def test_a_faster_browser_wins(facility: Facility, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    free = claims.sign_ins.standing
    late = facility.token(sub="d2")
    assert is_in(facility.tab(facility.token(sub="d1")), "S1")
    monkeypatch.setattr(
        claims.sign_ins, "standing", lambda *_: claims.Standing.FREE
    )  # as seen before the other was bound
    app = facility.tab(late)
    assert "another account" in says(app)
    assert "let in" not in says(app)
    monkeypatch.setattr(claims.sign_ins, "standing", free)
    assert len(bindings(facility)) == 1
