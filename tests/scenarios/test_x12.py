"""X12 beside a practice's own files, through whole imports and runs."""

from __future__ import annotations

from pipelines.extracts import contract
from tests.conftest import Workbench
from tests.practice import Practice
from tests.x12_files import Interchange, acknowledgement, claim, eligibility, remittance, written

TABLES = [table for table in contract.TABLES if table != "claim_holds"]


def own_mapping(workbench: Workbench) -> None:
    """A source whose files have the contract's columns, with X12 beside them."""
    lines = ['with = ["x12"]']
    for table in TABLES:
        lines += [f'[tables.{table}]\nfrom = "{table}"', f"[tables.{table}.columns]"]
        lines += [f'{column.name} = "{column.name}"' for column in contract.columns(table)]
    folder = workbench.data / "sources" / "own"
    folder.mkdir(parents=True)
    (folder / "source.toml").write_text("\n".join(lines))


def night(workbench: Workbench, practice: Practice, day: int, *files: str) -> None:
    """Import a delivery with these X12 files and run over it."""
    delivered, extracts = workbench.folder / f"in{day}", workbench.folder / f"out{day}"
    practice.write(delivered, None)
    for number, text in enumerate(files):
        (delivered / f"{number}.edi").write_text(text)
    at = workbench.day(day).isoformat()
    code, _, err = workbench.command(
        "import", "--source", "own", "--from", delivered, "--out", extracts, "--as-of", at
    )
    assert code == 0, err
    workbench.run(extracts, day)


def test_answers_of_payers_open_and_clear_the_tasks_of_their_records(
    workbench: Workbench, practice: Practice
) -> None:
    own_mapping(workbench)
    practice.patient("A").visit("V1", "A", "2026-10-30T09:00:00", amount_due="40.00")
    practice.add("policies", "POL1", patient_id="A", verification_requested_at="2026-11-01T09:00")
    practice.add("claims", "C1", case_id="C-A", appointment_id="V1", date_of_service="2026-10-30")
    practice.add("claims", "C3", case_id="C-A", date_of_service="2026-10-29", status="Sent")
    night(workbench, practice, 1, written(acknowledgement(("C3", "A7:562"))))
    assert workbench.states(1, "claim_submission_hold") == {("x12-C3-2026-11-02", 1): "pending"}
    assert workbench.states(1, "benefit_verification_required") == {("POL1", 1): "pending"}
    assert workbench.one(1, "uncollected_payments", "V1")["amount"] == 40.0

    night(
        workbench,
        practice,
        2,
        written(
            remittance(claim("C1", "1", "200", "185", "15"), paid_on="20261103"),
            eligibility("POL1", "EB*1**30", day="20261103"),
            envelope=Interchange(102, "261103"),
        ),
        written(
            acknowledgement(("C3", "A2:20"), day="20261103"), envelope=Interchange(103, "261103")
        ),
    )
    assert workbench.states(2, "claim_submission_hold") == {("x12-C3-2026-11-02", 1): "cleared"}
    assert workbench.states(2, "benefit_verification_complete") == {("POL1", 1): "pending"}
    # The payer left less to the patient than was asked for at the visit.
    assert workbench.one(2, "uncollected_payments", "V1")["amount"] == 15.0

    before = workbench.tasks(3)
    night(workbench, practice, 3)  # no X12 that night
    assert workbench.tasks(3) == before
