"""`check` reads the folder that `run` would read."""

from tests.conftest import Workbench
from tests.practice import Practice


def test_check_reads_the_newest_of_dated_folders(workbench: Workbench, practice: Practice):
    practice.patient("A").write(workbench.extracts / "2026-11-02", workbench.day(1))
    practice.add("patients", "A", status="Asleep")
    practice.write(workbench.extracts / "2026-11-03", workbench.day(2))
    code, out, _ = workbench.command("check", "--extracts", workbench.extracts)
    assert code == 1
    assert "value_set" in out
    practice.add("patients", "A", status="Active")
    practice.write(workbench.extracts / "2026-11-03_2", workbench.day(2))
    assert workbench.command("check", "--extracts", workbench.extracts)[0] == 0
