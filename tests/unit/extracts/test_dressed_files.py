"""Files that a tool dressed up: lines above the header, its names, a count below the rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipelines.extracts import folder as extracts_folder
from pipelines.extracts import read
from pipelines.extracts.outcome import TableRead
from tests.conftest import Workbench
from tests.practice import Practice

HEADER = "survey_id,case_id,kind,completed_at\n"
ROWS = "S1,C1,MIPS,2026-11-01\nS2,C2,MIPS,2026-11-02\n"
Surveys = Callable[[str], tuple[TableRead, list[tuple[object, ...]]]]


@pytest.fixture
def surveys(tmp_path: Path) -> Surveys:
    """Read a surveys.csv of this text: the outcome, and the refused rows by line."""

    def read_text(text: str) -> tuple[TableRead, list[tuple[object, ...]]]:
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / "surveys.csv").write_text(text, encoding="utf-8")
        con = duckdb.connect()
        outcomes = read.read(con, extracts_folder.find(tmp_path / "in"), {}, tmp_path / "rejected")
        refused = con.execute("SELECT line, check_name FROM extract.refused_rows ORDER BY ALL")
        return outcomes[-1], refused.fetchall()

    return read_text


@pytest.mark.parametrize(
    "above",
    [
        "",
        "sep=,\n",
        '"sep=,"\n',
        "\ufeffsep=,\n",
        "Surveys of the practice\nprinted on Nov 3, 2026\n\n",
        "\n\n",
        "a\n" * 9,
    ],
)
def test_lines_above_the_header_are_skipped_and_lines_keep_their_numbers(
    surveys: Surveys, above: str
) -> None:
    outcome, refused = surveys(above + HEADER + ROWS + "S3,C3,MIPS,soon\n")
    assert (outcome.status, outcome.rows_staged) == ("accepted", 2)
    assert refused == [(above.count("\n") + 4, "moment")]


def test_a_header_further_down_is_no_header(surveys: Surveys) -> None:
    outcome, _ = surveys("a\n" * 10 + HEADER + ROWS)
    assert (outcome.status, outcome.reason) == ("refused", "surveys.csv has no column survey_id")


def test_a_header_and_nothing_below_is_an_empty_table(surveys: Surveys) -> None:
    outcome, _ = surveys("sep=,\n" + HEADER)
    assert (outcome.status, outcome.rows_read) == ("accepted", 0)


@pytest.mark.parametrize(
    "header",
    [
        "Survey ID,Case ID,Kind,Completed At\n",
        "SURVEY_ID,CASE_ID,KIND,COMPLETED_AT\n",
        "SurveyId,caseId,kind,completedAt\n",
        " survey-id , case id,Kind,Completed.At\n",
    ],
)
def test_a_name_is_the_same_however_it_is_written(surveys: Surveys, header: str) -> None:
    outcome, _ = surveys(header + ROWS)
    assert (outcome.status, outcome.rows_staged, outcome.warnings) == ("accepted", 2, ())


def test_two_spellings_of_one_name_are_one_column_too_many(surveys: Surveys) -> None:
    outcome, _ = surveys("survey_id,Survey ID,case_id,kind,completed_at\n")
    assert outcome.reason == "surveys.csv has the column survey_id 2 times"


@pytest.mark.parametrize(
    "below",
    [
        "(6 rows affected)",
        "\n(2 rows affected)\n",
        "(1 row)\n",
        "6 rows selected.\n",
        "1,234 rows in set (0.00 sec)\n",
        "2 records\n",
        "(2 rows affected),,\n",
        '"(2 rows affected)"\n',
    ],
)
def test_a_line_that_counts_the_rows_is_no_row(surveys: Surveys, below: str) -> None:
    outcome, refused = surveys(HEADER + ROWS + below)
    assert (outcome.status, outcome.rows_read, outcome.rows_staged) == ("accepted", 2, 2)
    assert refused == []
    (warning,) = outcome.warnings
    assert warning == (
        "surveys.csv: the last line only counts the rows or totals them and is ignored"
    )


@pytest.mark.parametrize(
    "below",
    [
        "Total\n",
        "Total,,,123\n",
        'Grand Total:,,,"$1,025.00"\n',
        ",,Total,2\n",
        "Report Total,2,,(25.00)\n",
        "Row count,2,,\n",
        "*** End of Report ***\n",
    ],
)
def test_a_line_of_totals_is_no_row(surveys: Surveys, below: str) -> None:
    outcome, refused = surveys(HEADER + ROWS + below)
    assert (outcome.status, outcome.rows_read, outcome.rows_staged) == ("accepted", 2, 2)
    assert refused == []


def test_several_lines_of_totals_are_no_rows(surveys: Surveys) -> None:
    outcome, refused = surveys(HEADER + ROWS + "Total,,,2\n\n(2 rows affected)\n")
    assert (outcome.rows_read, refused) == (2, [])
    assert outcome.warnings == (
        "surveys.csv: the last 2 lines only count the rows or total them and are ignored",
    )


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("(2 rows affected)\n" + "S9,C9,MIPS,2026-11-03\n", [(4, "field_count")]),
        ("Total\n" + "S9,C9,MIPS,2026-11-03\n", [(4, "field_count")]),
        ("Total Care Clinic,C9,MIPS,2026-11-03\nTotals,C9,,\n", [(5, "required; required")]),
        (
            "6 rows affected by hand of somebody whose name is much longer than that\n",
            [(4, "field_count")],
        ),
    ],
)
def test_any_other_line_is_a_broken_row(
    surveys: Surveys, text: str, refused: list[tuple[object, ...]]
) -> None:
    assert surveys(HEADER + ROWS + text)[1] == refused


def test_a_count_below_the_cases_holds_nothing(workbench: Workbench, practice: Practice) -> None:
    practice.patient("Q0").patient("Q1")
    practice.visit("S1", "Q1", "2026-11-10T09:00:00", status="Scheduled")
    workbench.run(practice, 1)
    assert workbench.states(1, "unscheduled_patient") == {("Q0", 1): "pending"}
    practice.visit("S0", "Q0", "2026-11-10T09:00:00", status="Scheduled")
    folder = practice.write(workbench.extracts / "2", None)
    with (folder / "cases.csv").open("a") as file:
        file.write("\n(2 rows affected)\n")
    workbench.run(folder, 2)
    assert workbench.states(2, "unscheduled_patient") == {("Q0", 1): "cleared"}
