"""Small exports in the two generations of Synthea's CSV columns; names and numbers are invented."""

from __future__ import annotations

import csv
import datetime as dt
import random
from pathlib import Path

MADE = dt.datetime(2026, 10, 10, 12, tzinfo=dt.UTC)
ORGANIZATIONS = ["aaaa-0001", "aaaa-0002"]
PROVIDERS = {"bbbb-0001": "aaaa-0001", "bbbb-0002": "aaaa-0002", "bbbb-0003": "aaaa-0002"}
PAYERS = {"cccc-0001": "Medicare", "cccc-0002": "Plain Health", "cccc-0003": "NO_INSURANCE"}
HEADERS = {
    "old": {
        "patients": "Id,BIRTHDATE,DEATHDATE,SSN,DRIVERS,PASSPORT,PREFIX,FIRST,LAST,SUFFIX,MAIDEN,"
        "MARITAL,RACE,ETHNICITY,GENDER,BIRTHPLACE,ADDRESS,CITY,STATE,COUNTY,ZIP,LAT,LON",
        "organizations": "Id,NAME,ADDRESS,CITY,STATE,ZIP,PHONE,UTILIZATION",
        "providers": "Id,ORGANIZATION,NAME,GENDER,SPECIALITY,ADDRESS,CITY,STATE,ZIP,UTILIZATION",
        "payers": "Id,NAME,ADDRESS,CITY,STATE_HEADQUARTERED,ZIP,PHONE",
        "payer_transitions": "PATIENT,START_YEAR,END_YEAR,PAYER,OWNERSHIP",
        "encounters": "ID,START,STOP,PATIENT,PROVIDER,ENCOUNTERCLASS,CODE,DESCRIPTION,COST,"
        "REASONCODE,REASONDESCRIPTION",
        "careplans": "ID,START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION,REASONCODE,"
        "REASONDESCRIPTION",
    },
    "new": {
        "patients": "Id,BIRTHDATE,DEATHDATE,SSN,DRIVERS,PASSPORT,PREFIX,FIRST,MIDDLE,LAST,SUFFIX,"
        "MAIDEN,MARITAL,RACE,ETHNICITY,GENDER,BIRTHPLACE,ADDRESS,CITY,STATE,COUNTY,FIPS,ZIP,LAT,"
        "LON,HEALTHCARE_EXPENSES,HEALTHCARE_COVERAGE,INCOME",
        "organizations": "Id,NAME,ADDRESS,CITY,STATE,ZIP,LAT,LON,PHONE,REVENUE,UTILIZATION,NPI",
        "providers": "Id,ORGANIZATION,NAME,GENDER,SPECIALITY,ADDRESS,CITY,STATE,ZIP,LAT,LON,"
        "ENCOUNTERS,PROCEDURES,NPI",
        "payers": "Id,NAME,OWNERSHIP,ADDRESS,CITY,STATE_HEADQUARTERED,ZIP,PHONE",
        "payer_transitions": "PATIENT,MEMBERID,START_DATE,END_DATE,PAYER,SECONDARY_PAYER,"
        "PLAN_OWNERSHIP,OWNER_NAME",
        "encounters": "Id,START,STOP,PATIENT,ORGANIZATION,PROVIDER,PAYER,ENCOUNTERCLASS,CODE,"
        "DESCRIPTION,BASE_ENCOUNTER_COST,TOTAL_CLAIM_COST,PAYER_COVERAGE,REASONCODE,"
        "REASONDESCRIPTION",
        "careplans": "Id,START,STOP,PATIENT,ENCOUNTER,CODE,DESCRIPTION,REASONCODE,"
        "REASONDESCRIPTION",
        "claims": "Id,PATIENTID,PROVIDERID,PRIMARYPATIENTINSURANCEID,"
        "SECONDARYPATIENTINSURANCEID,DEPARTMENTID,APPOINTMENTID,CURRENTILLNESSDATE,SERVICEDATE,"
        "STATUS1,STATUS2,STATUSP,OUTSTANDING1,OUTSTANDING2,OUTSTANDINGP,LASTBILLEDDATE1,"
        "LASTBILLEDDATE2,LASTBILLEDDATEP",
        "claims_transactions": "ID,CLAIMID,CHARGEID,PATIENTID,TYPE,AMOUNT,METHOD,FROMDATE,TODATE,"
        "TRANSFERTYPE,PAYMENTS,ADJUSTMENTS,TRANSFERS,OUTSTANDING,APPOINTMENTID",
    },
}
Row = dict[str, object]


def write(folder: Path, generation: str, patients: int = 12) -> Path:
    """Write an export of this generation (old, new) made on MADE; always the same."""
    chance = random.Random(20261010)
    rows: dict[str, list[Row]] = {name: [] for name in HEADERS["new"]}
    rows["organizations"] = [{"Id": key, "NAME": f"Clinic {key}"} for key in ORGANIZATIONS]
    rows["providers"] = [
        {"Id": key, "ORGANIZATION": organization, "NAME": f"Dr. {key}"}
        for key, organization in PROVIDERS.items()
    ]
    rows["payers"] = [{"Id": key, "NAME": name} for key, name in PAYERS.items()]
    for number in range(patients):
        _patient(rows, f"dddd-{number:04}", chance)
    folder.mkdir(parents=True, exist_ok=True)
    for name, header in HEADERS[generation].items():
        columns = header.split(",")
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows({**row, "ID": row.get("Id")} for row in rows[name])
    return folder


def _patient(rows: dict[str, list[Row]], key: str, chance: random.Random) -> None:
    died = "2026-09-01" if chance.random() < 0.2 else ""
    rows["patients"].append(
        {
            "Id": key,
            "BIRTHDATE": f"{chance.randint(1940, 2005)}-03-07",
            "DEATHDATE": died,
            "FIRST": f"Ann{chance.randint(100, 999)}",
            "MIDDLE": "Q",
            "LAST": f"O'Hara{chance.randint(100, 999)}",
            "FIPS": "25017",
        }
    )
    payer = chance.choice(list(PAYERS))
    rows["payer_transitions"].append(
        {
            "PATIENT": key,
            "START_YEAR": 2025,
            "END_YEAR": 2026,
            "START_DATE": "2025-01-01T00:00:00Z",
            "END_DATE": "2026-12-31T00:00:00Z",
            "PAYER": payer,
            "SECONDARY_PAYER": "cccc-0002" if payer == "cccc-0001" else "",
        }
    )
    plans = []
    for number in range(chance.randint(0, 2)):
        started = dt.date(2026, 3, 1) + dt.timedelta(days=chance.randint(0, 120))
        stopped = started + dt.timedelta(days=60) if number == 0 else None
        plans.append((f"eeee-{key}-{number}", started, stopped))
        rows["careplans"].append(
            {
                "Id": plans[-1][0],
                "START": started.isoformat(),
                "STOP": stopped.isoformat() if stopped else "",
                "PATIENT": key,
                "ENCOUNTER": f"ffff-{key}-0",
                "REASONCODE": f"10{number}",
            }
        )
    for number in range(chance.randint(1, 6)):
        _encounter(rows, key, f"ffff-{key}-{number}", payer, chance)


def _encounter(
    rows: dict[str, list[Row]], patient: str, key: str, payer: str, chance: random.Random
) -> None:
    start = dt.datetime(2026, 2, 1, 9, tzinfo=dt.UTC) + dt.timedelta(
        days=chance.randint(0, 240), minutes=15 * chance.randint(0, 20)
    )
    provider = chance.choice(list(PROVIDERS))
    cost, covered = 100 + chance.randint(0, 50), 80 if payer != "cccc-0003" else 0
    began, ended = (_time(start + dt.timedelta(minutes=m)) for m in (0, 45))
    rows["encounters"].append(
        {
            "Id": key,
            "START": began,
            "STOP": ended,
            "PATIENT": patient,
            "ORGANIZATION": PROVIDERS[provider],
            "PROVIDER": provider,
            "PAYER": payer,
            "TOTAL_CLAIM_COST": f"{cost}.00",
            "PAYER_COVERAGE": f"{covered}.00",
            "REASONCODE": chance.choice(["100", "101", ""]),
        }
    )
    closed, paid = chance.random() < 0.7, chance.random() < 0.5
    rows["claims"].append(
        {
            "Id": f"claim-{key}",
            "PATIENTID": patient,
            "APPOINTMENTID": key,
            "SERVICEDATE": began,
            "STATUS1": "CLOSED" if closed else "BILLED",
            "LASTBILLEDDATE1": ended,
        }
    )
    transactions: list[tuple[str, str, int, str]] = [("CHARGE", "", cost, "1")]
    if closed:
        transactions += [
            ("PAYMENT", "ECHECK", covered, "1"),
            ("TRANSFERIN", "", cost - covered, "p"),
        ]
    if paid:
        transactions.append(
            ("PAYMENT", chance.choice(["CASH", "CC", "COPAY"]), cost - covered, "p")
        )
    rows["claims_transactions"] += [
        {
            "Id": f"{key}-{number}",
            "CLAIMID": f"claim-{key}",
            "PATIENTID": patient,
            "TYPE": kind,
            "AMOUNT": f"{amount}.00" if kind != "PAYMENT" else "",
            "PAYMENTS": f"{amount}.00" if kind == "PAYMENT" else "",
            "METHOD": method,
            "TRANSFERTYPE": whose,
            "FROMDATE": ended,
            "APPOINTMENTID": key,
        }
        for number, (kind, method, amount, whose) in enumerate(transactions)
    ]


def _time(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
