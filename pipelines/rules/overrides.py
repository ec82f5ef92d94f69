"""A practice's settings applied to the rules: parameters, due_days, enabled, and payers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pipelines.errors import UserError
from pipelines.rules import loading, model, own
from pipelines.rules.model import CODE_CONTAINS, Applied, Param, Params, Rule
from pipelines.rules.own import OwnRules
from pipelines.settings import AUTHORIZATION_CODES, Settings, day


def rules_in_force(settings: Settings) -> Applied:
    """The rules with the practice's settings applied; UserError names what is wrong with them."""
    return apply_to(written_rules(settings), settings)


def written_rules(settings: Settings, also: Sequence[Path] = ()) -> OwnRules:
    """The shipped rules and then the practice's own, as their files say.

    `also` are own files from elsewhere, which replace those of their names.
    """
    shipped = loading.load_rules()
    found = own.load(settings.own_rules, shipped, also)
    return OwnRules({**shipped, **found.rules}, found.broken)


def apply_to(written: OwnRules, settings: Settings) -> Applied:
    """The settings applied; those of a broken rule wait until its file can be loaded."""
    sections = {name: of for name, of in settings.rules.items() if name not in written.broken}
    applied = apply_settings(
        written.rules, sections, str(settings.settings_file), settings.authorization_codes
    )
    return replace(applied, broken=written.broken)


def apply_settings(
    rules: Mapping[str, Rule],
    settings: Mapping[str, object],
    file: str,
    authorization_codes: tuple[str, ...] = AUTHORIZATION_CODES,
) -> Applied:
    """Apply the [rules] section of a settings file; UserError names file and key."""
    found, payers, disabled, go_live = dict(rules), {}, set(), {}
    for rule_id, section in settings.items():
        where = f"{file}: rules.{rule_id}"
        if rule_id not in rules:
            raise UserError(f"{where}: there is no such rule; the rules are {', '.join(rules)}")
        if not isinstance(section, Mapping):
            raise UserError(f"{where}: must be a table, as in [rules.{rule_id}]")
        rule = rules[rule_id]
        if "payers" in section:
            payers[rule_id] = _payers(rule, section["payers"], f"{where}.payers")
        if not model.matched(section.get("enabled", True), bool, f"{where}.enabled"):
            disabled.add(rule_id)
        if "go_live" in section:
            go_live[rule_id] = day(section["go_live"], f"{where}.go_live")
        due_days = model.matched(section.get("due_days", rule.due_days), int, f"{where}.due_days")
        params = {
            key: _param(rule, key, value, where)
            for key, value in section.items()
            if key not in ("payers", "enabled", "due_days", "go_live")
        }
        found[rule_id] = replace(
            rule,
            due_days=model.not_negative(due_days, f"{where}.due_days"),
            params={**rule.params, **params},
        )
    codes = _authorization_codes(settings, payers, authorization_codes)
    return Applied(
        _share(found, codes), _without_codes(payers), frozenset(disabled), codes, go_live
    )


def _payers(rule: Rule, section: object, where: str) -> dict[str, Params]:
    if not isinstance(section, Mapping) or not all(
        isinstance(params, Mapping) for params in section.values()
    ):
        raise UserError(
            f"{where}: must hold a table for each payer, "
            f"as in [rules.{rule.rule_id}.payers.PAYER_ID]"
        )
    return {
        payer_id: {
            key: _param(rule, key, value, f"{where}.{payer_id}") for key, value in params.items()
        }
        for payer_id, params in section.items()
    }


def _param(rule: Rule, key: str, value: object, where: str) -> Param:
    """The value, of the type of the rule's own; numbers below zero would reverse a rule."""
    if key not in rule.params:
        raise UserError(
            f"{where}.{key}: the rule has no such parameter; "
            f"it has {', '.join(rule.params) or 'none'}"
        )
    where, default = f"{where}.{key}", rule.params[key]
    if isinstance(default, bool):
        return model.matched(value, bool, where)
    if isinstance(default, str):
        if isinstance(value, list):  # of words; a parameter holds them with commas
            return ", ".join(model.matched(value, list, where))
        return model.matched(value, str, where)
    if isinstance(default, int):
        return model.not_negative(model.matched(value, int, where), where)
    if isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    return model.not_negative(model.matched(value, float, where), where)


def _authorization_codes(
    settings: Mapping[str, object],
    payers: Mapping[str, Mapping[str, Params]],
    from_section: tuple[str, ...],
) -> tuple[str, ...]:
    """The codes in force, each once.

    Settings of earlier versions set `code_contains` in a rule, which replaces the list of the
    [claim_holds] section, or for a payer, which adds to it.
    """
    of_rules = [
        section[CODE_CONTAINS]
        for section in settings.values()
        if isinstance(section, Mapping) and CODE_CONTAINS in section
    ]
    of_payers = [
        params[CODE_CONTAINS]
        for by_payer in payers.values()
        for params in by_payer.values()
        if CODE_CONTAINS in params
    ]
    codes: dict[str, str] = {}
    for code in [*(_words(of_rules) if of_rules else from_section), *_words(of_payers)]:
        codes.setdefault(code.upper(), code)
    return tuple(codes.values())


def _words(texts: Iterable[object]) -> list[str]:
    """The words of texts such as "AUTH, PA-"; an empty text is a word that every code contains."""
    return [
        word
        for text in texts
        for word in ([part.strip() for part in str(text).split(",") if part.strip()] or [""])
    ]


def _share(rules: Mapping[str, Rule], codes: tuple[str, ...]) -> dict[str, Rule]:
    """The rules, showing the codes in force wherever they have the parameter."""
    return {
        rule_id: replace(rule, params={**rule.params, CODE_CONTAINS: ", ".join(codes)})
        if CODE_CONTAINS in rule.params
        else rule
        for rule_id, rule in rules.items()
    }


def _without_codes(
    payers: Mapping[str, Mapping[str, Params]],
) -> dict[str, dict[str, dict[str, Param]]]:
    """The parameters by payer; the codes hold for all payers."""
    return {
        rule_id: {
            payer_id: {name: value for name, value in params.items() if name != CODE_CONTAINS}
            for payer_id, params in by_payer.items()
        }
        for rule_id, by_payer in payers.items()
    }
