"""What staging adds to the extracts: local days, owners, net amounts, the newest fax."""

import datetime as dt
from decimal import Decimal

import pytest

from pipelines.extracts import contract


def by_key(rows, column):
    return {next(iter(row.values())): row[column] for row in rows}


@pytest.mark.parametrize(
    ("as_of", "zone", "today", "week_on"),
    [
        ("2026-11-02T04:59:00+00:00", "America/New_York", "2026-11-01", "2026-10-26"),
        ("2026-11-02T05:00:00+00:00", "America/New_York", "2026-11-02", "2026-11-02"),
        ("2026-11-02T05:00:00+00:00", "America/Los_Angeles", "2026-11-01", "2026-10-26"),
        ("2026-11-02T10:00:00+00:00", "Pacific/Honolulu", "2026-11-02", "2026-11-02"),
    ],
)
def test_today_is_the_facility_s_local_day(staged, practice, as_of, zone, today, week_on):
    row = staged("facilities", practice.add("facilities", "F1", time_zone=zone), as_of)[0]
    assert (str(row["today"]), str(row["week_on"]), str(row["month_on"])) == (
        today,
        week_on,
        "2026-11-01",
    )


@pytest.mark.parametrize(
    ("written", "local"),
    [
        ("2026-11-01T09:00:00", "2026-11-01 09:00:00"),
        ("2026-11-01T09:00:00Z", "2026-11-01 04:00:00"),
        ("2026-11-01T03:30:00Z", "2026-10-31 23:30:00"),
        ("2026-11-01T09:00:00-08:00", "2026-11-01 12:00:00"),
    ],
)
def test_a_moment_is_the_facility_s_wall_clock(staged, practice, written, local):
    row = staged("appointments", practice.patient("A").visit("V1", "A", written))[0]
    assert (str(row["starts_at"]), str(row["visit_on"])) == (local, local[:10])


@pytest.mark.parametrize(
    ("discharged_on", "is_discharged"), [(None, False), ("2026-11-03", True), ("2026-11-04", False)]
)
def test_a_discharge_counts_from_its_day(staged, practice, discharged_on, is_discharged):
    assert (
        staged("cases", practice.patient("A").add("cases", "C-A", discharged_on=discharged_on))[0][
            "is_discharged"
        ]
        is is_discharged
    )


@pytest.mark.parametrize(
    ("rank", "number"),
    [("1", 1), ("4", 4), ("Primary", 1), ("Secondary", 2), ("Tertiary", 3), ("Other", None)],
)
def test_ranks_are_numbers(staged, practice, rank, number):
    assert (
        staged("policies", practice.patient("A").add("policies", "PO1", patient_id="A", rank=rank))[
            0
        ]["rank"]
        == number
    )


def money(practice, *entries):
    """Entries of one case and day, a minute apart, as "kind amount"."""
    practice.patient("A")
    for minute, entry in enumerate(entries):
        kind, amount = entry.split()
        practice.payment(
            f"P{minute}",
            "A",
            "2026-11-01",
            amount,
            kind=kind,
            paid_at=f"2026-11-01T10:{minute:02}:00",
        )
    return practice


@pytest.mark.parametrize(
    ("entries", "worth"),
    [
        (["payment 40", "refund 15"], [40, -15]),
        (["payment 40", "refund -15"], [40, -15]),
        (["payment 40", "void 40"], [40, -40]),
        (["payment 40", "void -40"], [40, -40]),
        (["void 40", "payment 40"], [0, 40]),
        (["payment 40", "void 60", "payment 10"], [40, -40, 10]),
        (["payment 40", "void 40", "void 40", "payment 25"], [40, -40, 0, 25]),
        (["payment 40", "refund 40", "void 40"], [40, -40, 0]),
        (["refund 10", "void 10", "payment 20", "void 20"], [-10, 0, 20, -10]),
        (["payment 20", "payment 30", "void 30"], [20, 30, -30]),
    ],
)
def test_a_void_reverses_at_most_what_was_paid(staged, practice, entries, worth):
    rows = staged("payments", money(practice, *entries))
    assert [row["net_amount"] for row in rows] == [Decimal(amount) for amount in worth]


def test_entries_of_one_moment_are_in_the_order_of_their_numbers(staged, practice):
    practice.patient("A").payment("9", "A", "2026-11-01", "40").payment(
        "10", "A", "2026-11-01", "40", kind="void"
    )
    assert by_key(staged("payments", practice), "net_amount") == {"9": 40, "10": -40}


@pytest.mark.parametrize(
    ("kinds", "worth"),
    [
        (("void", "payment"), {"1": -40, "2": 40}),
        (("payment", "void", "refund"), {"1": 40, "2": 0, "3": -40}),
    ],
)
def test_at_one_moment_a_void_comes_after_payments_and_refunds(staged, practice, kinds, worth):
    practice.patient("A")
    for number, kind in enumerate(kinds, start=1):
        practice.payment(f"{number}", "A", "2026-11-01", "40", kind=kind)
    assert by_key(staged("payments", practice), "net_amount") == worth


def test_each_day_of_a_case_has_its_own_voids(staged, practice):
    practice.patient("A")
    for day in ("2026-11-01", "2026-11-02"):
        practice.payment(f"P{day}", "A", day, "40")
        practice.payment(f"X{day}", "A", day, "40", kind="void", paid_at=f"{day}T13:00:00")
    assert [(row["payment_id"], row["net_amount"]) for row in staged("payments", practice)] == [
        ("P2026-11-01", 40), ("P2026-11-02", 40), ("X2026-11-01", -40), ("X2026-11-02", -40),
    ]  # fmt: skip


def test_a_void_without_a_day_takes_back_no_more_than_was_paid_without_one(staged, practice):
    for number, kind in enumerate(("payment", "void", "void")):
        practice.patient("A").payment(f"P{number}", "A", "2026-11-01", "40", kind=kind)
        practice.add("payments", f"P{number}", date_of_service=None)
    assert by_key(staged("payments", practice), "net_amount") == {"P0": 40, "P1": -40, "P2": 0}


def test_a_void_reaches_only_its_own_case_and_day_and_no_day_is_a_day(staged, practice):
    practice.patient("A").patient("B").payment("P1", "A", "2026-11-01", "40").payment(
        "P2", "B", "2026-11-02", "40"
    )
    practice.payment("P3", "A", "2026-11-02", "40", kind="void", paid_at="2026-11-03T10:00:00")
    practice.add(
        "payments", "P4", patient_id="A", case_id="C-A", amount="30", paid_at="2026-11-01T10:00:00"
    )
    practice.add(
        "payments",
        "P5",
        patient_id="A",
        case_id="C-A",
        amount="30",
        kind="void",
        paid_at="2026-11-02T10:00:00",
    )
    assert by_key(staged("payments", practice), "net_amount") == {
        "P1": 40,
        "P2": 40,
        "P3": 0,
        "P4": 30,
        "P5": -30,
    }


@pytest.mark.parametrize(
    ("faxes", "newest"),
    [
        ({"X1": ("Sent", "2026-11-01"), "X2": ("Failed", "2026-11-02")}, "X2"),
        ({"X1": ("Sent", "2026-11-02"), "X2": ("Failed", "2026-11-01")}, "X1"),
        ({"X1": ("Queued", None), "X2": ("Sent", "2026-11-02")}, "X1"),
        # At equal times a send that failed comes before a later one.
        ({"X1": ("Sent", "2026-11-02"), "X2": ("Failed", "2026-11-02")}, "X1"),
        ({"X1": ("Failed", "2026-11-02"), "X2": ("Sent", "2026-11-02")}, "X2"),
        ({"9": ("Sent", "2026-11-02"), "10": ("Sent", "2026-11-02")}, "10"),
        ({"010": ("Sent", "2026-11-02"), "9": ("Sent", "2026-11-02")}, "010"),
        ({"X10": ("Queued", None), "X9": ("Queued", None)}, "X10"),
        ({"X1": ("Sent", None), "X2": ("Failed", "2026-11-02")}, "X2"),
    ],
)
def test_one_fax_of_a_document_is_the_newest(staged, practice, faxes, newest):
    practice.patient("A").document("D1", "A")
    for key, (status, day) in faxes.items():
        practice.add(
            "faxes",
            key,
            document_id="D1",
            status=status,
            **({f"{status.lower()}_at": f"{day}T09:00:00"} if day else {}),
        )
    assert [
        key
        for key, is_newest in by_key(staged("faxes", practice), "is_newest").items()
        if is_newest
    ] == [newest]


def test_a_fax_that_failed_and_went_out_later_is_as_new_as_its_last_time(staged, practice):
    practice.patient("A").document("D1", "A")
    practice.add("faxes", "X1", document_id="D1", status="Sent",
                 failed_at="2026-11-01T09:00:00", sent_at="2026-11-03T09:00:00")  # fmt: skip
    practice.add("faxes", "X2", document_id="D1", status="Sent", sent_at="2026-11-02T09:00:00")
    assert by_key(staged("faxes", practice), "is_newest") == {"X1": True, "X2": False}


def test_a_limit_of_zero_is_no_limit(staged, practice):
    practice.patient("A").add("policies", "PO1", patient_id="A").add(
        "authorizations", "AU1", policy_id="PO1", case_id="C-A", visit_limit=0
    )
    assert staged("authorizations", practice)[0]["visit_limit"] is None


RECORDS = {
    "cases": {"patient_id": "A"},
    "policies": {"patient_id": "A", "case_id": "C-A"},
    "authorizations": {"policy_id": "K", "case_id": "C-A"},
    "appointments": {"patient_id": "A", "case_id": "C-A", "facility_id": "F2",
                     "starts_at": "2026-11-01T09:00:00"},
    "payments": {"patient_id": "A", "case_id": "C-A", "amount": "5",
                 "paid_at": "2026-11-01T09:00:00"},
    "claims": {"case_id": "C-A"},
    "claim_holds": {"claim_id": "K", "held_at": "2026-11-01T09:00:00"},
    "documents": {"case_id": "C-A"},
    "faxes": {"document_id": "K"},
    "intake_submissions": {"patient_id": "A", "case_id": "C-A",
                           "submitted_at": "2026-11-01T09:00:00"},
    "engagement_actions": {"case_id": "C-A"},
    "surveys": {"case_id": "C-A", "completed_at": "2026-11-01T09:00:00"},
}  # fmt: skip
MOMENTS = [
    (table, column.name)
    for table in RECORDS
    for column in contract.columns(table)
    if column.form == "moment"
]


@pytest.fixture
def recorded(practice):
    """A record K of each table, of a case in Honolulu; the patient's home is New York."""
    practice.add("facilities", "F2", time_zone="Pacific/Honolulu").patient("A").patient("B")
    practice.add("cases", "C-A", facility_id="F2")
    for table, values in RECORDS.items():
        practice.add(table, "K", **values)
    return practice


@pytest.mark.parametrize(("table", "column"), MOMENTS)
@pytest.mark.parametrize(
    ("written", "local"),
    [
        ("2026-11-03T09:00:00Z", "2026-11-02 23:00:00"),
        ("2026-11-03T09:00:00", "2026-11-03 09:00:00"),
    ],
)
def test_every_moment_of_a_case_is_the_clock_of_its_facility(
    staged, recorded, table, column, written, local
):
    (row,) = staged(table, recorded.add(table, "K", **{column: written}))
    days = [row[name] for name in row if name == f"{column.removesuffix('_at')}_on"]
    assert [str(row[column]), *map(str, days)] == [local, local[:10]][: 1 + len(days)]


@pytest.mark.parametrize("table", [name for name in RECORDS if name not in ("cases", "faxes")])
def test_a_record_of_a_case_is_of_its_patient_and_facility(staged, recorded, table):
    (row,) = staged(table, recorded)
    assert (row["patient_id"], row.get("facility_id", "F2")) == ("A", "F2")


@pytest.mark.parametrize(("written", "is_assistant"), [(None, False), ("true", True)])
def test_staff_are_no_assistants_unless_the_extract_says_so(
    staged, practice, written, is_assistant
):
    practice.tables["staff"].clear()
    (row,) = staged("staff", practice.add("staff", "S9", is_assistant=written))
    assert row["is_assistant"] is is_assistant


@pytest.mark.parametrize("table", ["policies", "intake_submissions"])
def test_a_record_without_a_case_is_of_the_patient_s_home(staged, recorded, table):
    recorded.add(table, "K", case_id=None).patient("A", facility_id="F2")
    columns = [column for name, column in MOMENTS if name == table]
    recorded.add(table, "K", **dict.fromkeys(columns, "2026-11-03T09:00:00Z"))
    (row,) = staged(table, recorded)
    assert row["facility_id"] == "F2"
    assert {str(row[column]) for column in columns} == {"2026-11-02 23:00:00"}


def test_a_claim_is_of_the_facility_of_the_visit_it_names(staged, recorded):
    recorded.visit("V1", "A", "2026-11-03T09:00:00", facility_id="F1")
    (row,) = staged(
        "claims",
        recorded.add("claims", "K", appointment_id="V1", processed_at="2026-11-03T09:00:00Z"),
    )
    assert (row["facility_id"], str(row["processed_at"])) == ("F1", "2026-11-03 04:00:00")


@pytest.mark.parametrize("table", RECORDS)
def test_no_row_is_lost_when_its_parents_are(staged, recorded, table):
    for other in recorded.tables:
        if other != table:
            recorded.tables[other].clear()
    assert [row for row in staged(table, recorded) if "K" in row.values()] != []


@pytest.mark.parametrize("table", ["facilities", "staff", "payers"])
def test_what_has_no_name_is_called_by_its_id(staged, practice, table):
    practice.tables[table].clear()
    practice.add(table, "K1", name=None).add(table, "K2", name="Name")
    assert by_key(staged(table, practice), "name") == {"K1": "K1", "K2": "Name"}


def test_a_visit_belongs_to_its_own_facility_s_clock(staged, practice):
    practice.add("facilities", "F2", time_zone="Pacific/Honolulu").patient("A").visit(
        "V1", "A", "2026-11-03T09:00:00Z", facility_id="F2"
    )
    assert staged("appointments", practice)[0]["starts_at"] == dt.datetime(2026, 11, 2, 23, 0)  # noqa: DTZ001


def test_nobody_knows_that_an_open_visit_has_happened_where_no_clock_tells(staged, practice):
    practice.patient("A").visit("V1", "A", "2026-11-01T09:00:00", status="Arrived")
    practice.tables["facilities"].clear()
    assert staged("appointments", practice)[0]["has_happened"] is False


@pytest.mark.parametrize(("keys", "current"), [(("9", "10"), "10"), (("A-99", "A-100"), "A-100")])
def test_of_two_authorizations_entered_at_once_the_later_number_replaces_the_other(
    staged,
    practice,
    keys,
    current,
):
    practice.patient("A").add("policies", "PO1", patient_id="A", authorization_required="true")
    for key in keys:
        practice.add("authorizations", key, policy_id="PO1", case_id="C-A", ends_on="2026-12-31")
    used = by_key(staged("authorization_usage", practice), "is_current")
    assert [key for key, is_current in used.items() if is_current] == [current]
