"""Load X12 files: remittances (835), claim statuses (277) and eligibility answers (271).

All files of a delivery become the tables of x12_tables.TABLES. The separators are those that the
ISA segment states, or, where a file has none, those its first ST segment shows. Counts that do not
agree (SE01) are tolerated; a transaction that a cut file ends within is left out and named.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import io
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pyarrow as pa
from pyx12.errors import X12Error
from pyx12.rawx12file import RawX12File

from pipelines.extracts.encodings import encoding_of, open_bytes, open_text
from pipelines.extracts.records import FileRefused
from pipelines.sources import x12_tables
from pipelines.sources.x12_tables import TABLES, Envelope, Rows, Segment
from pipelines.sql_files import identifier

SUFFIXES = (".835", ".277", ".277ca", ".271", ".edi", ".x12", ".era")
MAYBE = (".txt", ".dat")  # X12 where they begin with ISA
ISA_WIDTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)
VERSIONS = ("00401", "00501")  # of the envelope; pyx12 reads no other, and they differ in nothing
LONGEST_ISA = 200  # characters
TWO = 2  # signs behind the last ISA element: of components, and the terminator
MOST_NAMED = 3  # problems of one file
_START = 1024
TRAILERS = ("SE", "GE", "IEA")
# Not \s: control characters, which Python counts as blanks, may be separators.
BLANKS = " \t\r\n"
ISA = re.compile(r"(?:^|[^A-Za-z0-9 ])[\ufeff \t\r\n]*(ISA)[^A-Za-z0-9 \t\r\n]")
# Of a file without ISA: the first transaction shows the separators of elements and segments.
FIRST_ST = re.compile(
    r"(?:^|[^A-Za-z0-9])ST(?P<element>[^A-Za-z0-9 \t\r\n])[0-9]{3}"
    r"(?P=element)[A-Za-z0-9]{1,9}(?:(?P=element)[A-Za-z0-9]{0,35})?(?P<end>[^A-Za-z0-9 ])"
)


@dataclass(frozen=True)
class Contents:
    """What an X12 file holds: rows by table, when it was sent (UTC), and what is wrong with it."""

    rows: Rows
    sent_at: dt.datetime | None
    problems: tuple[str, ...] = ()


@dataclass
class _Interchange:
    """One envelope of a file from `start` to `until`: its separators, ISA elements and segments."""

    start: int
    until: int
    has_header: bool = True
    element: str = "*"
    component: str = ":"
    end: str = "~"
    header: list[str] = field(default_factory=lambda: [""] * 15)
    line: int = 1
    pieces: list[tuple[int, str]] = field(default_factory=list)


def is_x12(path: Path) -> bool:
    """Whether a file is X12 by its name or, where that is a text's, by its first letters."""
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(SUFFIXES):
        return True
    if not name.endswith(MAYBE):
        return False
    try:
        with open_bytes(path) as raw:
            start = raw.read(_START)
    except (OSError, EOFError, zlib.error):
        return False
    return (
        re.match(rb"[ \t\r\n]*ISA[^A-Za-z0-9 \t\r\n]", start.removeprefix(b"\xef\xbb\xbf"))
        is not None
    )


def read(path: Path) -> Contents:
    """The rows of one file; FileRefused when nothing of it can be read. No text quotes a value."""
    try:
        with open_text(path, encoding_of(path)) as file:
            text = file.read()
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise FileRefused("is damaged: it cannot be unpacked to its end") from None
    if not text.strip(BLANKS):
        raise FileRefused("is empty")
    found: Rows = {name: [] for name in TABLES}
    problems: list[str] = []
    sent: list[dt.datetime] = []
    read_any = False
    for interchange in _interchanges(text):
        try:
            _parse(text, interchange)
            moment = _moment(interchange.header[8], interchange.header[9])
            _take(interchange, moment, found, problems)
        except FileRefused as refused:
            problems.append(str(refused))
            continue
        read_any = True
        sent += [moment] if moment else []
    if not read_any:
        raise FileRefused("; ".join(problems[:MOST_NAMED]))
    if len(problems) > MOST_NAMED:
        problems[MOST_NAMED:] = [f"{len(problems) - MOST_NAMED:,} more such problems"]
    return Contents(found, max(sent, default=None), tuple(problems))


def load(con: duckdb.DuckDBPyConnection, path: Path, said: str) -> Contents:
    """Append the rows of a file to the tables source.x12_…, made where they are missing.

    `said` is the file's name in the column `file`.
    """
    contents = read(path)
    for name, columns in TABLES.items():
        target = f"source.{identifier(name)}"
        declared = ", ".join(f"{identifier(column)} VARCHAR" for column in columns)
        con.execute(
            f"CREATE TABLE IF NOT EXISTS {target} ({declared}, file VARCHAR, _line BIGINT, "
            "_file INTEGER)"
        )
        rows = contents.rows[name]
        if not rows:
            continue
        # Empty elements are values that are not there.
        arrays = [pa.array([row.get(column) or None for row in rows]) for column in columns]
        batch = pa.table([array.cast(pa.string()) for array in arrays], names=list(columns))
        con.register("x12_rows", batch)
        con.execute(
            f"INSERT INTO {target} BY NAME SELECT r.*, $said AS file, "
            "CAST(r.line AS BIGINT) AS _line, 1 AS _file FROM x12_rows AS r",
            {"said": said},
        )
        con.unregister("x12_rows")
    return contents


def _interchanges(text: str) -> Iterator[_Interchange]:
    """The envelopes of a file by their places; the whole file where there is no ISA segment."""
    # A segment begins behind a terminator: a sign, or the end of a line.
    starts = [found.start(1) for found in ISA.finditer(text)]
    if not starts:
        yield _Interchange(0, len(text), has_header=False)
        return
    for start, until in zip(starts, [*starts[1:], len(text)], strict=True):
        yield _Interchange(start, until)


def _parse(text: str, interchange: _Interchange) -> None:
    """Find the separators and segments; FileRefused where there are none."""
    interchange.line = text.count("\n", 0, interchange.start) + 1
    body = text[interchange.start : interchange.until]
    if not interchange.has_header:
        _guess_separators(body, interchange)
        # The number of the envelope that is missing: the same file again has the same rows.
        interchange.header[12] = hashlib.sha256(body.encode()).hexdigest()[:16]
        _split(body, interchange.line, interchange)
        return
    interchange.element = body[3]
    parts = body[:LONGEST_ISA].split(interchange.element)
    signs = parts[16][:TWO] if len(parts) > len(ISA_WIDTHS) else ""
    if len(signs) < TWO or any(sign.isalnum() for sign in signs):
        raise FileRefused(f"line {interchange.line}: its ISA segment is damaged")
    interchange.component, interchange.end = signs[0], signs[1]
    after = sum(len(part) + 1 for part in parts[:16]) + 2
    if interchange.end == "\r" and body[after : after + 1] == "\n":
        interchange.end, after = "\n", after + 1
    interchange.header = [re.sub("[\r\n]", "", part).strip() for part in parts[1:16]]
    _split(body[after:], interchange.line + body.count("\n", 0, after), interchange)


def _guess_separators(body: str, interchange: _Interchange) -> None:
    """Those of a file that begins with GS or ST."""
    found = FIRST_ST.search(body)
    if found is None:
        raise FileRefused("is not X12: it has neither an ISA nor an ST segment")
    interchange.element = found["element"]
    interchange.end = "\n" if found["end"] in "\r\n" else found["end"]
    sign = re.escape(interchange.element)
    part = re.search(rf"(?:SVC|STC){sign}[A-Z][A-Z0-9]([^A-Za-z0-9 \t\r\n{sign}])", body)
    interchange.component = part[1] if part else ":"


def _split(body: str, line: int, interchange: _Interchange) -> None:
    """The segments with the lines they begin on, without blank ones and breaks of lines."""
    pieces = body.split(interchange.end)
    is_of_lines = interchange.end == "\n"
    for place, piece in enumerate(pieces):
        bare = piece.lstrip(BLANKS)
        started = line + piece[: len(piece) - len(bare)].count("\n")
        line += piece.count("\n") + is_of_lines
        segment = bare.replace("\r", "").replace("\n", "")
        # Behind the last terminator stands what was cut off.
        is_cut = place == len(pieces) - 1 and not segment.startswith(TRAILERS)
        if segment and not is_cut:
            interchange.pieces.append((started, segment))


def _moment(day: str, time: str) -> dt.datetime | None:
    """ISA09 (YYMMDD) and ISA10 (HHMM); they state no time zone."""
    for form, text in (("%y%m%d%H%M", day + time), ("%Y%m%d%H%M", day + time), ("%y%m%d", day)):
        try:
            return dt.datetime.strptime(text, form).replace(tzinfo=dt.UTC)
        except ValueError:
            continue
    return None


def _take(
    interchange: _Interchange, moment: dt.datetime | None, found: Rows, problems: list[str]
) -> None:
    """The rows of each whole transaction of an interchange."""
    envelope = Envelope(
        interchange.header[5],
        interchange.header[12],
        moment.strftime("%Y-%m-%dT%H:%M:%S") if moment else None,
        interchange.component,
    )
    is_closed = any(text.startswith("IEA") for _, text in interchange.pieces[-2:])
    others: Counter[str] = Counter()
    for segments, has_end in _transactions(interchange):
        kind, line = segments[0].at(1), segments[0].line
        if not has_end and not is_closed:
            problems.append(f"line {line}: the {kind} that begins here is cut off and left out")
        elif kind in x12_tables.READERS:
            for name, rows in x12_tables.READERS[kind](segments, envelope).items():
                found[name] += rows
        else:
            others[kind if re.fullmatch("[0-9]{3}", kind) else "unknown"] += 1
    problems += [
        f"{count:,} transaction{'s' if count > 1 else ''} of the kind {kind} left out"
        for kind, count in others.items()
    ]


def _transactions(interchange: _Interchange) -> Iterator[tuple[list[Segment], bool]]:
    """The segments of each transaction from its ST on, and whether an SE closes it."""
    current: list[Segment] = []
    for segment in _segments(interchange):
        if segment.name in ("ST", "GS", "SE", "GE", "IEA"):
            if current:
                yield current, segment.name == "SE"
            current = [segment] if segment.name == "ST" else []
        elif current:
            current.append(segment)
    if current:
        yield current, False


def _segments(interchange: _Interchange) -> Iterator[Segment]:
    header = [*interchange.header, interchange.component]
    header[11] = header[11] if header[11] in VERSIONS else VERSIONS[-1]
    padded = [value.ljust(width)[:width] for value, width in zip(header, ISA_WIDTHS, strict=True)]
    texts = [interchange.element.join(["ISA", *padded]), *(text for _, text in interchange.pieces)]
    end = interchange.end
    reader = iter(RawX12File(io.StringIO(end.join(texts) + end, newline="")))
    try:
        next(reader)
        for number, (line, _) in enumerate(interchange.pieces, 1):
            name, *values = next(reader).split(interchange.element)
            stripped = tuple(value.strip(BLANKS) for value in values)
            yield Segment(name.strip(BLANKS), stripped, line, number)
    except (X12Error, StopIteration):  # messages of pyx12 quote the segment
        raise FileRefused("is damaged: its segments cannot be told apart") from None
