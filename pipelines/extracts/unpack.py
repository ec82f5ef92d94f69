"""Unpack a delivery: zips and workbooks become plain files, so that one reader reads them all."""

from __future__ import annotations

import csv
import datetime as dt
import errno
import json
import os
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

import python_calamine

from pipelines.errors import UserError
from pipelines.extracts import names

WORKBOOKS = (".xlsx", ".xlsm", ".xls")
PACKED = (".zip", *WORKBOOKS)
JUNK = ("__macosx", "thumbs.db", "desktop.ini")
ORIGINS = ".origins.json"  # where each unpacked file came from; readers skip hidden files
DEEPEST = 2  # a workbook in a zip in a zip
MOST_MEMBERS = 10_000
MOST_TIMES = 200  # unpacked bytes for a packed one; tables of text pack to a tenth
ALWAYS_BYTES = 2**28  # small archives of blank cells pack better than that
SPARE_BYTES = 2**26  # stay free on the disk that is unpacked to
SHEET_TIMES = 20  # a workbook's CSV files take at most this many times its own bytes
LONGEST_NUMBER = 10**15  # a spreadsheet keeps 15 digits: a longer id is damaged
GENERIC_SHEET = re.compile(r"(?i)(?:sheet|tabelle|feuil|hoja) ?[0-9]*|data|export|report")
OLE, ZIP = b"\xd0\xcf\x11\xe0", b"PK"  # what a workbook starts with


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """A folder, a zip, a workbook or a single file as a folder of plain files.

    A folder without anything packed is yielded itself. Otherwise the folder is temporary and
    private: it links to the plain files and holds the members of zips and a UTF-8 CSV for each
    sheet, whose lines are the rows of the sheet. UserError names a file that cannot be unpacked.
    """
    entries = _entries(path)
    if entries is None or (path.is_dir() and not any(map(_holds_packed, entries))):
        yield path
        return
    packed = [found for entry in entries for found in _packed_of(entry)]
    with _private_folder(path, _bytes_needed(packed)) as folder:
        allowed = max(ALWAYS_BYTES, MOST_TIMES * sum(file.stat().st_size for file in packed))
        unpacking = _Unpacking(folder, allowed, MOST_MEMBERS)
        try:
            for entry in entries:
                unpacking.take(entry, entry.name, "")
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise UserError(f"{path}: no room in {folder.parent} to unpack it") from None
            raise UserError(f"{path}: cannot be unpacked ({error.strerror})") from None
        unpacking.write_origins()
        yield folder


def origin_of(file: Path) -> str | None:
    """Where an unpacked file came from ("book.xlsx, sheet Patients"); None for a plain file."""
    for folder in (file.parent, file.parent.parent):
        try:
            origins = json.loads((folder / ORIGINS).read_text(encoding="utf-8"))
        except OSError:
            continue
        return origins.get(file.relative_to(folder).as_posix())
    return None


def is_packed(path: Path) -> bool:
    """True for a zip or a workbook, by its name."""
    return path.name.lower().endswith(PACKED) and not _is_junk(path.name) and path.is_file()


@dataclass
class _Unpacking:
    """Files placed so far in `folder`: where each came from, by its name in lower case."""

    folder: Path
    bytes_left: int
    members_left: int
    origins: dict[str, str] = field(default_factory=dict)
    placed: dict[str, str] = field(default_factory=dict)

    def take(self, file: Path, origin: str, into: str, depth: int = 0) -> None:
        """Link or unpack one file or folder; `into` is "" or the folder of a table's parts."""
        if _is_junk(file.name):
            return
        if file.is_dir():
            if not _holds_packed(file):
                self._place(file.name, origin, into).symlink_to(file.resolve())
                return
            for part in sorted(file.iterdir()):
                self.take(part, f"{origin}/{part.name}", file.name.lower())
        elif file.name.lower().endswith(".zip"):
            self._unpack_zip(file, origin, into, depth)
        elif file.name.lower().endswith(WORKBOOKS):
            self._unpack_workbook(file, origin, into)
        elif depth:
            shutil.move(file, self._place(file.name, origin, into))
        else:
            self._place(file.name, origin, into).symlink_to(file.resolve())

    def write_origins(self) -> None:
        """Keep the origins for `origin_of`."""
        text = json.dumps({name: origin for name, origin in self.origins.items() if ", " in origin})
        (self.folder / ORIGINS).write_text(text, encoding="utf-8")

    def _place(self, name: str, origin: str, into: str) -> Path:
        """The path for a file of this name; UserError where another has it."""
        within = f"{into}/{name}" if into else name
        if within.lower() in self.placed:
            other = self.placed[within.lower()]
            raise UserError(f"{other} and {origin} have the same name; keep one of them")
        self.placed[within.lower()] = self.origins[within] = origin
        place = self.folder / within
        place.parent.mkdir(mode=0o700, exist_ok=True)
        return place

    def _unpack_zip(self, file: Path, origin: str, into: str, depth: int) -> None:
        if depth >= DEEPEST:
            raise UserError(f"{origin}: is packed too deeply; unpack it first")
        try:
            with zipfile.ZipFile(file) as packed, self._scratch() as scratch:
                for number, member in enumerate(packed.infolist()):
                    found = _member_place(member, into)
                    if found is None:
                        continue
                    name, folder = found
                    if member.flag_bits & 1:
                        raise UserError(f"{origin}: is encrypted; send it without a password")
                    copy = scratch / str(number) / name
                    copy.parent.mkdir()
                    with packed.open(member) as source, copy.open("wb") as target:
                        self._copy(source, target, origin)
                    _set_time(copy, _made_at(file, member))
                    self.take(copy, f"{origin}, {member.filename}", folder, depth + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
            raise UserError(f"{origin}: is damaged or not whole, or no zip file") from None

    @contextmanager
    def _scratch(self) -> Iterator[Path]:
        """A hidden folder for the members of one zip, until each is placed."""
        with tempfile.TemporaryDirectory(prefix=".", dir=self.folder) as folder:
            yield Path(folder)

    def _copy(self, source: IO[bytes], target: IO[bytes], origin: str) -> None:
        """Copy a member; the bytes that come out count, not those that its header states."""
        self.members_left -= 1
        while chunk := source.read(2**20):
            target.write(chunk)
            self.bytes_left -= len(chunk)
            if self.bytes_left < 0 or self.members_left < 0:
                raise UserError(
                    f"{origin}: unpacks to more than a delivery can hold "
                    f"({MOST_MEMBERS:,} files, {MOST_TIMES} times its bytes)"
                )

    def _unpack_workbook(self, file: Path, origin: str, into: str) -> None:
        start = _start_of(file)
        if start.startswith(ZIP):
            self._check_workbook(file, origin)
        elif not start.startswith(OLE):
            self._take_text(file, start, origin, into)
            return
        try:
            with file.open("rb") as opened:
                book = python_calamine.CalamineWorkbook.from_filelike(opened)
                sheets = [
                    found.name
                    for found in book.sheets_metadata
                    if found.typ == python_calamine.SheetTypeEnum.WorkSheet
                ]
                filled: list[tuple[str, list[list[str]]]] = []
                for name in sheets:
                    rows = _rows(book.get_sheet_by_name(name))
                    if rows:
                        filled.append((name, rows))
        except python_calamine.PasswordError:
            raise UserError(f"{origin}: is protected by a password; save it without one") from None
        except (python_calamine.CalamineError, python_calamine.XmlError, python_calamine.ZipError):
            raise UserError(f"{origin}: is damaged or not whole, or no workbook") from None
        for name, rows in filled:
            file_name = _sheet_file(name, file, is_only=len(filled) == 1)
            place = self._place(f"{file_name}.csv", f"{origin}, sheet {name}", into)
            with place.open("w", encoding="utf-8", errors="replace", newline="") as target:
                writer = csv.writer(target, lineterminator="\n")
                writer.writerows(row if any(row) else [] for row in rows)
            _set_time(place, file.stat().st_mtime)

    def _check_workbook(self, file: Path, origin: str) -> None:
        """A workbook is unpacked in memory: refuse one that is a zip bomb, before it is opened."""
        try:
            with zipfile.ZipFile(file) as packed:
                size = sum(member.file_size for member in packed.infolist())
        except (zipfile.BadZipFile, OSError):
            raise UserError(f"{origin}: is damaged or not whole, or no workbook") from None
        if size > self.bytes_left:
            raise UserError(f"{origin}: unpacks to more than a delivery can hold")
        self.bytes_left -= size

    def _take_text(self, file: Path, start: bytes, origin: str, into: str) -> None:
        """Many systems call a text file .xls, since a spreadsheet opens it all the same."""
        if not start.strip():
            raise UserError(f"{origin}: is empty")
        if start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
            raise UserError(f"{origin}: is a web page under the name of a workbook; save it as CSV")
        place = self._place(f"{file.stem}.txt", f"{origin}, read as text", into)
        shutil.copyfile(file, place)
        _set_time(place, file.stat().st_mtime)


def _entries(path: Path) -> list[Path] | None:
    """What is in the delivery; None where it cannot be listed, which its reader then says."""
    try:
        if path.is_dir():
            return sorted(path.iterdir())
        return [path] if path.is_file() else None
    except OSError:
        return None


def _holds_packed(entry: Path) -> bool:
    return any(True for _ in _packed_of(entry))


def _packed_of(entry: Path) -> Iterator[Path]:
    """The entry if it is packed, or the packed parts of a table's folder."""
    if is_packed(entry):
        yield entry
    elif names.table_of(entry.name) is not None and entry.is_dir():
        try:
            yield from filter(is_packed, sorted(entry.iterdir()))
        except OSError:
            return  # the reader says what is wrong with it


def _bytes_needed(packed: list[Path]) -> int:
    """The room that the packed files state to need; a zip that cannot be opened needs none."""
    needed = SPARE_BYTES
    for file in packed:
        if not file.name.lower().endswith(".zip"):
            needed += SHEET_TIMES * file.stat().st_size
            continue
        try:
            with zipfile.ZipFile(file) as archive:
                needed += sum(member.file_size for member in archive.infolist())
        except (zipfile.BadZipFile, OSError):
            continue
    return needed


@contextmanager
def _private_folder(path: Path, needed: int) -> Iterator[Path]:
    """A temporary folder of mode 0700 on the first disk that has room."""
    places = [place for place in (tempfile.gettempdir(), "/var/tmp") if Path(place).is_dir()]
    with_room = [place for place in places if shutil.disk_usage(place).free >= needed]
    if not with_room:
        raise UserError(
            f"{path}: takes {needed / 1e6:,.0f} MB to unpack, and {' and '.join(places)} have less "
            "free; set TMPDIR to a folder on a disk with room"
        )
    with tempfile.TemporaryDirectory(prefix="workbench-", dir=with_room[0]) as folder:
        yield Path(folder)


def _is_junk(name: str) -> bool:
    return name.startswith((".", "~$")) or name.lower() in JUNK


def _member_place(member: zipfile.ZipInfo, into: str) -> tuple[str, str] | None:
    """The member's file name, and "" or the folder of a table's parts; None for no file of ours.

    Of the member's own path only these two are used, so none leads out of the folder.
    """
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if member.is_dir() or stat.S_ISLNK(member.external_attr >> 16) or not path.name.strip(". "):
        return None
    if any(_is_junk(part) for part in path.parts if part not in (".", "..")):
        return None
    folder = path.parent.name.lower()
    return path.name, folder if names.table_of(folder) is not None else into


def _made_at(file: Path, member: zipfile.ZipInfo) -> float:
    """When a member was made: with the zip, unless its own time, in no zone, is days older."""
    packed = file.stat().st_mtime
    try:
        own = dt.datetime(*member.date_time, tzinfo=dt.UTC).timestamp()
    except ValueError:
        return packed
    return own if member.date_time[0] > 1980 and own < packed - 86_400 else packed


def _set_time(file: Path, moment: float) -> None:
    """Give a copy the time of what it was made from: it says how old a delivery is."""
    os.utime(file, (moment, moment))


def _start_of(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(512)


def _sheet_file(sheet: str, file: Path, *, is_only: bool) -> str:
    """The name of a sheet's file: the sheet's, or the workbook's where that says more."""
    if is_only and (
        GENERIC_SHEET.fullmatch(sheet.strip())
        or (names.table_of(file.stem) is not None and names.table_of(sheet) is None)
    ):
        return file.stem
    return re.sub(r"[/\\\x00-\x1f]", "_", sheet).lstrip("._") or "sheet"


def _rows(sheet: python_calamine.CalamineSheet) -> list[list[str]]:
    """The cells as texts from row 1 to the last filled one, without empty columns at the end."""
    rows = [[_text(cell) for cell in row] for row in sheet.iter_rows()]
    while rows and not any(rows[-1]):
        rows.pop()
    width = max((i + 1 for row in rows for i, text in enumerate(row) if text), default=0)
    return [row[:width] for row in rows]


def _text(cell: int | float | str | bool | dt.time | dt.date | dt.datetime | dt.timedelta) -> str:
    """A cell as the contract writes it: ISO days, whole numbers without .0, TRUE or FALSE."""
    if isinstance(cell, str):
        return re.sub(r"\r\n|\r|\n", " ", cell)  # so that lines are the rows of the sheet
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, (int, float)):
        is_short = float(cell).is_integer() and abs(cell) < LONGEST_NUMBER
        return str(int(cell)) if is_short else format(cell, ".15g")
    if isinstance(cell, dt.datetime):  # a spreadsheet's times are fractions of a day
        cell = (cell + dt.timedelta(milliseconds=500)).replace(microsecond=0)
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat()
    if isinstance(cell, dt.timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    return cell.isoformat()
