"""What X12 transactions say, as rows of text: 835 remittances, 277 statuses, 271 eligibility.

Every row says where it stands: sender and interchange, transaction, segment and line. Days are ISO;
what is no day stays as its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

# Where a row stands; `part` counts the rows of one segment.
PLACE = ("sender", "interchange", "sent_at", "transaction_set", "segment", "part", "line")
CLAIMS, ADJUSTMENTS = "x12_claims", "x12_adjustments"
PROVIDER_ADJUSTMENTS, STATUSES, BENEFITS = (
    "x12_provider_adjustments",
    "x12_statuses",
    "x12_benefits",
)
_COLUMNS = {
    CLAIMS: "claim_id status charge paid patient_responsibility filing_code payer_claim_id"
    " member_id service_from service_to received_on trace paid_on payer payer_id payee payee_id",
    ADJUSTMENTS: "claim_id claim_segment level procedure service_on group_code reason amount"
    " quantity",
    PROVIDER_ADJUSTMENTS: "provider_id year_ends_on reason reference amount trace paid_on",
    STATUSES: "claim_id level category code entity more_codes on_day action charge message trace"
    " payer_claim_id procedure service_from service_to",
    BENEFITS: "kind trace account member_id payer payer_id answered_on information coverage"
    " services insurance plan period amount percent quantity authorization in_network"
    " reject_reason follow_up starts_on ends_on",
}
TABLES = {name: (*PLACE, *columns.split()) for name, columns in _COLUMNS.items()}
Row = dict[str, str | None]
Rows = dict[str, list[Row]]
DAY = re.compile("(20[0-9]{2}|19[0-9]{2})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])")
# Of the levels of a 277: where a status is about a claim; PT in an acknowledgement (277CA).
OF_CLAIMS = ("PT", "22", "23")
LEVELS = {"20": "payer", "21": "receiver", "19": "provider"}
LARGEST_CAS = 19  # elements: a group, and six times reason, amount and quantity


@dataclass(frozen=True)
class Segment:
    """A segment: its name and elements, its line in the file, its number in the interchange."""

    name: str
    values: tuple[str, ...]
    line: int
    number: int

    def at(self, place: int) -> str:
        """The element at a place, 1 the first; empty where there is none."""
        return self.values[place - 1] if place <= len(self.values) else ""


@dataclass(frozen=True)
class Envelope:
    """What the interchange says of all its transactions, and its sign between components."""

    sender: str
    interchange: str
    sent_at: str | None
    component: str

    def parts(self, value: str) -> list[str]:
        """The components of an element, with empty ones behind them."""
        return [*value.split(self.component), "", "", "", ""]


def day(text: str) -> str:
    """20260102 as 2026-01-02; anything else as it is."""
    found = DAY.fullmatch(text)
    return "-".join(found.groups()) if found else text


def days(form: str, text: str) -> tuple[str, str]:
    """The first and last day of a date or range (D8, RD8, or a bare one)."""
    first, _, last = text.partition("-")
    return (day(first), day(last or first)) if form in ("RD8", "D8", "") else (text, text)


@dataclass
class _Reader:
    """Goes through one transaction; each kind has its own steps."""

    envelope: Envelope
    transaction: str = ""
    rows: Rows = field(default_factory=lambda: {name: [] for name in TABLES})
    last: Segment | None = None
    part: int = 0

    def read(self, segments: list[Segment]) -> Rows:
        self.transaction = segments[0].at(2)
        for segment in segments[1:]:
            step = getattr(self, f"on_{segment.name.lower()}", None)
            if step is not None:
                step(segment)
        return self.rows

    def row(self, table: str, segment: Segment, **values: str | None) -> Row:
        """Add a row; what other segments say of it is set later."""
        self.part = self.part + 1 if self.last is segment else 1
        self.last = segment
        made: Row = {
            "sender": self.envelope.sender,
            "interchange": self.envelope.interchange,
            "sent_at": self.envelope.sent_at,
            "transaction_set": self.transaction,
            "segment": str(segment.number),
            "part": str(self.part),
            "line": str(segment.line),
            **values,
        }
        self.rows[table].append(made)
        return made


@dataclass
class _Remittance(_Reader):
    """835: what a payer decided of each claim, and what it kept back from the provider."""

    trace: str = ""
    paid_on: str = ""
    names: dict[str, tuple[str, str]] = field(default_factory=dict)
    claim: Row | None = None
    service: Row = field(default_factory=dict)
    of_service: list[Row] = field(default_factory=list)

    def on_bpr(self, segment: Segment) -> None:
        self.paid_on = day(segment.at(16))

    def on_trn(self, segment: Segment) -> None:
        self.trace = segment.at(2)

    def on_n1(self, segment: Segment) -> None:
        self.names[segment.at(1)] = segment.at(2), segment.at(4)

    def on_lx(self, _: Segment) -> None:
        self.claim, self.service = None, {}

    def on_clp(self, segment: Segment) -> None:
        payer, payee = (self.names.get(code, ("", "")) for code in ("PR", "PE"))
        self.service = {}
        self.claim = self.row(
            CLAIMS,
            segment,
            claim_id=segment.at(1),
            status=segment.at(2),
            charge=segment.at(3),
            paid=segment.at(4),
            patient_responsibility=segment.at(5),
            filing_code=segment.at(6),
            payer_claim_id=segment.at(7),
            trace=self.trace,
            paid_on=self.paid_on,
            payer=payer[0],
            payer_id=payer[1],
            payee=payee[0],
            payee_id=payee[1],
        )

    def on_nm1(self, segment: Segment) -> None:
        # The subscriber's number, else the patient's.
        is_new = self.claim is not None and (
            segment.at(1) == "IL" or not self.claim.get("member_id")
        )
        if self.claim is not None and is_new and segment.at(1) in ("IL", "QC") and segment.at(9):
            self.claim["member_id"] = segment.at(9)

    def on_svc(self, segment: Segment) -> None:
        self.service, self.of_service = {"procedure": segment.at(1)}, []

    def on_dtm(self, segment: Segment) -> None:
        code, on = segment.at(1), day(segment.at(2))
        if code == "405" and not self.paid_on:
            self.paid_on = on
        if self.claim is None:
            return
        if code == "050":
            self.claim["received_on"] = on
        if code in ("232", "472", "150") and on < (self.claim.get("service_from") or "9"):
            self.claim["service_from"] = on
        if code in ("232", "233", "472", "151") and on > (self.claim.get("service_to") or ""):
            self.claim["service_to"] = on
        if code in ("472", "150"):
            self.service["service_on"] = on
            for row in self.of_service:
                row["service_on"] = on

    def on_cas(self, segment: Segment) -> None:
        claim = self.claim or {}
        for place in range(2, min(len(segment.values), LARGEST_CAS) + 1, 3):
            if not segment.at(place) and not segment.at(place + 1):
                continue
            row = self.row(
                ADJUSTMENTS,
                segment,
                claim_id=claim.get("claim_id"),
                claim_segment=claim.get("segment"),
                level="line" if self.service else "claim",
                procedure=self.service.get("procedure"),
                service_on=self.service.get("service_on") or claim.get("service_from"),
                group_code=segment.at(1),
                reason=segment.at(place),
                amount=segment.at(place + 1),
                quantity=segment.at(place + 2),
            )
            if self.service:
                self.of_service.append(row)

    def on_plb(self, segment: Segment) -> None:
        for place in range(3, len(segment.values) + 1, 2):
            reason, reference, *_ = self.envelope.parts(segment.at(place))
            self.row(
                PROVIDER_ADJUSTMENTS,
                segment,
                provider_id=segment.at(1),
                year_ends_on=day(segment.at(2)),
                reason=reason,
                reference=reference,
                amount=segment.at(place + 1),
                trace=self.trace,
                paid_on=self.paid_on,
            )


@dataclass
class _Statuses(_Reader):
    """277: the acknowledgement of claims (277CA) and the answer to a question about them."""

    level: str = ""
    loop: list[Row] = field(default_factory=list)
    about: Row = field(default_factory=dict)
    service: str | None = None

    def on_hl(self, segment: Segment) -> None:
        self.level, self.loop, self.about, self.service = segment.at(3), [], {}, None

    def on_trn(self, segment: Segment) -> None:
        self.loop, self.service = [], None
        self.about = {"trace": segment.at(2)}
        if self.level in OF_CLAIMS:
            self.about["claim_id"] = segment.at(2)

    def on_svc(self, segment: Segment) -> None:
        self.service = segment.at(1)

    def on_stc(self, segment: Segment) -> None:
        category, code, entity, *_ = self.envelope.parts(segment.at(1))
        more = [segment.at(place) for place in (10, 11) if segment.at(place)]
        others = [":".join(self.envelope.parts(text)[:2]) for text in more]
        level = LEVELS.get(self.level, "claim")
        self.loop.append(
            self.row(
                STATUSES,
                segment,
                level="line" if self.service and level == "claim" else level,
                category=category,
                code=code,
                entity=entity,
                more_codes=" ".join(others),
                on_day=day(segment.at(2)),
                action=segment.at(3),
                charge=segment.at(4),
                message=segment.at(12),
                procedure=self.service,
                **self.about,
            )
        )

    def on_ref(self, segment: Segment) -> None:
        """EJ: the provider's number of the claim. 1K: the payer's."""
        name = {"EJ": "claim_id", "1K": "payer_claim_id"}.get(segment.at(1))
        if name is not None and self.service is None:
            self._set(name, segment.at(2))

    def on_dtp(self, segment: Segment) -> None:
        if segment.at(1) == "472":
            first, last = days(segment.at(2), segment.at(3))
            self._set("service_from", first)
            self._set("service_to", last)

    def _set(self, name: str, value: str) -> None:
        self.about[name] = value
        for row in self.loop:
            row[name] = value


@dataclass
class _Benefits(_Reader):
    """271: what a payer covers (EB), or why it could not say (AAA)."""

    answered_on: str = ""
    payer: tuple[str, str] = ("", "")
    about: Row = field(default_factory=dict)
    loop: list[Row] = field(default_factory=list)

    def on_bht(self, segment: Segment) -> None:
        self.answered_on = day(segment.at(4))

    def on_hl(self, segment: Segment) -> None:
        # A dependent's answer has the subscriber's number.
        kept = {"member_id": self.about.get("member_id")} if segment.at(3) == "23" else {}
        self.about, self.loop = dict(kept), []

    def on_trn(self, segment: Segment) -> None:
        """1: the payer's own number; 2: that of the question, which says what was asked."""
        if segment.at(1) == "2" or "trace" not in self.about:
            self.about["trace"] = segment.at(2)

    def on_nm1(self, segment: Segment) -> None:
        if segment.at(1) == "PR":
            self.payer = segment.at(3), segment.at(9)
        if segment.at(1) in ("IL", "03") and segment.at(9):
            self.about["member_id"] = segment.at(9)

    def on_ref(self, segment: Segment) -> None:
        if segment.at(1) == "EJ":
            self.about["account"] = segment.at(2)

    def on_eb(self, segment: Segment) -> None:
        self._add(
            "EB",
            segment,
            information=segment.at(1),
            coverage=segment.at(2),
            services=segment.at(3),
            insurance=segment.at(4),
            plan=segment.at(5),
            period=segment.at(6),
            amount=segment.at(7),
            percent=segment.at(8),
            quantity=segment.at(10),
            authorization=segment.at(11),
            in_network=segment.at(12),
        )

    def on_aaa(self, segment: Segment) -> None:
        self._add("AAA", segment, reject_reason=segment.at(3), follow_up=segment.at(4))

    def on_dtp(self, segment: Segment) -> None:
        """291, 307: of the plan or its eligibility; 346 and 356 its start, 347 and 357 its end."""
        first, last = days(segment.at(2), segment.at(3))
        code = segment.at(1)
        is_range = code in ("291", "307")
        if is_range or code in ("346", "356"):
            self._set("starts_on", first)
        if (is_range and segment.at(2) == "RD8") or code in ("347", "357"):
            self._set("ends_on", last)

    def _add(self, kind: str, segment: Segment, **values: str | None) -> None:
        self.loop.append(
            self.row(
                BENEFITS,
                segment,
                kind=kind,
                answered_on=self.answered_on,
                payer=self.payer[0],
                payer_id=self.payer[1],
                **(self.about | values),
            )
        )

    def _set(self, name: str, value: str) -> None:
        """Before the first answer a day is about all of them, behind one about that one."""
        if self.loop:
            self.loop[-1][name] = value
        else:
            self.about[name] = value


def _of(reader: Callable[[Envelope], _Reader]) -> Callable[[list[Segment], Envelope], Rows]:
    return lambda segments, envelope: reader(envelope).read(segments)


READERS = {"835": _of(_Remittance), "277": _of(_Statuses), "271": _of(_Benefits)}
