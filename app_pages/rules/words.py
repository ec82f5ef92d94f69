"""The list of rules, and one rule in plain words with its parameters as the practice set them."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from app_pages.session import cached, labels, workspace
from app_pages.session.markdown import caption, escape_markdown
from app_pages.tasks import links
from pipelines import vocabulary
from pipelines.rules import docs
from pipelines.rules.model import Param, Rule
from pipelines.runs import history
from pipelines.worklist.filters import Filters
from pipelines.worklist.worklist import Worklist

EVERYBODY = "All payers"
BY_PRACTICE, AS_SHIPPED, IN_FILE = "The practice", "As shipped", "The rule file"


def show_list(worklist: Worklist) -> None:
    """Every rule by category: a link, its purpose and its present state."""
    applied = workspace.rules().applied
    for why in applied.broken.values():
        st.warning(
            f"A rule file of the practice is withheld: {escape_markdown(why)}",
            icon=":material/error:",
        )
    waiting = (
        cached.ask(Worklist.counts, worklist, Filters(status="open"))
        .set_index("rule_id")["tasks"]
        .to_dict()
    )
    withheld = set(history.withheld(worklist.con)["rule_id"])
    not_connected = _not_connected(worklist)
    in_part = _in_part(worklist)
    for category in vocabulary.CATEGORIES:
        of_category = [rule for rule in applied.rules.values() if rule.category == category]
        if of_category:
            st.subheader(f"{category}: {len(of_category)}")
        for rule in sorted(of_category, key=lambda rule: rule.title):
            with st.container(border=True, gap="xxsmall"):
                st.page_link(
                    workspace.pages()["rules"],
                    label=f"**{escape_markdown(rule.title)}**",
                    icon=":material/rule:",
                    query_params={"rule": rule.rule_id},
                )
                st.text(rule.purpose)
                is_off = rule.rule_id in applied.disabled
                how = "clears by itself" if rule.clears == "auto" else "a person completes it"
                facts = [
                    f"{waiting.get(rule.rule_id, 0):,} open",
                    how,
                    f"overdue after {_days(rule.due_days)}",
                ]
                if is_off:
                    facts.append("switched off by the practice")
                elif rule.rule_id in not_connected:
                    facts.append(not_connected[rule.rule_id])
                elif rule.rule_id in withheld:
                    facts.append("withheld in the newest run")
                elif rule.rule_id in in_part:
                    facts.append("answered in part in the newest run")
                if rule.is_own:
                    facts.append("the practice's own rule")
                if _is_changed(rule):
                    facts.append("set by the practice")
                st.markdown(caption(" · ".join(facts)))


def _not_connected(worklist: Worklist) -> dict[str, str]:
    """By rule that needs a table which the practice never delivers: "not connected: faxes"."""
    found = history.not_connected(worklist.con)
    return dict(zip(found["rule_id"], found["reason"], strict=True))


def _in_part(worklist: Worklist) -> dict[str, str]:
    """By rule that could not answer for every record, why."""
    found = history.in_part(worklist.con)
    return dict(zip(found["rule_id"], found["reason"], strict=True))


def show_limits(worklist: Worklist, rule: Rule) -> None:
    """That the rule reads a table which the practice never delivers, or that begins too late."""
    short = _in_part(worklist).get(rule.rule_id)
    if short is not None:
        st.info(
            f"Answered in part: {escape_markdown(short)}. Nothing opens, changes or closes for "
            "them until the data reach back far enough.",
            icon=":material/history_toggle_off:",
        )
    why = _not_connected(worklist).get(rule.rule_id)
    if why is not None:
        st.info(
            f"{escape_markdown(why.capitalize())}. The settings say that the practice never "
            "delivers this, so the rule asks for nothing. Its tasks stay as they were until a "
            "person completes them.",
            icon=":material/link_off:",
        )


def _is_changed(rule: Rule) -> bool:
    rules = workspace.rules()
    written = rules.written.rules[rule.rule_id]
    return (rule.params, rule.due_days) != (written.params, written.due_days) or bool(
        rules.applied.payers.get(rule.rule_id)
    )


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def show_words(rule: Rule) -> None:
    """Purpose, steps, what clears it, and further facts."""
    st.text(rule.purpose)
    if rule.rule_id in workspace.rules().applied.disabled:
        st.warning(
            "The practice has switched this rule off: it asks for nothing, and its tasks stay as "
            "they were.",
            icon=":material/toggle_off:",
        )
    steps, facts = st.columns(2)
    with steps:
        st.markdown("**How to resolve**")
        st.markdown(
            "\n".join(
                f"{number}. {escape_markdown(step)}"
                for number, step in enumerate(rule.resolve, start=1)
            )
        )
    with facts:
        st.markdown("**Details**")
        st.markdown(
            "\n".join(
                f"- **{label}:** {escape_markdown(text)}" for label, text in _facts(rule).items()
            )
        )


def _facts(rule: Rule) -> dict[str, str]:
    why = docs.reasons(rule)
    facts = {
        "Clears by itself" if rule.clears == "auto" else "Is cleared by a person": rule.clears_when,
        "By hand": "allowed"
        if rule.manual == "allowed"
        else "an override, which asks for a reason",
        "Discharge": ("ends it" if rule.ends_at_discharge else "does not end it")
        + _because(why.get("ends_at_discharge")),
        "Overdue after": _days(rule.due_days) + _because(why.get("due_days")),
    }
    if rule.converts_to:
        facts["Becomes"] = ", ".join(
            workspace.rules().applied.rules[target].title for target in rule.converts_to
        )
    if rule.patients != Rule.patients:
        facts["Opens for"] = f"patients who are {' or '.join(rule.patients)}"
    if rule.period:
        facts["Period"] = f"one that a person completed may return the next {rule.period}"
    facts["Links to"] = ", ".join(links.PLACES[place][0] for place in rule.links)
    facts["About"] = f"one record of {_words(rule.subject_table)}"
    if rule.looks_back:
        facts["Looks back at"] = ", ".join(map(_words, rule.looks_back)) + _because(
            why.get("looks_back")
        )
    facts["Reads"] = ", ".join(map(_words, rule.reads))
    facts["Source"] = rule.source
    return facts


def _words(table: str) -> str:
    return table.replace("_", " ")


def _because(reason: str | None) -> str:
    return f" ({reason})" if reason else ""


def show_parameters(worklist: Worklist, rule: Rule) -> None:
    """Every parameter with its reason, and what the practice has set, also for single payers."""
    rows = parameters(rule, labels.payers(worklist))
    original, why = (IN_FILE, "Why") if rule.is_own else (AS_SHIPPED, "Why it is shipped so")
    st.dataframe(
        rows,
        hide_index=True,
        row_height=36,
        placeholder="",
        alt=f"{len(rows)} parameters with their values, who set them and why they were chosen",
        column_config={
            "parameter": st.column_config.TextColumn("Parameter", width=140),
            "payer": st.column_config.TextColumn("For", width=130),
            "value": st.column_config.TextColumn("Value", width=80),
            "shipped": st.column_config.TextColumn(original, width=90),
            "set_by": st.column_config.MultiselectColumn(
                "Set by", options=[BY_PRACTICE, original], color=["#FEDF89", "#E4E7EC"], width=110
            ),
            "why": st.column_config.TextColumn(why, width=420),
        },
    )
    st.text("Whoever looks after the workbench can set these for your practice, also by payer.")


def parameters(rule: Rule, payers: Mapping[str, str]) -> pd.DataFrame:
    """One row per parameter, and one more for each payer with a value of its own.

    Columns: parameter, payer, value, shipped, set_by (a list of one) and why.
    """
    rules, why = workspace.rules(), docs.reasons(rule)
    written = rules.written.rules[rule.rule_id]
    from_file = IN_FILE if rule.is_own else AS_SHIPPED
    rows: list[tuple[str, str, Param, Param]] = [
        ("due_days", EVERYBODY, rule.due_days, written.due_days)
    ]
    for name, value in rule.params.items():
        rows.append((name, EVERYBODY, value, written.params[name]))
        for payer_id, of_payer in rules.applied.payers.get(rule.rule_id, {}).items():
            if name in of_payer:
                rows.append(
                    (name, payers.get(payer_id, payer_id), of_payer[name], written.params[name])
                )
    return pd.DataFrame(
        [
            {
                "parameter": name,
                "payer": payer,
                "value": docs.written(value),
                "shipped": docs.written(original),
                "set_by": [from_file if value == original and payer == EVERYBODY else BY_PRACTICE],
                "why": why.get(name, ""),
            }
            for name, payer, value, original in rows
        ]
    )
