"""The rules: one SQL file a task type, its header in the opening comment. Strict: whatever is not understood stops the load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pipelines.errors import UserError
from pipelines.rules import loading, model
from pipelines.rules.model import Applied, Rule
from pipelines.settings import Settings


def apply_settings(rules: dict[str, Rule], settings: Mapping[str, object], file: str) -> Applied:
    """Lay the [rules] part of a practice's settings over the rules: due_days, enabled, parameters, and parameters by payer."""
    found, payers, disabled = dict(rules), {}, set()
    for rule_id, wanted in settings.items():
        where = f"{file}: rules.{rule_id}"
        if rule_id not in rules:
            raise UserError(f"{where}: there is no such rule; the rules are {', '.join(rules)}")
        if not isinstance(wanted, Mapping):
            raise UserError(f"{where}: must be a table, as in [rules.{rule_id}]")
        rule, params = rules[rule_id], {}
        for key, value in wanted.items():
            if key == "payers":
                payers[rule_id] = _payers(rule, value, f"{where}.payers")
            elif key == "enabled":
                if not model.matched(value, bool, f"{where}.enabled"):
                    disabled.add(rule_id)
            elif key == "due_days":
                rule = replace(
                    rule,
                    due_days=model.not_negative(
                        model.matched(value, int, f"{where}.due_days"), f"{where}.due_days"
                    ),
                )
            else:
                params[key] = _param(rule, key, value, where)
        found[rule_id] = replace(rule, params={**rule.params, **params})
    return Applied(found, payers, frozenset(disabled))


def _payers(rule: Rule, wanted: object, where: str) -> dict[str, dict[str, object]]:
    if not isinstance(wanted, Mapping) or not all(
        isinstance(params, Mapping) for params in wanted.values()
    ):
        raise UserError(
            f"{where}: must hold a table for each payer, as in [rules.{rule.rule_id}.payers.PAYER_ID]"
        )
    return {
        payer_id: {
            key: _param(rule, key, value, f"{where}.{payer_id}") for key, value in params.items()
        }
        for payer_id, params in wanted.items()
    }


def _param(rule: Rule, key: str, value: object, where: str) -> object:
    if key not in rule.params:
        raise UserError(
            f"{where}.{key}: the rule has no such parameter; it has {', '.join(rule.params) or 'none'}"
        )
    kind = type(rule.params[key])
    matched = model.matched(value, kind, f"{where}.{key}")
    # Days and dollars below zero would turn a rule round.
    return (
        matched
        if isinstance(matched, (str, bool))
        else model.not_negative(matched, f"{where}.{key}")
    )


def rules_in_force(settings: Settings) -> Applied:
    """The rules with the practice's settings applied; UserError names what is wrong with them."""
    return apply_settings(loading.load_rules(), settings.rules, str(settings.settings_file))
