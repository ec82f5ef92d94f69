"""X12 files for tests, from the codes of the standard; all names and numbers are invented."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Signs:
    """The separators of a file, and what stands behind each segment."""

    element: str = "*"
    component: str = ":"
    end: str = "~"
    line: str = "\n"


@dataclass(frozen=True)
class Interchange:
    """One envelope: its number and the day and time of sending (YYMMDD, HHMM)."""

    number: int = 101
    day: str = "261102"
    time: str = "0915"
    version: str = "00501"


def written(
    *transactions: Sequence[str],
    signs: Signs = Signs(),
    envelope: Interchange = Interchange(),
    without: Sequence[str] = (),
) -> str:
    """A file of one interchange; segments are written with * and :, and come out with `signs`.

    `without` names segments that the file lacks, such as ISA.
    """
    segments = [
        "GS*HP*PAYER*PRACTICE*20261102*0915*1*X*005010X221A1",
        *(
            segment
            for number, body in enumerate(transactions, 1)
            for segment in (
                f"ST*{body[0]}*{number:04}",
                *body[1:],
                f"SE*{len(body) + 1}*{number:04}",
            )
        ),
        f"GE*{len(transactions)}*1",
        f"IEA*1*{envelope.number:09}",
    ]
    isa = (
        f"ISA*00*          *00*          *ZZ*{'PAYER':15}*ZZ*{'PRACTICE':15}*{envelope.day}*"
        f"{envelope.time}*U*{envelope.version}*{envelope.number:09}*0*P*"
    ).replace("*", signs.element) + signs.component
    texts = [
        segment.replace("*", "\0").replace(":", signs.component).replace("\0", signs.element)
        for segment in segments
    ]
    return "".join(
        f"{text}{signs.end}{signs.line}"
        for text in [isa, *texts]
        if text.split(signs.element)[0] not in without
    )


def remittance(*claims: Sequence[str], paid_on: str = "20261101", plb: str = "") -> list[str]:
    """An 835 with these claims, each its segments from CLP on."""
    return [
        "835",
        f"BPR*I*180*C*ACH*CCP*01*999999992*DA*123456*1512345678**01*999988880*DA*98765*{paid_on}",
        "TRN*1*CHECK7*1512345678",
        "N1*PR*PLAIN HEALTH*XV*PH01",
        "N1*PE*NORTH PRACTICE*XX*1234567893",
        "LX*1",
        *(segment for claim in claims for segment in claim),
        *([plb] if plb else []),
    ]


def claim(key: str, status: str, charge: str, paid: str, owed: str = "") -> list[str]:
    """A claim of an 835 with one service line; what the patient owes is its co-insurance (PR 2)."""
    return [
        f"CLP*{key}*{status}*{charge}*{paid}*{owed}*12*PCN{key}",
        "NM1*QC*1*DOE*ANNA****MI*M7",
        "DTM*232*20261030",
        f"SVC*HC:97110:GP*{charge}*{paid}",
        "DTM*472*20261030",
        *([f"CAS*PR*2*{owed}"] if owed else []),
    ]


def acknowledgement(*statuses: tuple[str, str], day: str = "20261102") -> list[str]:
    """A 277CA: each claim's number with its status, as A7:562; and the receiver's own status."""
    claims = [
        segment
        for number, (key, status) in enumerate(statuses, 4)
        for segment in (
            f"HL*{number}*3*PT",
            "NM1*QC*1*DOE*ANNA****MI*M7",
            f"TRN*2*{key}",
            f"STC*{status}*{day}*U*100",
            "DTP*472*D8*20261030",
        )
    ]
    return [
        "277",
        "BHT*0085*08*ACK1*20261102*0915*TH",
        "HL*1**20*1",
        "NM1*PR*2*PLAIN HEALTH*****PI*PH01",
        "HL*2*1*21*1",
        "NM1*41*2*NORTH PRACTICE*****46*NP1",
        "TRN*2*BATCH9",
        "STC*A1:19*20261102*WQ*300",
        "HL*3*2*19*1",
        "NM1*85*2*NORTH PRACTICE*****XX*1234567893",
        *claims,
    ]


def eligibility(trace: str, *answers: str, day: str = "20261102", account: str = "") -> list[str]:
    """A 271 about one subscriber: EB or AAA segments."""
    return [
        "271",
        f"BHT*0022*11*ASK1*{day}*0915",
        "HL*1**20*1",
        "NM1*PR*2*PLAIN HEALTH*****PI*PH01",
        "HL*2*1*21*1",
        "NM1*1P*2*NORTH PRACTICE*****XX*1234567893",
        "HL*3*2*22*0",
        f"TRN*2*{trace}*9NORTH",
        "NM1*IL*1*DOE*ANNA****MI*M7",
        *([f"REF*EJ*{account}"] if account else []),
        "DTP*291*RD8*20260101-20261231",
        *answers,
    ]
