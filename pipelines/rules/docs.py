"""The page rules/README.md, and a practice's own page, written from the headers of the rules."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Set

from pipelines.rules import evaluate
from pipelines.rules.model import HEADER, STAGED_PARAMS, Applied, Param, Rule
from pipelines.vocabulary import ALWAYS_NEEDED, CATEGORIES

WIDTH = 100
LEAST = (
    "`facilities`, `patients` and `cases` must be delivered. Each further table lets more rules "
    "answer. A practice that never has a table names it in `practice.absent`; the rules that need "
    "it are then not connected "
    "([operations.md](../docs/operations.md#tables-that-are-never-delivered))."
)


def docs(rules: Mapping[str, Rule]) -> str:
    """The text of rules/README.md: the rules by category, wrapped except for table rows."""
    blocks = [
        "# The rules",
        _wrapped(
            "Each task type is one SQL file, and the file name is the rule's id. "
            "`python -m pipelines rules docs` writes this page from the headers of the files. "
            "A practice changes parameters, `due_days` and `enabled` in its settings file, "
            "never in the SQL."
        ),
    ]
    blocks += ["## The least a practice needs", _wrapped(LEAST), _least(rules)]
    return "\n\n".join([*blocks, *_by_category(rules)]) + "\n"


def _least(rules: Mapping[str, Rule]) -> str:
    """Which tables each rule needs, those that need the fewest first."""
    heads = ["| task | answers with | and uses, where delivered |", "|---|---|---|"]
    rows = []
    for rule in rules.values():
        may_lack = set(rule.may_lack)
        needs = sorted(evaluate.needed_tables(rule) - may_lack - set(ALWAYS_NEEDED))
        rows.append((len(needs), needs, rule.title, ", ".join(sorted(may_lack))))
    return "\n".join(
        heads
        + [
            f"| {title} | {', '.join(needs) or 'these three alone'} | {also} |"
            for _, needs, title, also in sorted(rows)
        ]
    )


def docs_of_practice(applied: Applied) -> str:
    """The same page for a practice: with its own rules, and the settings it has made."""
    blocks = [
        "# The rules of this practice",
        _wrapped(
            "`python -m pipelines rules docs --out FILE` writes this page: the shipped rules and "
            "the practice's own, with the parameters in force."
        ),
        *_by_category(applied.rules, applied.disabled),
    ]
    if applied.broken:
        faults = [_wrapped(f"`{rule_id}`: {why}", "- ") for rule_id, why in applied.broken.items()]
        blocks += ["## Withheld", "\n".join(faults)]
    return "\n\n".join(blocks) + "\n"


def _by_category(rules: Mapping[str, Rule], disabled: Set[str] = frozenset()) -> list[str]:
    blocks: list[str] = []
    for category in CATEGORIES:
        of_category = [rule for rule in rules.values() if rule.category == category]
        if of_category:
            blocks += [f"## {category}", _table(of_category)]
            for rule in of_category:
                blocks += _of_rule(rule, is_off=rule.rule_id in disabled)
    return blocks


def _table(rules: list[Rule]) -> str:
    heads = ["| task | id | clears | by hand | overdue after |", "|---|---|---|---|---|"]
    rows = [
        f"| [{rule.title}](#{rule.title.lower().replace(' ', '-')}) | `{rule.rule_id}` "
        f"| {rule.clears} | {rule.manual} | {rule.due_days} d |"
        for rule in rules
    ]
    return "\n".join(heads + rows)


def _of_rule(rule: Rule, *, is_off: bool = False) -> list[str]:
    why = reasons(rule)
    discharge = "ends it" if rule.ends_at_discharge else "does not end it"
    facts = [
        f"Clears ({rule.clears}): {rule.clears_when}",
        f"Subject: {rule.subject_table}; reads {', '.join(rule.reads)}",
        f"A discharge {discharge}.",
    ]
    if rule.is_own:
        facts.insert(0, f"The practice's own rule, in the file {rule.path.name}.")
    if is_off:
        facts.insert(0, "Switched off in the settings.")
    facts += _look_back(rule, why)
    if rule.may_lack:
        facts.append(
            f"Also answers for a practice that has never delivered {', '.join(rule.may_lack)}."
        )
    if rule.patients != Rule.patients:
        facts.append(f"Opens tasks for patients who are {' or '.join(rule.patients)}.")
    if rule.period:
        facts.append(f"Periodic: a completed task may return the next {rule.period}.")
    if rule.converts_to:
        facts.append(f"Converts to {', '.join(f'`{target}`' for target in rule.converts_to)}.")
    facts += [
        f"`{name}` = {written(value)}: {why.get(name, '')}" for name, value in rule.params.items()
    ]
    facts.append(f"Source: {rule.source}")
    steps = [_wrapped(step, f"{number}. ") for number, step in enumerate(rule.resolve, start=1)]
    return [
        f"### {rule.title}",
        _wrapped(rule.purpose),
        "\n".join(steps),
        "\n".join(_wrapped(fact, "- ") for fact in facts),
    ]


def _look_back(rule: Rule, why: Mapping[str, str]) -> list[str]:
    """What the rule does where the tables of which it counts earlier rows do not reach back."""
    if not rule.looks_back:
        return []
    if rule.unseen:
        says = "what it cannot see is held"
    elif set(rule.looks_back) <= rule.minds:
        says = "its tasks say what is not known"
    else:
        says = "it is withheld"
    because = f" ({why['looks_back']})" if "looks_back" in why else ""
    tables = ", ".join(rule.looks_back)
    return [f"Looks back at {tables}{because}: where they do not reach back, {says}."]


def _wrapped(text: str, mark: str = "") -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=mark,
        subsequent_indent=" " * len(mark),
        break_long_words=False,
        break_on_hyphens=False,
    )


def reasons(rule: Rule) -> dict[str, str]:
    """Why a key or parameter has its value, from the comment behind it in the header."""
    try:
        header = HEADER.match(rule.path.read_text(encoding="utf-8-sig"))
    except OSError:  # a practice's own file that was taken away since it was loaded
        header = None
    found = dict(re.findall(r"^(\w+) *=[^#\n]*# (.+)$", header[1], re.MULTILINE)) if header else {}
    for table in rule.reads:
        found |= {name: param.reason for name, param in STAGED_PARAMS.get(table, {}).items()}
    return found


def written(value: Param) -> str:
    """A parameter's value as a settings file has it."""
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, str):
        return f'"{value}"'
    return str(value).lower()
