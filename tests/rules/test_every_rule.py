"""Conventions that all rule files share."""

import re
from pathlib import Path

import pytest

from pipelines import staging
from pipelines.extracts import contract
from pipelines.rules import docs, loading, model
from pipelines.warehouse import snapshots

RULES = loading.load_rules()
BY_CATEGORY = {
    "Administrative": {
        "refund_request",
        "unscheduled_patient",
        "intake_complete",
        "days_since_discharge",
    },
    "Billing": {
        "authorization_required_documents",
        "authorization_expiring",
        "authorization_limit",
        "claim_submission_hold",
        "uncollected_payments",
        "benefit_verification_required",
        "benefit_verification_complete",
    },
    "Clinical": {
        "draft_documents",
        "faxing_required",
        "pending_signature",
        "failed_fax",
        "review_documents",
        "mips",
    },
}
BY_HAND_ONLY_AS_OVERRIDE = {
    "authorization_required_documents",
    "authorization_expiring",
    "claim_submission_hold",
    "draft_documents",
    "faxing_required",
}
AUTOMATIC = {*BY_HAND_ONLY_AS_OVERRIDE, "unscheduled_patient", "uncollected_payments"}
ENDED_BY_DISCHARGE = {
    "unscheduled_patient",
    "authorization_expiring",
    "authorization_limit",
    "mips",
    "intake_complete",
    "benefit_verification_required",
    "benefit_verification_complete",
}


@pytest.fixture(params=RULES.values(), ids=RULES.keys())
def rule(request):
    return request.param


def test_the_seventeen_types_fill_three_categories():
    assert {
        category: {r.rule_id for r in RULES.values() if r.category == category}
        for category in BY_CATEGORY
    } == BY_CATEGORY
    assert list(RULES) == sorted(RULES)
    assert len(RULES) == 17


def test_the_right_ones_clear_by_themselves():
    assert {r.rule_id for r in RULES.values() if r.clears == "auto"} == AUTOMATIC
    assert {r.rule_id for r in RULES.values() if r.manual == "override"} == BY_HAND_ONLY_AS_OVERRIDE


def test_a_discharge_ends_only_what_it_settles():
    assert {r.rule_id for r in RULES.values() if r.ends_at_discharge} == ENDED_BY_DISCHARGE


def test_the_periods_and_the_chain_of_faxes():
    assert {r.rule_id: r.period for r in RULES.values() if r.period} == {
        "unscheduled_patient": "month",
        "mips": "week",
    }
    assert {r.rule_id: r.converts_to for r in RULES.values() if r.converts_to} == {
        "faxing_required": ("pending_signature", "failed_fax"),
        "pending_signature": ("failed_fax",),
    }


def test_every_rule_binds_against_the_staged_tables():
    assert loading.check().keys() == RULES.keys()


def test_a_derived_table_names_the_extracts_it_is_made_from():
    with snapshots.connect() as con:
        for table, extracts in staging.DERIVED.items():
            read = loading.tables_read(con, staging.staging_sql()[table])
            named = {name.removeprefix("staging.") for name in read}
            assert {extract for name in named for extract in staging.extracts_of(name)} == set(
                extracts
            )


def test_the_page_of_the_rules_is_fresh():
    assert (model.RULES_FOLDER / "README.md").read_text(encoding="utf-8") == docs.docs(RULES)


def test_every_rule_has_its_own_tests(rule):
    test = Path(__file__).parent / f"test_{rule.rule_id}.py"
    assert test.exists()
    text = test.read_text(encoding="utf-8")
    assert f'RULE = "{rule.rule_id}"' in text
    assert len(re.findall(r"^ *def test_", text, re.MULTILINE)) >= 3


def test_every_test_has_its_rule():
    found = {
        path.stem.removeprefix("test_").removesuffix("_evidence").removesuffix("_other")
        for path in Path(__file__).parent.glob("test_*.py")
    }
    assert found - {"every_rule"} == RULES.keys()


def test_the_file_is_named_for_the_title(rule):
    assert rule.title.lower().replace(" ", "_") == rule.rule_id


def test_tells_staff_what_to_do_in_two_to_four_steps(rule):
    assert 2 <= len(rule.resolve) <= 4
    assert all(
        step[0].isupper() and step.endswith(".")
        for step in [*rule.resolve, rule.purpose, rule.clears_when]
    )


def test_a_manual_rule_ends_with_the_person(rule):
    if rule.clears == "manual":
        assert any(
            re.search(r"[Mm]ark the task complete|[Dd]ismiss", step) for step in rule.resolve
        )


def test_every_number_has_its_reason(rule):
    why = docs.reasons(rule)
    for name in [*rule.params, "due_days"]:
        assert re.match(r"\S+ \S+", why[name]), name


def test_reads_are_listed_in_order(rule):
    assert list(rule.reads) == sorted(rule.reads)


def test_answers_in_the_agreed_order(rule, desk):
    since = dict.fromkeys(map(model.since, rule.looks_back))
    given = loading.arguments(desk.con, rule.sql, {**rule.params, **since})
    answer = [column[0] for column in desk.con.execute(rule.sql, given).description]
    assert tuple(answer[: len(model.ANSWER)]) == model.ANSWER


def test_asks_no_question_the_database_cannot_answer_the_same_way_twice(rule):
    assert not re.search(
        r"\b(?:ANY_VALUE|FIRST|LAST|RANDOM|UUID)\(|\bLIMIT \d", rule.sql, re.IGNORECASE
    )


def test_the_subject_is_a_record_of_its_table(rule):
    assert rule.subject_table in contract.TABLES
    assert rule.subject_table in rule.reads or (rule.rule_id, rule.subject_table) == (
        "unscheduled_patient",
        "patients",
    )
