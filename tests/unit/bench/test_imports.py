"""The benchmark of imports measures an import that took every row."""

from __future__ import annotations

from pathlib import Path

from pipelines.bench import imports


def test_a_small_import_is_measured(tmp_path: Path) -> None:
    found = imports.measure(500, tmp_path)
    assert found["rows"] == 500
    assert found["seconds"] > 0 < found["cpu_seconds"]
    assert found["peak_mb"] > 10
    written = (tmp_path / "out" / "appointments.csv").read_text().splitlines()
    assert len(written) == 501
    assert "2026-10-19T08:00:00" in written[1]
