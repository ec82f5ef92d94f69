"""A small export of OpenEMR with the columns of its database; names and numbers are invented."""

from __future__ import annotations

import csv
from pathlib import Path

Row = dict[str, object]
NEVER = "0000-00-00"


def spec(**values: object) -> str:
    """A recurrence as PHP serializes it."""
    told = {
        "event_repeat_freq": 0,
        "event_repeat_freq_type": 0,
        "event_repeat_on_num": 1,
        "event_repeat_on_day": 0,
        "event_repeat_on_freq": 0,
        "exdate": "",
        **values,
    }
    parts = (f's:{len(key)}:"{key}";s:{len(str(text))}:"{text}";' for key, text in told.items())
    return f"a:{len(told)}:{{{''.join(parts)}}}"


def event(key: int, patient: object, day: str, **values: object) -> Row:
    """An appointment at nine, not recurring."""
    return {
        "pc_eid": key,
        "pc_pid": patient,
        "pc_aid": 5,
        "pc_time": "2026-09-01 08:00:00",
        "pc_eventDate": day,
        "pc_endDate": NEVER,
        "pc_startTime": "09:00:00",
        "pc_recurrtype": 0,
        "pc_recurrspec": spec(),
        "pc_apptstatus": "-",
        "pc_facility": 3,
        **values,
    }


def tables() -> dict[str, list[Row]]:
    """Patient 1 has insurance and visits, 2 pays, 3 died; on 2 November 2026."""
    return {
        "facility": [{"id": 3, "name": "North"}, {"id": 4, "name": "South"}],
        "users": [
            {
                "id": 5,
                "fname": "Kim",
                "lname": "Low",
                "authorized": 1,
                "active": 1,
                "facility_id": 3,
            },
            {
                "id": 6,
                "fname": "Ray",
                "lname": "Dee",
                "authorized": 0,
                "active": 1,
                "facility_id": 0,
            },
        ],
        "insurance_companies": [
            {"id": 11, "name": "Medicare B", "ins_type_code": 2},
            {"id": 12, "name": "Plain Health", "ins_type_code": 9},
        ],
        "patient_data": [
            {
                "pid": key,
                "fname": "Sam",
                "lname": f"Roe{key}",
                "DOB": "1960-04-05",
                "phone_cell": "555-0100",
                "email": "",
                "regdate": "2026-01-02 00:00:00",
                "deceased_date": "2026-08-01 00:00:00" if key == 3 else "",
            }
            for key in (1, 2, 3)
        ],
        "insurance_data": [
            {
                "id": 21,
                "pid": 1,
                "type": "primary",
                "provider": 11,
                "date": "2026-01-01",
                "copay": "25",
            },
            {"id": 22, "pid": 1, "type": "secondary", "provider": 12, "date": "2026-01-01"},
            {"id": 23, "pid": 2, "type": "primary", "provider": "", "date": NEVER},
        ],
        "openemr_postcalendar_events": [
            event(100, "", "2026-10-01", pc_recurrtype=1),  # a provider's hours
            event(101, 1, "2026-10-30"),
            event(102, 2, "2026-10-30", pc_apptstatus=">"),
            event(103, 1, "2026-11-03", pc_apptstatus="x"),
            event(104, 1, "2026-10-28", pc_apptstatus="?"),
        ],
        "form_encounter": [
            {
                "encounter": 501,
                "pid": 1,
                "date": "2026-10-30 09:05:00",
                "facility_id": 3,
                "provider_id": 5,
                "last_level_closed": 2,
            },
            {
                "encounter": 502,
                "pid": 2,
                "date": "2026-10-30 09:05:00",
                "facility_id": 4,
                "provider_id": 5,
                "last_level_closed": 0,
            },
            {
                "encounter": 503,
                "pid": 1,
                "date": "2026-10-29 15:00:00",
                "facility_id": 3,
                "provider_id": 5,
                "last_level_closed": 1,
            },
        ],
        "billing": [
            {"id": 1, "pid": 1, "encounter": 501, "fee": "120.00", "activity": 1, "billed": 1},
            {"id": 2, "pid": 1, "encounter": 501, "fee": "30.00", "activity": 1, "billed": 1},
            {"id": 3, "pid": 1, "encounter": 501, "fee": "999.00", "activity": 0, "billed": 1},
            {"id": 4, "pid": 2, "encounter": 502, "fee": "80.00", "activity": 1, "billed": 0},
            {"id": 5, "pid": 1, "encounter": 503, "fee": "50.00", "activity": 1, "billed": 1},
        ],
        "ar_activity": [
            entry(1, 501, 1, payer_type=1, pay_amount="90.00", adj_amount="40.00"),
            entry(1, 501, 2, payer_type=2, pay_amount="5.00"),
            entry(1, 501, 3, pay_amount="10.00"),
            entry(1, 501, 4, pay_amount="-2.00"),
            entry(1, 501, 5, pay_amount="77.00", deleted="2026-11-01 09:00:00"),
            entry(1, 503, 1, payer_type=1, pay_amount="20.00"),
        ],
    }


def entry(patient: int, encounter: int, number: int, **values: object) -> Row:
    """A line of the accounts, of the patient where no payer is named."""
    return {
        "pid": patient,
        "encounter": encounter,
        "sequence_no": number,
        "payer_type": 0,
        "post_time": "2026-11-01 10:00:00",
        "pay_amount": "0.00",
        "adj_amount": "0.00",
        "deleted": "",
        **values,
    }


def write(folder: Path, made: dict[str, list[Row]]) -> Path:
    """Write the tables as the export does, one CSV each."""
    extra = {"billing": ["code_type"], "insurance_data": ["date_end"], "users": ["email"]}
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in made.items():
        columns = [*dict.fromkeys(key for row in rows for key in row), *extra.get(name, [])]
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    return folder
