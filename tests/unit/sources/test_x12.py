"""X12 files become rows: all separators, envelopes and damages that a clearing house delivers."""

from __future__ import annotations

import datetime as dt
import gzip
import re
import time
from pathlib import Path

import pytest
from pyx12.x12file import X12Reader

from pipelines.extracts.records import FileRefused
from pipelines.sources import x12
from tests.x12_files import (
    Interchange,
    Signs,
    acknowledgement,
    claim,
    eligibility,
    remittance,
    written,
)

TWO = remittance(claim("C1", "1", "200", "120", "30"), claim("C2", "4", "100", "0"))


def read(tmp_path: Path, text: str, name: str = "era.835") -> x12.Contents:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return x12.read(path)


def told(contents: x12.Contents, table: str, *columns: str) -> list[tuple[str | None, ...]]:
    return [tuple(row.get(column) or None for column in columns) for row in contents.rows[table]]


CLAIM = ("claim_id", "status", "charge", "paid", "patient_responsibility")
TWO_CLAIMS = [("C1", "1", "200", "120", "30"), ("C2", "4", "100", "0", None)]


def test_a_claim_says_what_was_paid_when_by_whom_and_where_it_stands(tmp_path) -> None:
    contents = read(tmp_path, written(TWO))
    assert told(contents, "x12_claims", *CLAIM) == TWO_CLAIMS
    assert told(
        contents,
        "x12_claims",
        "service_from",
        "service_to",
        "trace",
        "paid_on",
        "payer",
        "payer_id",
    )[0] == ("2026-10-30", "2026-10-30", "CHECK7", "2026-11-01", "PLAIN HEALTH", "PH01")
    assert told(contents, "x12_claims", "payer_claim_id", "member_id", "payee_id")[0] == (
        "PCNC1",
        "M7",
        "1234567893",
    )
    lines = written(TWO).splitlines()
    for line, key in told(contents, "x12_claims", "line", "claim_id"):
        assert lines[int(line or 0) - 1].startswith(f"CLP*{key}*")
    assert contents.sent_at == dt.datetime(2026, 11, 2, 9, 15, tzinfo=dt.UTC)
    assert contents.problems == ()


def test_adjustments_are_one_row_a_reason_with_their_level(tmp_path) -> None:
    body = [*claim("C1", "1", "200", "120", "30"), "CAS*CO*45*40**97*10*2", "DTM*472*20261031"]
    body.insert(1, "CAS*OA*23*0")
    contents = read(tmp_path, written(remittance(body)))
    columns = ("claim_id", "level", "group_code", "reason", "amount", "quantity", "service_on")
    assert told(contents, "x12_adjustments", *columns) == [
        ("C1", "claim", "OA", "23", "0", None, None),
        ("C1", "line", "PR", "2", "30", None, "2026-10-31"),
        ("C1", "line", "CO", "45", "40", None, "2026-10-31"),
        ("C1", "line", "CO", "97", "10", "2", "2026-10-31"),
    ]


def test_what_a_payer_keeps_back_is_a_row_for_each_reason(tmp_path) -> None:
    plb = "PLB*1234567893*20261231*WO:PCN9*-15.50*L6*2"
    contents = read(tmp_path, written(remittance(plb=plb)))
    columns = ("provider_id", "year_ends_on", "reason", "reference", "amount", "trace")
    assert told(contents, "x12_provider_adjustments", *columns) == [
        ("1234567893", "2026-12-31", "WO", "PCN9", "-15.50", "CHECK7"),
        ("1234567893", "2026-12-31", "L6", None, "2", "CHECK7"),
    ]


def test_a_status_of_a_claim_is_told_from_that_of_the_batch(tmp_path) -> None:
    contents = read(tmp_path, written(acknowledgement(("C1", "A7:562:85"), ("C2", "A2:20"))))
    columns = ("level", "claim_id", "category", "code", "entity", "action", "on_day")
    assert told(contents, "x12_statuses", *columns) == [
        ("receiver", None, "A1", "19", None, "WQ", "2026-11-02"),
        ("claim", "C1", "A7", "562", "85", "U", "2026-11-02"),
        ("claim", "C2", "A2", "20", None, "U", "2026-11-02"),
    ]


def test_a_line_that_is_sent_back_and_more_codes_are_kept(tmp_path) -> None:
    body = [
        *acknowledgement(("C1", "A2:20")),
        "SVC*HC:97110*100",
        "STC*A7:507:85*20261102*U*******A7:453*A7:454*CODE IS NOT VALID",
    ]
    contents = read(tmp_path, written(body))
    columns = ("level", "claim_id", "procedure", "code", "more_codes", "message")
    assert told(contents, "x12_statuses", *columns)[-1] == (
        "line",
        "C1",
        "HC:97110",
        "507",
        "A7:453 A7:454",
        "CODE IS NOT VALID",
    )


def test_an_answer_about_a_claim_names_it_by_the_practices_own_number(tmp_path) -> None:
    body = ["277", "HL*4*3*22", "TRN*2*ASKED1", "STC*F1:65*20261102", "REF*1K*PCN8", "REF*EJ*C8"]
    contents = read(tmp_path, written(body))
    assert told(contents, "x12_statuses", "claim_id", "payer_claim_id", "trace", "category") == [
        ("C8", "PCN8", "ASKED1", "F1")
    ]


def test_an_answer_about_benefits_keeps_its_question_and_days(tmp_path) -> None:
    body = eligibility("POL1", "EB*1**30*HM", "EB*B**98***27*25", "DTP*347*D8*20261130")
    contents = read(tmp_path, written(body))
    columns = ("kind", "trace", "information", "amount", "starts_on", "ends_on", "answered_on")
    assert told(contents, "x12_benefits", *columns) == [
        ("EB", "POL1", "1", None, "2026-01-01", "2026-12-31", "2026-11-02"),
        ("EB", "POL1", "B", "25", "2026-01-01", "2026-11-30", "2026-11-02"),
    ]


def test_a_question_that_was_refused_says_why(tmp_path) -> None:
    contents = read(tmp_path, written(eligibility("POL1", "AAA*N**72*C")))
    columns = ("kind", "trace", "reject_reason", "follow_up", "member_id")
    assert told(contents, "x12_benefits", *columns) == [("AAA", "POL1", "72", "C", "M7")]


SEPARATORS = {
    "usual": Signs(),
    "one-line": Signs(line=""),
    "windows-lines": Signs(line="\r\n"),
    "bars": Signs("|", ">", "~"),
    "line-ends-as-terminators": Signs(end="\n", line=""),
    "windows-line-ends-as-terminators": Signs(end="\r\n", line=""),
    "control-characters": Signs("\x1d", "\x1f", "\x1e", ""),
    "special-to-patterns": Signs("+", "^", "'"),
    "a-caret-as-element": Signs("^", "\\", "!"),
}


@pytest.mark.parametrize("signs", SEPARATORS.values(), ids=SEPARATORS)
@pytest.mark.parametrize("without", [(), ("ISA", "IEA"), ("ISA", "GS", "GE", "IEA")])
def test_the_separators_are_those_of_the_file(tmp_path, signs, without) -> None:
    statuses = acknowledgement(("C1", "A7:562"))
    contents = read(tmp_path, written(TWO, statuses, signs=signs, without=without))
    assert told(contents, "x12_claims", *CLAIM) == TWO_CLAIMS
    assert told(contents, "x12_statuses", "category", "code")[-1] == ("A7", "562")
    assert contents.problems == ()


@pytest.mark.parametrize("lines", ["\n", ""])
def test_several_interchanges_may_follow_each_other_with_other_separators(tmp_path, lines) -> None:
    text = "".join(
        written(
            remittance(claim(f"C{number}", "1", "10", "8", "2")),
            signs=Signs(element, component, end, lines),
            envelope=Interchange(number, f"2611{number:02}"),
        )
        for number, (element, component, end) in enumerate(["*:~", "|>!", "*:~"], 1)
    )
    contents = read(tmp_path, text)
    assert told(contents, "x12_claims", "claim_id", "interchange", "sent_at") == [
        (f"C{number}", f"{number:09}", f"2026-11-{number:02}T09:15:00") for number in (1, 2, 3)
    ]
    assert contents.sent_at == dt.datetime(2026, 11, 3, 9, 15, tzinfo=dt.UTC)


TOLERATED = {
    "a-wrong-count-of-segments": lambda text: re.sub(r"SE\*\d+", "SE*7", text),
    "numbers-that-do-not-agree": lambda text: text.replace("IEA*1*000000101", "IEA*1*9"),
    "another-version-of-the-envelope": lambda text: text.replace("*00501*", "*00402*"),
    "an-isa-that-is-not-padded": lambda text: re.sub(" {2,}", "", text),
    "empty-segments": lambda text: text.replace("LX*1~", "~~LX*1~ ~"),
    "a-byte-order-mark-and-blank-lines": lambda text: "\ufeff\n\n" + text,
    "lines-broken-at-80": lambda text: "\n".join(re.findall(".{1,80}", text.replace("\n", ""))),
    "no-closing-of-the-transaction": lambda text: re.sub(r"SE\*\d+\*\d+~\n", "", text),
    "closings-that-close-nothing": lambda text: text + "SE*1*1~GE*1*1~IEA*1*1~",
    "no-terminator-at-the-end": lambda text: text.rstrip("~\n"),
    "blanks-before-segments": lambda text: text.replace("~\n", "~\n  "),
}


@pytest.mark.parametrize("change", TOLERATED.values(), ids=TOLERATED)
def test_what_is_only_untidy_is_read(tmp_path, change) -> None:
    contents = read(tmp_path, change(written(TWO)))
    assert told(contents, "x12_claims", *CLAIM) == TWO_CLAIMS
    assert contents.problems == ()


@pytest.mark.parametrize("share", [0.35, 0.6, 0.8, 0.93])
def test_a_transaction_that_is_cut_off_is_named_and_the_others_are_taken(tmp_path, share) -> None:
    whole = written(TWO)[: written(TWO).index("GE*")]
    cut = written(remittance(claim("ZZSECRET", "1", "10", "8", "2"), claim("C9", "1", "1", "1")))
    body = cut[cut.index("ST*") : cut.index("SE*")]
    contents = read(tmp_path, whole + body[: int(len(body) * share)])
    assert told(contents, "x12_claims", *CLAIM) == TWO_CLAIMS
    line = whole.count("\n") + 1
    assert contents.problems == (f"line {line}: the 835 that begins here is cut off and left out",)


def test_transactions_of_other_kinds_are_counted(tmp_path) -> None:
    contents = read(tmp_path, written(TWO, ["837", "CLM*C1*100"], ["837", "CLM*C2*100"]))
    assert told(contents, "x12_claims", *CLAIM) == TWO_CLAIMS
    assert contents.problems == ("2 transactions of the kind 837 left out",)


REFUSED = {
    "empty": ("", "is empty"),
    "prose": ("ZZSECRET has 3 visits left\n", "is not X12"),
    "a-short-isa": ("ISA*00*ZZSECRET*00", "line 1: its ISA segment is damaged"),
    "no-components": ("ISA" + "*ZZSECRET" * 16, "line 1: its ISA segment is damaged"),
}


@pytest.mark.parametrize(("text", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_read_is_refused_without_its_values(tmp_path, text, message) -> None:
    with pytest.raises(FileRefused, match=message) as refused:
        read(tmp_path, text)
    assert "ZZSECRET" not in str(refused.value)


def test_a_damaged_interchange_leaves_the_others(tmp_path) -> None:
    contents = read(tmp_path, written(TWO) + "ISA*00*ZZ~\n" + written(TWO))
    assert told(contents, "x12_claims", *CLAIM) == TWO_CLAIMS * 2
    line = written(TWO).count("\n") + 1
    assert contents.problems == (f"line {line}: its ISA segment is damaged",)


NAMES = {
    "era.835": True,
    "ERA_20261102.X12": True,
    "ack.277": True,
    "answer.271": True,
    "clearing.edi": True,
    "remit.txt": True,
    "notes.csv": False,
}


@pytest.mark.parametrize(("name", "is_x12"), NAMES.items())
def test_a_file_is_known_by_its_name_or_its_first_letters(tmp_path, name, is_x12) -> None:
    (tmp_path / name).write_text(written(TWO))
    assert x12.is_x12(tmp_path / name) == is_x12


def test_a_packed_file_is_read_and_a_damaged_one_refused(tmp_path) -> None:
    path = tmp_path / "era.835.gz"
    packed = gzip.compress(written(TWO).encode())
    path.write_bytes(packed)
    assert x12.is_x12(path)
    assert told(x12.read(path), "x12_claims", *CLAIM) == TWO_CLAIMS
    for broken in (packed[:-40], b"no such thing"):
        path.write_bytes(broken)
        with pytest.raises(FileRefused, match="cannot be unpacked to its end"):
            x12.read(path)


def test_a_text_that_does_not_begin_with_isa_is_no_x12(tmp_path) -> None:
    (tmp_path / "isaac.txt").write_text("ISAAC,1\n")
    (tmp_path / "empty.txt").write_text("")
    assert not x12.is_x12(tmp_path / "isaac.txt")
    assert not x12.is_x12(tmp_path / "empty.txt")
    assert not x12.is_x12(tmp_path / "absent.txt")


def test_every_claim_and_status_that_pyx12_counts_is_a_row(tmp_path) -> None:
    bodies = [
        remittance(
            claim("A", "1", "9", "9"), claim("B", "22", "-9", "-9"), claim("B", "1", "9", "8")
        ),
        acknowledgement(("A", "A3:21"), ("B", "A2:20"), ("C", "A7:33:QC")),
        eligibility("P", "EB*1", "EB*A", "AAA*N**72*C"),
        remittance(claim("C", "2", "5", "1"), plb="PLB*1*20261231*L6:X*-1*WO:Y*2*FB*3"),
    ]
    (tmp_path / "all.x12").write_text(written(*bodies))
    with X12Reader(str(tmp_path / "all.x12")) as reader:
        names = [segment.get_seg_id() for segment in reader]
    rows = x12.read(tmp_path / "all.x12").rows
    counts = {"x12_claims": names.count("CLP"), "x12_statuses": names.count("STC")}
    counts["x12_benefits"] = names.count("EB") + names.count("AAA")
    assert counts == {"x12_claims": 4, "x12_statuses": 4, "x12_benefits": 3}
    assert {table: len(rows[table]) for table in counts} == counts
    assert len(rows["x12_provider_adjustments"]) == 3


def test_five_megabytes_take_seconds(tmp_path) -> None:
    bodies = [claim(f"C{number}", "1", "200", "120", "30") for number in range(37_000)]
    text = written(remittance(*bodies))
    assert len(text) > 5_000_000
    started = time.monotonic()
    contents = read(tmp_path, text)
    assert len(contents.rows["x12_claims"]) == len(contents.rows["x12_adjustments"]) == 37_000
    assert time.monotonic() - started < 60  # 3 s measured on two busy cores
