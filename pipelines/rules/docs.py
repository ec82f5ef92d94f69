"""The rules: one SQL file a task type, its header in the opening comment. Strict: whatever is not understood stops the load."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipelines.rules.model import HEADER, Rule
from pipelines.vocabulary import CATEGORIES


def docs(rules: Mapping[str, Rule]) -> str:
    """The text of rules/README.md: every rule as its header tells it, by category."""
    lines = [
        "# The rules",
        "",
        "One SQL file a task type; the file name is the rule's id. This page is written by `python -m pipelines rules docs` from the headers.",
        "A practice changes parameters, `due_days` and `enabled` in its settings file, never in the SQL.",
    ]
    for category in CATEGORIES:
        of_category = [rule for rule in rules.values() if rule.category == category]
        if of_category:
            lines += [
                "",
                f"## {category}",
                "",
                "| task | id | clears | by hand | overdue after |",
                "|---|---|---|---|---|",
            ]
            lines += [
                f"| [{rule.title}](#{rule.title.lower().replace(' ', '-')}) | `{rule.rule_id}` | {rule.clears} | {rule.manual} | {rule.due_days} d |"
                for rule in of_category
            ]
            for rule in of_category:
                lines += _rule_docs(rule)
    return "\n".join(lines) + "\n"


def _rule_docs(rule: Rule) -> list[str]:
    facts = [
        f"Clears ({rule.clears}): {rule.clears_when}",
        f"Subject: {rule.subject_table}; reads {', '.join(rule.reads)}",
    ]
    facts.append(
        "A discharge ends it." if rule.ends_at_discharge else "A discharge does not end it."
    )
    if rule.period:
        facts.append(f"Periodic: one that a person completed may return the next {rule.period}.")
    if rule.converts_to:
        facts.append(f"Converts to {', '.join(f'`{target}`' for target in rule.converts_to)}.")
    why = reasons(rule)
    facts += [
        f"`{name}` = {written(value)}: {why.get(name, '')}" for name, value in rule.params.items()
    ]
    facts.append(f"Source: {rule.source}")
    steps = [f"{number}. {step}" for number, step in enumerate(rule.resolve, start=1)]
    return [
        "",
        f"### {rule.title}",
        "",
        rule.purpose,
        "",
        *steps,
        "",
        *(f"- {fact}" for fact in facts),
    ]


def reasons(rule: Rule) -> dict[str, str]:
    """The comment behind a key or parameter of the header, which says why it is what it is."""
    header = HEADER.match(rule.path.read_text(encoding="utf-8"))
    return dict(re.findall(r"^(\w+) *=[^#\n]*# (.+)$", header[1], re.MULTILINE)) if header else {}


def written(value: object) -> str:
    """A parameter's value as a settings file has it."""
    return (
        f"{value:.2f}"
        if isinstance(value, float)
        else f'"{value}"'
        if isinstance(value, str)
        else str(value).lower()
    )
