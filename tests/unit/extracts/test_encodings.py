"""Encodings: UTF-8, Windows-1252, UTF-16, and files that are nearly one of them."""

from __future__ import annotations

import codecs
import gzip
from pathlib import Path

import duckdb
import pytest

from pipelines.extracts import encodings, read
from pipelines.extracts import folder as extracts_folder
from pipelines.extracts.outcome import TableRead

TEXT = "survey_id,case_id,kind,completed_at\nS1,C1,O’Brien – Nuñez,2026-11-01\n"


def _read(path: Path) -> tuple[TableRead, list[str]]:
    con = duckdb.connect()
    outcomes = read.read(con, extracts_folder.find(path.parent), {}, path.parent / "_rejected")
    kinds = con.execute("SELECT kind FROM extract.surveys ORDER BY survey_id").fetchall()
    return outcomes[-1], [kind for (kind,) in kinds]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), encodings.UTF_8),
        (TEXT.encode("utf-8-sig"), encodings.UTF_8),
        (TEXT.encode("cp1252"), encodings.WINDOWS),
        (TEXT.replace("’", "").replace("–", "").encode("latin-1"), encodings.WINDOWS),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "utf-16-le"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("utf-16-le"), "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be"),
        (b"", encodings.UTF_8),
        (b"\x00\x01\x02garbage", encodings.UTF_8),
    ],
)
def test_the_encoding_is_found_from_the_bytes(
    tmp_path: Path, content: bytes, encoding: str
) -> None:
    (tmp_path / "surveys.csv").write_bytes(content)
    (tmp_path / "surveys.csv.gz").write_bytes(gzip.compress(content, mtime=0))
    assert encodings.encoding_of(tmp_path / "surveys.csv") == encoding
    assert encodings.encoding_of(tmp_path / "surveys.csv.gz") == encoding


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
@pytest.mark.parametrize("lines", ["\n", "\r\n", "\r"])
def test_every_encoding_gives_the_same_letters(tmp_path: Path, encoding: str, lines: str) -> None:
    path = tmp_path / "surveys.csv"
    path.write_bytes(TEXT.replace("\n", lines).encode(encoding))
    outcome, kinds = _read(path)
    assert (outcome.status, outcome.warnings, kinds) == ("accepted", (), ["O’Brien – Nuñez"])


def test_a_stray_byte_leaves_a_utf_8_file_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "surveys.csv"
    path.write_bytes(TEXT.encode() + b"S2,C2,Mu\xf1oz,2026-11-02\n")
    outcome, kinds = _read(path)
    assert kinds == ["O’Brien – Nuñez", "Mu\ufffdoz"]
    assert outcome.warnings == (
        "surveys.csv: 1 row holds a byte that is no letter of the file's encoding, "
        "the first in line 3; it is read as \ufffd",
    )


def test_a_byte_that_windows_does_not_have_either_is_named(tmp_path: Path) -> None:
    path = tmp_path / "surveys.csv"
    path.write_bytes(TEXT.encode("cp1252") + b"S2,C2,a\x81b,2026-11-02\n")
    outcome, kinds = _read(path)
    assert kinds == ["O’Brien – Nuñez", "a\ufffdb"]
    assert "the first in line 3" in outcome.warnings[0]


def test_a_letter_on_the_edge_of_two_blocks_is_one(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_bytes(b"a" * (2**20 - 1) + "é".encode() + b"a" * 2**20)
    assert encodings.encoding_of(path) == encodings.UTF_8
    path.write_bytes(b"a" * (2**20) + b"\xe9" + b"a" * 2**20)
    assert encodings.encoding_of(path) == encodings.WINDOWS
    path.write_bytes(b"a" * (2**20) + b"\xe9")
    assert encodings.encoding_of(path) == encodings.WINDOWS
