"""The rules: one SQL file a task type, its header in the opening comment. Strict: whatever is not understood stops the load."""

from __future__ import annotations

CATEGORIES = ("Administrative", "Billing", "Clinical", "Patient Engagement", "Referral Management")
ROLES = (
    "Front Desk",
    "Clinical Staff",
    "Therapy Director",
    "Practice Administrator",
    "Business Owner",
)
