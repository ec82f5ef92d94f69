"""Records of JSON in every shape become rows by their type; what is no JSON is refused unquoted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.extracts.records import FileRefused
from pipelines.sources import json_files
from pipelines.warehouse import snapshots

PATIENT = {"resourceType": "Patient", "id": "1", "contained": [{"resourceType": "Practitioner"}]}
READ = {
    "lines": ('{"a":1}\n\n{"a":2}\n', {"visits": 2}),
    "a list": ('[{"a":1},{"a":2}]', {"visits": 2}),
    "one record on many lines": (json.dumps({"a": 1}, indent=2), {"visits": 1}),
    "a mark before it": ('\ufeff{"a":1}\n', {"visits": 1}),
    "nothing": ("", {}),
    "a bundle": (
        json.dumps({"resourceType": "Bundle", "entry": [{"resource": PATIENT}]}),
        {"patient": 1, "practitioner": 1},
    ),
}


def load(path: Path, text: str) -> dict[str, int]:
    path.write_text(text, encoding="utf-8")
    with snapshots.connect() as con:
        con.execute("CREATE SCHEMA source")
        return json_files.load(con, path, "visits")


@pytest.mark.parametrize(("text", "rows"), READ.values(), ids=READ)
def test_records_are_rows_by_their_type(tmp_path, text, rows) -> None:
    assert load(tmp_path / "visits.json", text) == rows


@pytest.mark.parametrize("text", ["Zzmarker", '{"a":1}\n{"a": "Zzmarker', '{"a":1}\nZzmarker\n'])
def test_what_is_no_json_is_refused_and_not_quoted(tmp_path, text) -> None:
    with pytest.raises(FileRefused, match="is not JSON") as raised:
        load(tmp_path / "visits.json", text)
    assert "Zzmarker" not in str(raised.value)
