"""The parts of the patient page: search, head, and the sections of the record."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import pandas as pd
import streamlit as st

from app_pages.session import patient_data, typed_rows, workspace
from app_pages.session.markdown import caption, escape_markdown
from app_pages.session.patient_data import OpenedPatient
from app_pages.url import view
from pipelines.worklist.worklist import Worklist

DAY = st.column_config.DateColumn(format="MMM D, YYYY")
MOMENT = st.column_config.DatetimeColumn(format="MMM D, YYYY, HH:mm")
MONEY = st.column_config.NumberColumn(format="dollar")
MONEY_COLUMNS = ("due", "left_by_payer", "paid", "refunded")  # beside those named an amount
MOST_FOUND = 20
SEARCH_HINT = (
    "Beginnings of names in any order, a birth date (1980-05-17 or 5/17/1980), the last digits of "
    "a phone, or an id."
)


class Case(NamedTuple):
    """A row of patients.cases."""

    case_id: str
    status: str
    opened_on: dt.date
    discharged_on: dt.date | None
    therapist: str | None
    facility: str | None


def show_search(worklist: Worklist) -> None:
    """Search; the text stays out of the URL, since it may be a name."""
    text = st.text_input(
        "Find a patient",
        key="patient.find",
        type="search",
        max_chars=80,
        placeholder="Name, birth date, phone or id",
        on_change=view.touch(),
    )
    if not text or not text.strip():
        st.markdown(caption(SEARCH_HINT))
        return
    found, is_more = patient_data.find(worklist, text, MOST_FOUND)
    if not found:
        st.text("No patient found. Try fewer letters, or the birth date.")
    for match in found:
        born = f"born {match.born_on:%b %-d, %Y}" if match.born_on else "birth date unknown"
        rest = " · ".join(filter(None, (match.facility, match.status, match.patient_id)))
        st.page_link(
            workspace.pages()["patient"],
            label=f"**{escape_markdown(match.name)}** · {born} · {escape_markdown(rest)}",
            icon=":material/person:",
            query_params={"patient_id": match.patient_id},
        )
    if is_more:
        st.text("There are more. Write more of the name, or the birth date.")


def show_head(opened: OpenedPatient) -> None:
    """Status, facility, payer, birth date and contact, and the cases."""
    patient = opened.patient
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(
            escape_markdown(patient.status), color="green" if patient.status == "Active" else "gray"
        )
        born = (
            f"Born {patient.born_on:%B %-d, %Y} ({patient.age_years})"
            if patient.born_on
            else "Birth date unknown"
        )
        reached = " · ".join(value for value in (patient.phone, patient.email) if value)
        st.text(
            " · ".join(
                part
                for part in (
                    born,
                    patient.facility,
                    patient.payer,
                    reached,
                    f"id {patient.patient_id}",
                )
                if part
            )
        )
        st.page_link(
            workspace.pages()["patient"], label="Another patient", icon=":material/search:"
        )
    cases = opened.cases()
    for case in typed_rows.read(Case, cases):
        until = f", discharged {case.discharged_on:%b %-d, %Y}" if case.discharged_on else ""
        parts = (
            f"Case {case.case_id}: {case.status} since {case.opened_on:%b %-d, %Y}{until}",
            case.therapist,
            case.facility,
        )
        st.markdown(caption(escape_markdown(" · ".join(part for part in parts if part))))


def show_policies(opened: OpenedPatient) -> None:
    """Policies, and the authorizations under them."""
    st.subheader("Policies")
    _table(
        opened.policies(),
        {
            "payer": "Payer",
            "rank": "Rank",
            "starts_on": "From",
            "ends_on": "To",
            "is_in_force": "In force today",
            "is_authorization_required": "Needs authorization",
            "verification_requested_on": "Verification asked",
            "verified_on": "Verified",
            "case_id": "Case",
        },
        "No policies: self-pay.",
    )
    st.subheader("Authorizations")
    _table(
        opened.authorizations(),
        {
            "number": "Number",
            "payer": "Payer",
            "state": "State",
            "starts_on": "From",
            "ends_on": "To",
            "visit_limit": "Limit",
            "limit_unit": "Counts",
            "visits_used": "Used",
            "visits_left": "Left",
            "has_document": "Document uploaded",
            "entered_on": "Entered",
            "case_id": "Case",
        },
        "No authorizations.",
    )


def show_payments(opened: OpenedPatient) -> None:
    """The open amount of each visit, and every payment."""
    balances = opened.balances()
    st.subheader(f"Open for visits: {escape_markdown(f'${balances.total_open:,.2f}')}")
    _table(
        balances.days,
        {
            "visit_on": "Visit",
            "case_id": "Case",
            "due": "Due",
            "left_by_payer": "Left by the payer",
            "is_waiting_for_payer": "Waits for the payer",
            "paid": "Paid",
            "refunded": "Refunded",
            "open_amount": "Open",
        },
        "No visit with an amount due.",
    )
    if balances.undated > 0:
        undated = escape_markdown(f"${balances.undated:,.2f}")
        st.markdown(caption(f"{undated} is on the account without a date of service."))
    st.subheader("Payments")
    _table(
        opened.payments(),
        {
            "paid_on": "Paid",
            "date_of_service": "Date of service",
            "kind": "Kind",
            "amount": "Amount",
            "net_amount": "Counts as",
            "case_id": "Case",
        },
        "No payments.",
    )


def show_documents(opened: OpenedPatient) -> None:
    """Clinical documents, and their faxes."""
    st.subheader("Clinical Documents")
    _table(
        opened.documents(),
        {
            "kind": "Document",
            "status": "Status",
            "date_of_service": "Date of service",
            "started_on": "Started",
            "completed_on": "Completed",
            "signed_on": "Signed",
            "owner": "Owner",
            "reviewer": "Reviewer",
            "has_plan_of_care": "Plan of care",
        },
        "No documents.",
    )
    st.subheader("Faxes")
    _table(
        opened.faxes(),
        {
            "document": "Document",
            "date_of_service": "Date of service",
            "status": "Status",
            "recipient": "To",
            "number": "Number",
            "attempts": "Attempts",
            "sent_at": "Sent",
            "failed_at": "Failed",
        },
        "No faxes.",
    )


def show_schedule(opened: OpenedPatient) -> None:
    """The visits ahead, then those behind."""
    visits = opened.schedule()
    columns = {
        "starts_at": "When",
        "status": "Status",
        "staff": "With",
        "facility": "Facility",
        "reminder_status": "Reminder",
        "amount_due": "Amount due",
    }
    is_coming = visits["is_coming"].astype(bool)
    st.subheader("Coming visits")
    _table(visits[is_coming], columns, "No visit is scheduled.")
    st.subheader("Past visits")
    _table(visits[~is_coming], columns, "No visit yet.")


def _table(rows: pd.DataFrame, headings: dict[str, str], when_empty: str) -> None:
    if rows.empty:
        st.text(when_empty)
        return
    shown = rows[list(headings)].rename(columns=headings)
    config = {}
    for column, heading in headings.items():
        if column.endswith("_on") or column == "date_of_service":
            config[heading] = DAY
        elif column.endswith("_at"):
            config[heading] = MOMENT
        elif "amount" in column or column in MONEY_COLUMNS:
            shown[heading] = shown[heading].astype(float)
            config[heading] = MONEY
    st.dataframe(
        shown,
        hide_index=True,
        row_height=36,
        column_config=config,
        placeholder="",
        alt=f"{', '.join(headings.values())}: {len(rows)} rows",
    )
