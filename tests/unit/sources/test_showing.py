"""A source is shown with where each column comes from, and as the SQL that is run."""

from __future__ import annotations

from pipelines.sources import mapping, showing
from pipelines.warehouse import snapshots
from tests.imports import PATIENTS, Practice

MORE = """phone = { join = ["tel", "ext"] }
birth_date = { column = "dob", values = { none = "" } }
email = { lookup = "Mails", match = ["id", "who"], give = "mail" }
reminder_channel = { sql = "UPPER(s.channel)" }
"""


def test_each_column_says_where_it_comes_from(tmp_path) -> None:
    source = Practice(tmp_path).maps('absent = ["faxes"]\n' + PATIENTS + MORE).source()
    said = showing.as_text(source)
    for line in (
        "patients: from Patients",
        "tel and ext",
        "dob: none is ",
        "mail of the row of Mails with the same",
        "SQL: UPPER(s.channel)",
        "always F",
        "never delivered: faxes",
    ):
        assert line in said


def test_the_sql_that_is_shown_is_sql(tmp_path) -> None:
    source = Practice(tmp_path).maps(PATIENTS + MORE.replace("s.channel", "s.id")).source()
    sql = showing.as_sql(source)
    assert sql.startswith("-- patients\nSELECT")
    with snapshots.connect() as con:
        assert len(con.extract_statements(sql)) == 1


def test_every_preset_can_be_shown() -> None:
    for name in mapping.shipped():
        source = mapping.load(name)
        assert showing.as_text(source)
        with snapshots.connect() as con:
            assert con.extract_statements(showing.as_sql(source)), name
