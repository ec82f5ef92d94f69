"""Find how a text file is encoded, and open it: UTF-8, Windows-1252 or UTF-16, plain or gzipped."""

from __future__ import annotations

import codecs
import gzip
import io
from pathlib import Path
from typing import BinaryIO, cast

UTF_8, WINDOWS = "utf-8-sig", "cp1252"
REPLACED = "\ufffd"  # what a byte becomes that the encoding does not have
_START = 4096  # bytes that show whether a file without a mark is UTF-16
_BLOCK = 2**20
_WIDE = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_MOSTLY, _HARDLY = 0.6, 0.05  # shares of zero bytes in one half of UTF-16, and in the other


def is_gzip(path: Path) -> bool:
    """True for a file that is read through gzip."""
    return path.name.lower().endswith(".gz")


def open_bytes(path: Path) -> BinaryIO:
    """Open a plain or gzipped file."""
    return cast(BinaryIO, gzip.open(path)) if is_gzip(path) else open(path, "rb")


def open_text(path: Path, encoding: str) -> io.TextIOWrapper:
    """Open a plain or gzipped text file; line ends are kept, and a wrong byte becomes REPLACED."""
    text = io.TextIOWrapper(open_bytes(path), encoding=encoding, errors="replace", newline="")
    if encoding in _WIDE.values() and text.read(1) != "\ufeff":
        text.seek(0)
    return text


def quick_encoding(path: Path) -> str:
    """UTF-16 by the first bytes, else UTF-8: enough for a header."""
    with open_bytes(path) as raw:
        start = raw.read(_START)
    if start[:2] in _WIDE:
        return _WIDE[start[:2]]
    half = len(start) // 2
    even, odd = (start[place : 2 * half : 2].count(0) for place in (0, 1))
    if half > 3 and odd >= _MOSTLY * half and even <= _HARDLY * half:
        return "utf-16-le"
    if half > 3 and even >= _MOSTLY * half and odd <= _HARDLY * half:
        return "utf-16-be"
    return UTF_8


def encoding_of(path: Path) -> str:
    """The encoding of the whole file.

    A file in which more letters are UTF-8 than are not stays UTF-8: a stray byte spoils one value.
    Any other is Windows-1252, of which Latin-1 is a part but for control characters.
    """
    quick = quick_encoding(path)
    if quick != UTF_8:
        return quick
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    letters = wrong = 0
    with open_bytes(path) as raw:
        while block := raw.read(_BLOCK):
            if block.isascii() and not decoder.getstate()[0]:
                continue
            text = decoder.decode(block)
            bad = text.count(REPLACED)
            wrong += bad
            letters += len(text) - len(text.encode("ascii", "ignore")) - bad
    wrong += decoder.decode(b"", final=True).count(REPLACED)
    return WINDOWS if wrong > letters else UTF_8
