"""The files of a WebPT Standard Extract and their columns, from the tables of the sample.

Ids are the sample's as integers.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

Row = dict[str, str]
Tables = dict[str, list[Row]]

NOTE_TYPES = {
    "Initial Evaluation": "IE",
    "Daily Note": "DN",
    "Progress Note": "PN",
    "Discharge Summary": "DS",
    "Addendum": "AD",
}
INSURANCE_TYPES = {"Medicare": "3", "Medicaid": "6", "Workers' Compensation": "7", "Auto": "10"}
FAILED = ("Validation Failed", "Transmission Failed", "Not Sent")
STATUSES = {"Active": "A", "Inactive": "I", "Referral": "R"}


def written(moment: str) -> str:
    """2026-11-03T14:15:00 as 11/3/2026 2:15:00 PM; a day is at midnight."""
    if not moment:
        return ""
    at = dt.datetime.fromisoformat(moment)
    hour = at.hour % 12 or 12
    half = "AM" if at.hour < 12 else "PM"
    return f"{at.month}/{at.day}/{at.year} {hour}:{at:%M:%S} {half}"


def is_without_appointment(visit: Row) -> bool:
    """Whether the visit took place although its appointment had been taken off the schedule."""
    return (
        visit["status"] == "Completed"
        and visit["amount_due"] in ("", "0.00")
        and int(visit["appointment_id"]) % 13 == 0
    )


def appointment(visit: Row) -> Row:
    is_off = visit["status"] in ("Cancelled", "No Show")
    is_seen = visit["status"] in ("Arrived", "In Progress", "Completed")
    starts = dt.datetime.fromisoformat(visit["starts_at"])
    ends = (starts + dt.timedelta(minutes=45)).isoformat()
    sign = "" if is_seen else "-"
    return {
        "appointmnet_id": f"{sign}{visit['appointment_id']}",
        "parent_appointment_id": "",
        "start_date": written(visit["starts_at"]),
        "end_date": written(ends),
        "check_in_time": written(visit["starts_at"]) if is_seen else "",
        "check_out_time": written(ends) if visit["status"] == "Completed" else "",
        "clinic_id": visit["facility_id"],
        "therapist_id": visit["staff_id"],
        "case_id": visit["case_id"],
        "patient_id": visit["patient_id"],
        "appointment_status": "Inactive" if is_off else "Active",
        "reason": {"Cancelled": "Illness", "No Show": "No Show"}.get(visit["status"], ""),
        "time_stamp": written(visit["created_at"]),
    }


def _clinics(tables: Tables) -> Iterator[Row]:
    for row in tables["facilities"]:
        yield {
            "clinic_id": row["facility_id"],
            "clinic_name": row["name"],
            "time_zone": row["time_zone"],
        }


def _therapists(tables: Tables) -> Iterator[Row]:
    for row in tables["staff"]:
        first, _, last = row["name"].rpartition(" ")
        yield {
            "therapist_id": row["staff_id"],
            "first_name": first,
            "last_name": last,
            "email": row["email"],
            "therapist_status": "A" if row["is_active"] == "true" else "I",
        }


def _patients(tables: Tables) -> Iterator[Row]:
    for row in tables["patients"]:
        yield {
            "patient_id": row["patient_id"],
            "first_name": row["first_name"],
            "last_name": row["last_name"],
            "date_of_birth": written(row["birth_date"]),
            "patient_status": STATUSES[row["status"]],
            "clinic_id": row["facility_id"],
            "home_phone": row["phone"],
            "email": row["email"],
            "patient_account_number": str(int(row["patient_id"]) + 700_000),
        }


def _cases(tables: Tables) -> Iterator[Row]:
    for row in tables["cases"]:
        is_closed = int(row["case_id"]) % 2 == 0  # the others are Active although discharged
        yield {
            "case_id": row["case_id"],
            "patient_id": row["patient_id"],
            "clinic_id": row["facility_id"],
            "therapist_id": row["therapist_id"],
            "case_status": "I" if row["discharged_on"] and is_closed else "A",
            "case_created_date": written(row["opened_on"]),
            "discharge_date": "" if is_closed else written(row["discharged_on"]),
            "case_closed_date": written(row["discharged_on"]) if is_closed else "",
            "referring_physician": row["referring_provider"],
            "referring_physician_fax": row["referring_fax"],
        }


def _insurance(tables: Tables) -> Iterator[Row]:
    payers = {row["payer_id"]: row for row in tables["payers"]}
    for row in tables["policies"]:
        payer = payers[row["payer_id"]]
        yield {
            "patient_identity_id": row["policy_id"],
            "patient_id": row["patient_id"],
            "case_id": row["case_id"],
            "insurance_id": row["payer_id"],
            "ins_name": payer["name"],
            "insurance_type_id": INSURANCE_TYPES.get(payer["kind"], "9"),
            "policy_number": f"W{row['policy_id']}",
            "insurance_rank": {"1": "P", "2": "S"}[row["rank"]],
            "effective_date": written(row["starts_on"]),
            "expiration_date": written(row["ends_on"]),
            "created_date": written(row["created_at"]),
            "modified_date": written(row["created_at"]),
            "authorization_required": "Y" if row["authorization_required"] == "true" else "N",
        }


def _authorizations(tables: Tables) -> Iterator[Row]:
    policies = {row["policy_id"]: row for row in tables["policies"]}
    for row in tables["authorizations"]:
        yield {
            "record_id": row["authorization_id"],
            "authorization_id": row["case_id"],  # not unique
            "case_id": row["case_id"],
            "auth_number": row["number"],
            "auth_start_date": written(row["starts_on"]),
            "auth_end_date": written(row["ends_on"]),
            "visit_authorized_for": row["visit_limit"],
            "authorization_status": "I" if row["is_stub"] == "true" else "A",
            "patient_id": policies[row["policy_id"]]["patient_id"],
            "modified_date": written(row["entered_at"]),
            "policy_number": f"W{row['policy_id']}",
        }


def _visits(tables: Tables) -> Iterator[Row]:
    """The notes; a visit of the sample without a document has a finalized one."""
    noted = {row["appointment_id"] for row in tables["documents"]}
    for visit in tables["appointments"]:
        if visit["status"] == "Completed" and visit["appointment_id"] not in noted:
            yield {
                "visit_id": f"{visit['appointment_id']}9",
                "case_id": visit["case_id"],
                "therapist_id": visit["staff_id"],
                "cosign_therapist_id": "",
                "visit_date": written(visit["starts_at"][:10]),
                "note_type": "DN",
                "note_created_date": written(visit["starts_at"]),
                "note_finalized_date": written(visit["starts_at"]),
                "cosign_requested_date": "",
            }
    for row in tables["documents"]:
        yield {
            "visit_id": row["document_id"],
            "case_id": row["case_id"],
            "therapist_id": row["last_editor_id"],
            "cosign_therapist_id": row["reviewer_id"],
            "visit_date": written(row["date_of_service"]),
            "note_type": NOTE_TYPES[row["kind"]],
            "note_created_date": written(row["started_at"]),
            "note_finalized_date": written(row["completed_at"]),
            "cosign_requested_date": written(row["submitted_for_review_at"]),
        }


def _charges(tables: Tables) -> Iterator[Row]:
    """Two charges for each claim."""
    patients = {row["case_id"]: row["patient_id"] for row in tables["cases"]}
    for row in tables["claims"]:
        for line, cpt in enumerate(("97110", "97140"), 1):
            yield {
                "record_id": row["case_id"],  # not unique
                "visit_date": written(row["date_of_service"]),
                "record_pointer": f"{row['claim_id']}{line}",
                "cpt": cpt,
                "patient_id": patients[row["case_id"]],
                "case_id": row["case_id"],
                "visit_id": note_of(row["claim_id"]),
                "insurance_id": row["policy_id"],
                "units": "2",
                "charge_amount": "60.00",
            }


def note_of(visit: str) -> str:
    """The id of the note of a visit."""
    return f"{visit}1"


def _transactions(tables: Tables) -> Iterator[Row]:
    """What was paid, and what is left to pay of the visits that took place."""
    of_day = {(row["case_id"], row["starts_at"][:10]): row for row in tables["appointments"]}
    left = dict.fromkeys(of_day, 0)
    for row in tables["appointments"]:
        if row["status"] == "Completed":
            left[row["case_id"], row["starts_at"][:10]] += cents(row["amount_due"])
    voided = [row for row in tables["payments"] if row["kind"] == "void"]
    for row in tables["payments"]:
        place = row["case_id"], row["date_of_service"]
        if row["kind"] == "void" or any(_is_voided_by(row, void) for void in voided):
            continue
        if place in left and row["kind"] == "payment":
            left[place] -= cents(row["amount"])
        yield _transaction(row["payment_id"], row["patient_id"], place, row["amount"]) | {
            "payment_date": written(row["paid_at"]),
            "txn_paid": "1",
            "txn_status": "Refund" if row["kind"] == "refund" else "Paid",
        }
    for place, amount in left.items():
        if amount > 0:
            visit = of_day[place]
            otc_id = f"7{visit['appointment_id']}"
            yield _transaction(otc_id, visit["patient_id"], place, f"{amount / 100:.2f}")


def _is_voided_by(payment: Row, void: Row) -> bool:
    """The sample writes what was taken back as a row of its own, with the day and amount."""
    same = ("case_id", "date_of_service", "amount")
    return (
        payment["kind"] == "payment"
        and all(payment[name] == void[name] for name in same)
        and payment["paid_at"] <= void["paid_at"]
    )


def _transaction(otc_id: str, patient: str, place: tuple[str, str], amount: str) -> Row:
    return {
        "record_id": otc_id,
        "otc_id": otc_id,
        "case_id": place[0],
        "visit_date": written(place[1]),
        "payment_date": "",
        "dollar_amount_paid": amount,
        "patient_id": patient,
        "txn_paid": "0",
        "txn_status": "",
    }


def cents(money: str) -> int:
    """An amount in cents; 0 for an empty one."""
    return round(float(money or 0) * 100)


def _credits(tables: Tables) -> Iterator[Row]:
    for row in tables["payments"]:
        if row["kind"] == "refund":
            yield {
                "patient_credit_id": row["payment_id"],
                "patient_id": str(int(row["patient_id"]) + 700_000),
                "amount": "0.00",
                "original_amount": row["amount"],
                "status": "Refunded",
            }


def _billing_charges(tables: Tables) -> Iterator[Row]:
    """What RevFlow has of the claims that were sent; a payer's overpayment now and then."""
    patients = {row["case_id"]: row["patient_id"] for row in tables["cases"]}
    for row in tables["claims"]:
        if row["status"] == "Held":
            continue
        lines = ["97110", "97140"] + ["INSOVER"] * (int(row["claim_id"]) % 11 == 0)
        for line, cpt in enumerate(lines, 1):
            is_over = cpt == "INSOVER"
            yield {
                "patient_account_number": str(int(patients[row["case_id"]]) + 700_000),
                "date_of_service": written(row["date_of_service"]),
                "charge_id": f"{row['claim_id']}{line}",
                "cpt_code": cpt,
                "cur_ins_code": "0" if row["processed_at"] else "12",
                "charge_amount": "0" if is_over else "60",
                "visit_id": str(int(row["claim_id"]) + 5_000_000),
                "cur_balance": "-15.5" if is_over else "60",
            }


def _payment_adjustments(tables: Tables) -> Iterator[Row]:
    for row in tables["claims"]:
        for line in (1, 2) if row["processed_at"] else ():
            yield {
                "payment_adjustment_id": f"{row['claim_id']}{line}",
                "charge_id": f"{row['claim_id']}{line}",
                "date_of_service": written(row["date_of_service"]),
                "post_date": written(row["processed_at"]),
                "adjustment_code": "CO45",
                "eob_key": row["claim_id"],
                "patient_responsible_amount": row["patient_responsibility"] if line == 1 else "0",
            }


def _claims_feed(tables: Tables) -> Iterator[Row]:
    held = {row["claim_id"]: row for row in tables["claim_holds"]}
    for row in tables["claims"]:
        hold = held.get(row["claim_id"])
        is_held = hold is not None and not hold["released_at"]
        why = hold if hold is not None and is_held else {}
        sent_at = hold["released_at"] if hold else f"{row['date_of_service']}T23:30:00"
        yield {
            "claims_feed_id": f"{row['claim_id']}1",
            "visit_id": note_of(row["claim_id"]),
            "date_of_service": written(row["date_of_service"]),
            "finalized_date": written(row["date_of_service"]),
            "status": FAILED[int(row["claim_id"]) % 3] if is_held else "Transmission Successful",
            "status_date": written(why.get("held_at", sent_at)),
            "error_code": why.get("reason_code", ""),
            "error_message": why.get("reason", ""),
        }


FILES: dict[str, tuple[str, Callable[[Tables], Iterator[Row]]]] = {
    "Clinics": ("clinic_id", _clinics),
    "Therapists": ("therapist_id", _therapists),
    "Patients": ("patient_id", _patients),
    "Cases": ("case_id", _cases),
    "Patient_Insurance": ("patient_identity_id", _insurance),
    "Authorizations": ("record_id", _authorizations),
    "Visits": ("visit_id", _visits),
    "Charges": ("record_pointer", _charges),
    "Transactions": ("otc_id", _transactions),
    "Patient_Credit": ("patient_credit_id", _credits),
    "Billing_Charges": ("charge_id", _billing_charges),
    "Payment_Adjustments": ("payment_adjustment_id", _payment_adjustments),
    "Claims_Feed": ("claims_feed_id", _claims_feed),
}
