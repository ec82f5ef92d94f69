"""Go-live: what fell due before the practice began is set aside, and a manager brings it in."""

from __future__ import annotations

import datetime as dt

import pytest

from pipelines import settings as settings_module
from pipelines.ledger.ledger import open_ledger
from tests.conftest import Workbench
from tests.practice import Practice

GO_LIVE = "2026-11-02"  # day 1; 90 days before it is 2026-08-04


def intake(practice: Practice, key: str, day: str, patient: str = "A") -> Practice:
    """A submission that only a person can clear."""
    row = {"patient_id": patient, "case_id": f"C-{patient}", "submitted_at": f"{day}T09:00:00"}
    return practice.add("intake_submissions", key, **row)


def hold(practice: Practice, key: str, day: str) -> Practice:
    """A hold, whose task clears by itself."""
    practice.add("claims", f"K-{key}", case_id="C-A", date_of_service="2026-01-05")
    return practice.add("claim_holds", key, claim_id=f"K-{key}", held_at=f"{day}T09:00:00")


@pytest.fixture
def old(practice: Practice) -> Practice:
    """A patient with a visit booked, and what fell due on days around the go-live."""
    practice.patient("A").visit("next", "A", "2026-11-10T09:00:00", status="Scheduled")
    for day in ("2026-01-06", "2026-11-01", "2026-11-02"):
        intake(practice, f"intake {day}", day)
    for day in ("2026-08-03", "2026-08-04", "2026-11-01"):
        hold(practice, f"hold {day}", day)
    return practice


def begin(workbench: Workbench, text: str) -> None:
    workbench.data.mkdir(exist_ok=True)
    (workbench.data / "settings.toml").write_text(text)


def subjects(workbench: Workbench, day: float = 1) -> list[str]:
    return sorted(task["subject_id"] for task in workbench.tasks(day, "pending"))


EVERYTHING = [
    "hold 2026-08-03",
    "hold 2026-08-04",
    "hold 2026-11-01",
    "intake 2026-01-06",
    "intake 2026-11-01",
    "intake 2026-11-02",
]
SINCE_GO_LIVE = ["hold 2026-08-04", "hold 2026-11-01", "intake 2026-11-02"]


@pytest.mark.parametrize(
    ("text", "opened"),
    [
        ("", EVERYTHING),
        (f"[practice]\ngo_live = {GO_LIVE}\n", SINCE_GO_LIVE),
        (f'[practice]\ngo_live = "{GO_LIVE}"\n', SINCE_GO_LIVE),
        (
            f"[practice]\ngo_live = {GO_LIVE}\nhistory_days = 1\n",
            ["hold 2026-11-01", "intake 2026-11-02"],
        ),
        (f"[practice]\ngo_live = {GO_LIVE}\nhistory_days = 0\n", ["intake 2026-11-02"]),
        (
            f"[practice]\ngo_live = {GO_LIVE}\n[rules.intake_complete]\ngo_live = 2026-01-06\n",
            [*SINCE_GO_LIVE[:2], "intake 2026-01-06", "intake 2026-11-01", "intake 2026-11-02"],
        ),
        (
            "[rules.intake_complete]\ngo_live = 2026-11-02\n",
            [*EVERYTHING[:3], "intake 2026-11-02"],
        ),
    ],
)
def test_what_fell_due_before_the_go_live_does_not_open(
    workbench: Workbench, old: Practice, text: str, opened: list[str]
) -> None:
    begin(workbench, text)
    workbench.run(old, 1)
    assert subjects(workbench) == opened


def test_what_is_set_aside_stays_so_and_what_comes_later_opens(
    workbench: Workbench, old: Practice
) -> None:
    begin(workbench, f"[practice]\ngo_live = {GO_LIVE}\n")
    workbench.run(old, 1)
    workbench.run(intake(old, "late entry", "2026-10-30"), 2)
    workbench.run(intake(old, "new", "2026-11-03"), 3)
    assert subjects(workbench, 3) == [*SINCE_GO_LIVE, "new"]


def test_an_open_task_is_never_closed_by_a_go_live(workbench: Workbench, old: Practice) -> None:
    workbench.run(old, 1)
    assert workbench.act("note", workbench.tasks(1)[0], 1.1, "--reason", "seen")[0] == 0
    begin(workbench, f"[practice]\ngo_live = {GO_LIVE}\n")
    workbench.run(old, 2)
    assert subjects(workbench, 2) == EVERYTHING
    done = workbench.one(2, "intake_complete", "intake 2026-11-01")
    assert workbench.act("complete", done, 2.1)[0] == 0
    workbench.run(old, 3)
    assert workbench.states(3, "intake_complete")["intake 2026-11-01", 1] == "completed"
    old.add("claim_holds", "hold 2026-08-03", released_at="2026-11-05T09:00:00")
    workbench.run(old, 4)
    assert workbench.states(4, "claim_submission_hold")["hold 2026-08-03", 1] == "cleared"


def test_a_closed_task_comes_back_although_it_is_old(workbench: Workbench, old: Practice) -> None:
    workbench.run(old, 1)
    old.add("claim_holds", "hold 2026-08-03", released_at="2026-11-03T09:00:00")
    workbench.run(old, 2)
    begin(workbench, f"[practice]\ngo_live = {GO_LIVE}\n")
    old.add("claim_holds", "hold 2026-08-03", released_at="")
    workbench.run(old, 3)
    assert workbench.states(3, "claim_submission_hold")["hold 2026-08-03", 2] == "pending"


def test_an_open_task_becomes_another_one_although_that_is_old(
    workbench: Workbench, practice: Practice
) -> None:
    practice.patient("A").visit("next", "A", "2026-11-10T09:00:00", status="Scheduled")
    practice.document(
        "D", "A", status="Completed", has_plan_of_care="true", completed_at="2026-10-01T09:00:00"
    )
    begin(workbench, f"[practice]\ngo_live = {GO_LIVE}\n")
    workbench.run(practice, 1)
    assert workbench.states(1, "faxing_required") == {("D", 1): "pending"}
    practice.add("faxes", "X", document_id="D", status="Sent", sent_at="2026-10-02T09:00:00")
    workbench.run(practice, 2)
    assert workbench.states(2, "faxing_required") == {("D", 1): "converted"}
    assert workbench.states(2, "pending_signature") == {("D", 1): "pending"}


def test_the_run_counts_what_it_set_aside_without_those_that_would_not_open(
    workbench: Workbench, old: Practice, caplog: pytest.LogCaptureFixture
) -> None:
    old.patient("B", status="Inactive").add("facilities", "F2", name="South")
    intake(old, "inactive", "2026-01-06", "B")
    old.patient("C", facility_id="F2").add("cases", "C-C", facility_id="F2")
    intake(old, "of South", "2026-03-01", "C")
    old.patient("D").add("cases", "C-D", discharged_on="2026-10-01")
    intake(old, "discharged", "2026-01-06", "D")  # intake_complete ends at discharge
    old.visit("n", "C", "2026-11-10T09:00:00", status="Scheduled", facility_id="F2")
    begin(workbench, f"[practice]\ngo_live = {GO_LIVE}\n")
    out = workbench.run(old, 1)
    assert "4 tasks that fell due before the go-live are set aside" in out
    table = out.split("opens those of a rule):\n")[1].splitlines()
    assert [line.split() for line in table[:5]] == [
        ["rule", "facility", "tasks", "oldest"],
        ["---------------------", "--------", "-----", "----------"],
        ["claim_submission_hold", "F1", "1", "2026-08-03"],
        ["intake_complete", "F1", "2", "2026-01-06"],
        ["intake_complete", "F2", "1", "2026-03-01"],
    ]
    (published,) = [one for one in caplog.records if getattr(one, "event", "") == "run.published"]
    assert published.set_aside == {"claim_submission_hold": 1, "intake_complete": 3}
    assert published.proposed_go_live is None


class TestProposal:
    """Without a go-live, a first run with many old tasks proposes one."""

    def many(self, practice: Practice, old: int, new: int) -> Practice:
        practice.patient("A").visit("next", "A", "2026-11-10T09:00:00", status="Scheduled")
        for number in range(old):
            intake(practice, f"old {number}", "2026-08-03")  # 91 days before day 1
        for number in range(new):
            intake(practice, f"new {number}", "2026-08-04")
        return practice

    @pytest.mark.parametrize(("old", "new", "is_proposed"), [(2, 5, True), (2, 6, False)])
    def test_it_is_made_when_more_than_a_quarter_is_older_than_90_days(
        self, workbench: Workbench, practice: Practice, old: int, new: int, is_proposed: bool
    ) -> None:
        out = workbench.run(self.many(practice, old, new), 1)
        says = f"{old} of {old + new} tasks fell due more than 90 days ago."
        assert (says in out) is is_proposed
        assert ("python -m pipelines run --go-live 2026-11-02" in out) is is_proposed

    def test_it_is_made_by_the_first_run_only(
        self, workbench: Workbench, practice: Practice
    ) -> None:
        workbench.run(self.many(practice, 4, 0), 1)
        assert "--go-live" not in workbench.run(practice, 2)

    def test_it_begins_a_list_anew_that_nobody_has_worked_with(
        self, workbench: Workbench, practice: Practice
    ) -> None:
        folder = self.many(practice, 4, 2).write(workbench.extracts / "x", workbench.day(1))
        arguments = ("run", "--extracts", folder, "--as-of", workbench.day(1).isoformat())
        workbench.command(*arguments)
        assert len(workbench.tasks(1)) == 6
        code, out, err = workbench.command(*arguments, "--go-live", GO_LIVE)
        assert code == 0, err
        assert "6 tasks that fell due before the go-live are set aside" in out
        assert workbench.tasks(1) == []
        assert workbench.history("A", 1) == []
        workbench.run(practice, 2)
        assert workbench.tasks(2) == [], "later runs go by it, too"

    def test_a_list_that_people_work_with_goes_on(
        self, workbench: Workbench, practice: Practice
    ) -> None:
        workbench.run(self.many(practice, 4, 2), 1)
        workbench.act("note", workbench.tasks(1)[0], 1.1, "--reason", "seen")
        intake(practice, "one more", "2026-08-03")
        folder = practice.write(workbench.extracts / "y", workbench.day(2))
        code, out, err = workbench.command(
            "run",
            "--extracts",
            folder,
            "--as-of",
            workbench.day(2).isoformat(),
            "--go-live",
            GO_LIVE,
        )
        assert code == 0, err
        assert "1 tasks that fell due before the go-live are set aside" in out
        assert len(workbench.tasks(2)) == 6

    def test_a_second_list_goes_on(self, workbench: Workbench, practice: Practice) -> None:
        workbench.run(self.many(practice, 4, 2), 1)
        workbench.run(practice, 2)
        folder = practice.write(workbench.extracts / "x", workbench.day(3))
        arguments = ("run", "--extracts", folder, "--as-of", workbench.day(3).isoformat())
        assert workbench.command(*arguments, "--go-live", GO_LIVE)[0] == 0
        assert len(workbench.tasks(3)) == 6

    def test_it_may_not_contradict_the_settings(
        self, workbench: Workbench, practice: Practice
    ) -> None:
        begin(workbench, "[practice]\ngo_live = 2026-10-01\n")
        folder = self.many(practice, 1, 0).write(workbench.extracts / "x", workbench.day(1))
        arguments = ("run", "--extracts", folder, "--as-of", workbench.day(1).isoformat())
        code, _, err = workbench.command(*arguments, "--go-live", GO_LIVE)
        assert code == 2
        assert "has practice.go_live = 2026-10-01; change it there" in err
        assert workbench.command(*arguments, "--go-live", "2026-10-01")[0] == 0


class TestBringingIn:
    """A manager brings in a group: a rule at a facility, or at all."""

    @pytest.fixture
    def begun(self, workbench: Workbench, practice: Practice) -> Practice:
        practice.add("facilities", "F2", name="South")
        practice.add("staff", "S3", name="Lee Park", role="Practice Administrator")
        practice.add("staff", "S4", name="Gone", role="Business Owner", is_active="false")
        for patient, facility in (("A", "F1"), ("B", "F2")):
            practice.patient(patient, facility_id=facility)
            practice.add("cases", f"C-{patient}", facility_id=facility)
            at = {"status": "Scheduled", "facility_id": facility}
            practice.visit(f"next {patient}", patient, "2026-11-10T09:00:00", **at)
            intake(practice, f"intake {patient}", "2026-01-06", patient)
            policy = {"patient_id": patient, "verified_at": "2026-01-06T09:00:00"}
            practice.add("policies", f"P-{patient}", **policy)
        begin(workbench, f"[practice]\ngo_live = {GO_LIVE}\n")
        workbench.run(practice, 1)
        assert workbench.tasks(1) == []
        return practice

    def bring_in(self, workbench: Workbench, *options: str, staff: str = "S3") -> tuple[int, str]:
        at = workbench.day(1.5).isoformat()
        code, out, err = workbench.command("bring-in", *options, "--staff", staff, "--at", at)
        return code, out + err

    def test_its_tasks_open_with_the_next_run(self, workbench: Workbench, begun: Practice) -> None:
        code, says = self.bring_in(workbench, "intake_complete", "--facility", "F2")
        assert (code, says) == (
            0,
            "Brought in by S3: Intake Complete · South. The next run opens its 1 tasks.\n",
        )
        assert workbench.tasks(1.5) == []
        workbench.run(begun, 2)
        assert subjects(workbench, 2) == ["intake B"]
        assert self.bring_in(workbench, "intake_complete")[0] == 0
        workbench.run(begun, 3)
        assert subjects(workbench, 3) == ["intake A", "intake B"]
        with open_ledger(settings_module.load().ledger_url) as ledger:
            found = [(row.staff_id, row.rule_id, row.facility_id) for row in ledger.brought_in()]
        assert found == [("S3", "intake_complete", "F2"), ("S3", "intake_complete", "F1")]

    def test_a_run_of_an_earlier_moment_does_not_know_of_it(
        self, workbench: Workbench, begun: Practice
    ) -> None:
        self.bring_in(workbench, "intake_complete")
        workbench.run(begun, 1.4)
        assert workbench.tasks(1.4) == []
        workbench.run(begun, 1.6)
        assert len(workbench.tasks(1.6)) == 2

    @pytest.mark.parametrize(
        ("options", "staff", "says"),
        [
            (("intake_complete",), "S1", "S1: only Therapy Director, Practice Administrator"),
            (("intake_complete",), "S4", "S4: this staff member is not active"),
            (("intake_complete",), "S9", "S9: there is no such staff member"),
            (("mips",), "S3", "No tasks of mips are set aside"),
            (("intake_complete", "--facility", "F3"), "S3", "No tasks of intake_complete at F3"),
        ],
    )
    def test_what_cannot_be_brought_in_is_refused(
        self,
        workbench: Workbench,
        begun: Practice,
        options: tuple[str, ...],
        staff: str,
        says: str,
    ) -> None:
        code, message = self.bring_in(workbench, *options, staff=staff)
        assert (code, says in message) == (1, True), message
        workbench.run(begun, 2)
        assert workbench.tasks(2) == []

    def test_twice_is_refused(self, workbench: Workbench, begun: Practice) -> None:
        self.bring_in(workbench, "intake_complete")
        code, says = self.bring_in(workbench, "intake_complete")
        assert (code, "is brought in already" in says) == (1, True)

    def test_a_practice_names_the_roles(self, workbench: Workbench, begun: Practice) -> None:
        begin(workbench, f'[practice]\ngo_live = {GO_LIVE}\nmanager_roles = ["Front Desk"]\n')
        assert self.bring_in(workbench, "intake_complete", staff="S3")[0] == 1
        assert self.bring_in(workbench, "intake_complete", staff="S1")[0] == 0


def test_the_record_of_a_run_says_what_it_went_by(
    workbench: Workbench, old: Practice, published
) -> None:
    begin(workbench, f"[practice]\ngo_live = {GO_LIVE}\nhistory_days = 10\n")
    workbench.run(old, 1)
    with published(workbench.data) as con:
        row = con.execute("SELECT go_live, history_days, proposed_go_live FROM runs").fetchone()
        asked = con.execute("SELECT rule_id, set_aside FROM run_rules WHERE set_aside > 0")
        assert dict(asked.fetchall()) == {"claim_submission_hold": 2, "intake_complete": 2}
    assert row == (dt.date(2026, 11, 2), 10, None)
