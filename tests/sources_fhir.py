"""A small FHIR R4 delivery: a bundle for each patient with urn:uuid references, and lines."""

from __future__ import annotations

import json
from pathlib import Path

Resource = dict[str, object]
NPI = "http://hl7.org/fhir/sid/us-npi"


def ref(text: str) -> dict[str, str]:
    return {"reference": text}


def organization(updated: str = "2026-01-01T00:00:00Z", name: str = "North") -> Resource:
    """The same organization, as each bundle has a copy of it."""
    return {
        "resourceType": "Organization",
        "id": "org-1",
        "name": name,
        "meta": {"lastUpdated": updated},
        "identifier": [{"system": "https://example.org/org", "value": "N1"}],
    }


def bundle(key: str) -> Resource:
    """A transaction of one patient: entries name each other by urn:uuid, without ids."""
    entries = {
        "pat": {
            "resourceType": "Patient",
            "name": [{"family": f"Roe{key}", "given": ["Sam"]}],
            "birthDate": "1980-02-03",
        },
        "org": organization(name=f"North as of {key}"),
        "epi": {
            "resourceType": "EpisodeOfCare",
            "status": "active",
            "patient": ref(f"urn:uuid:{key}-pat"),
            "managingOrganization": ref("Organization?identifier=https://example.org/org|N1"),
            "period": {"start": "2026-09-01"},
        },
        "cov": {
            "resourceType": "Coverage",
            "status": "active",
            "beneficiary": ref(f"urn:uuid:{key}-pat"),
            "payor": [ref("Organization/ins-1")],
            "period": {"start": "2026-01-01", "end": "2026-12-31"},
        },
        "enc": {
            "resourceType": "Encounter",
            "status": "finished",
            "subject": ref(f"urn:uuid:{key}-pat"),
            "period": {"start": "2026-10-30T09:00:00-04:00", "end": "2026-10-30T10:00:00-04:00"},
            "serviceProvider": ref("urn:uuid:org"),
            "participant": [{"individual": ref(f"Practitioner?identifier={NPI}|999")}],
        },
        "doc": {
            "resourceType": "DocumentReference",
            "status": "current",
            "docStatus": "preliminary" if key == "a" else "final",
            "subject": ref(f"urn:uuid:{key}-pat"),
            "type": {"text": "Daily Note"},
            "date": "2026-10-30T11:00:00-04:00",
            "author": [ref("#me")],
            "context": {"encounter": [ref(f"urn:uuid:{key}-enc")]},
            "contained": [
                {"resourceType": "Practitioner", "id": "me", "name": [{"text": f"Dr. {key}"}]}
            ],
        },
        "eob": {
            "resourceType": "ExplanationOfBenefit",
            "status": "active",
            "use": "claim",
            "outcome": "complete",
            "created": "2026-11-01T08:00:00Z",
            "patient": ref(f"urn:uuid:{key}-pat"),
            "insurance": [{"coverage": ref(f"urn:uuid:{key}-cov")}],
            "item": [
                {"servicedDate": "2026-10-30", "encounter": [ref(f"urn:uuid:{key}-enc")]},
            ],
            "total": [
                {"category": {"coding": [{"code": code}]}, "amount": {"value": amount}}
                for code, amount in (("submitted", 200), ("copay", 20), ("deductible", 12.5))
            ],
        },
    }
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:org" if name == "org" else f"urn:uuid:{key}-{name}",
                "resource": resource,
            }
            for name, resource in entries.items()
        ],
    }


LINES: list[Resource] = [
    organization("2026-11-01T00:00:00Z", "North, renamed"),
    {
        "resourceType": "Organization",
        "id": "ins-1",
        "name": "Plain Medicare",
        "type": [{"coding": [{"code": "ins"}]}],
    },
    {
        "resourceType": "Practitioner",
        "id": "prac-1",
        "identifier": [{"system": NPI, "value": "999"}],
        "name": [{"family": "Low", "given": ["Kim"]}],
    },
    {
        "resourceType": "Location",
        "id": "room-1",
        "managingOrganization": ref("Organization/org-1"),
    },
    {
        "resourceType": "Appointment",
        "id": "app-1",
        "status": "booked",
        "created": "2026-10-01",
        "start": "2026-11-05T14:00:00Z",
        "participant": [
            {"actor": ref("https://fhir.example.org/r4/Patient/a-pat")},
            {"actor": ref("Location/room-1")},
            {"actor": ref("Practitioner/prac-1")},
        ],
    },
    {
        "resourceType": "Appointment",
        "id": "app-2",
        "status": "booked",
        "created": "2026-10-01",
        "start": "2026-10-31T14:00:00Z",
        "participant": [{"actor": ref("Patient/a-pat")}],
    },
    {
        "resourceType": "Encounter",
        "id": "enc-2",
        "status": "in-progress",
        "subject": ref("Patient/a-pat"),
        "appointment": [ref("Appointment/app-2")],
        "period": {"start": "2026-10-31T14:05:00Z"},
    },
    {
        "resourceType": "Claim",
        "id": "auth-1",
        "use": "preauthorization",
        "patient": ref("Patient/a-pat"),
        "insurance": [{"coverage": ref("Coverage/a-cov")}],
        "item": [{"quantity": {"value": 12}}],
    },
    {
        "resourceType": "ClaimResponse",
        "id": "answer-1",
        "use": "preauthorization",
        "created": "2026-09-02",
        "request": ref("Claim/auth-1"),
        "preAuthRef": "PA77",
        "preAuthPeriod": {"start": "2026-09-01", "end": "2026-11-08"},
    },
    {
        "resourceType": "CoverageEligibilityRequest",
        "id": "ask-1",
        "created": "2026-10-01",
        "insurance": [{"coverage": ref("Coverage/a-cov")}],
    },
    {
        "resourceType": "CoverageEligibilityResponse",
        "id": "told-1",
        "created": "2026-10-02",
        "outcome": "complete",
        "insurance": [{"coverage": ref("Coverage/a-cov"), "inforce": True}],
    },
    {
        "resourceType": "QuestionnaireResponse",
        "id": "qr-1",
        "status": "completed",
        "questionnaire": "https://example.org/Questionnaire/MIPS-first|1.0",
        "subject": ref("Patient/a-pat"),
        "authored": "2026-09-03T10:00:00Z",
    },
    {
        "resourceType": "Communication",
        "id": "fax-1",
        "status": "stopped",
        "medium": [{"coding": [{"code": "FAXWRIT"}]}],
        "sent": "2026-11-01T12:00:00Z",
        "payload": [{"contentReference": ref("DocumentReference/b-doc")}],
    },
    {
        "resourceType": "Communication",
        "id": "letter-1",
        "status": "completed",
        "medium": [{"coding": [{"code": "WRITTEN"}]}],
    },
]


def write(folder: Path) -> Path:
    """Two bundles, and all other resources as lines."""
    folder.mkdir(parents=True, exist_ok=True)
    for key in ("a", "b"):
        (folder / f"patient_{key}.json").write_text(json.dumps(bundle(key)))
    (folder / "others.ndjson").write_text("\n".join(json.dumps(one) for one in LINES))
    return folder
