"""The examples of a practice's own rules keep the conventions that docs/own-rules.md teaches."""

import re
from pathlib import Path

import pytest

from pipelines.rules import docs, loading, own
from tests.rules.conftest import EXAMPLES, SHIPPED

FOUND = own.load(EXAMPLES, SHIPPED)


@pytest.fixture(params=FOUND.rules.values(), ids=FOUND.rules.keys())
def rule(request):
    return request.param


def test_each_can_be_loaded_and_the_page_names_it():
    assert FOUND.broken == {}
    assert list(FOUND.rules) == sorted(path.stem for path in EXAMPLES.glob("*.sql"))
    page = EXAMPLES.with_suffix(".md").read_text(encoding="utf-8")
    assert [name for name in FOUND.rules if f"own-rules/{name}.sql" not in page] == []


def test_they_fill_the_two_categories_without_shipped_types_and_add_to_another():
    assert {rule.category for rule in FOUND.rules.values()} == {
        "Clinical",
        "Patient Engagement",
        "Referral Management",
    }
    assert {rule.clears for rule in FOUND.rules.values()} == {"auto", "manual"}
    assert {rule.patients for rule in FOUND.rules.values()} == {
        ("Active",),
        ("Active", "Inactive"),
        ("Referral",),
    }


def test_each_has_its_own_tests(rule):
    text = (Path(__file__).parent / f"test_{rule.rule_id}.py").read_text(encoding="utf-8")
    assert f'RULE = "{rule.rule_id}"' in text
    assert len(re.findall(r"^def test_", text, re.MULTILINE)) >= 3


def test_tells_staff_what_to_do_and_why_each_number_is_so(rule):
    assert 2 <= len(rule.resolve) <= 4
    assert rule.title.lower().replace(" ", "_") == rule.rule_id
    assert set(docs.reasons(rule)) >= {*rule.params, "due_days"}
    assert list(rule.reads) == sorted(rule.reads)


def test_the_shipped_rules_are_only_those_of_the_rules_folder():
    assert loading.load_rules().keys() == SHIPPED.keys()
    assert not SHIPPED.keys() & FOUND.rules.keys()
