"""The backtest of a rule: the form of its parameters, and how far the one that is going on has come."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from app_pages.rules import backtest_job, backtest_result
from app_pages.rules.backtest_job import BacktestJob
from app_pages.session import workspace
from app_pages.session.markdown import escape_markdown
from app_pages.sign_in import identity
from app_pages.url import view
from pipelines.errors import UserError
from pipelines.rules import docs
from pipelines.rules.model import Rule
from pipelines.worklist.worklist import Worklist

PROBLEM = "backtest.problem"
USUAL_FOLDERS = 14
MOST, LONGEST = 999_999, 80  # of a parameter: a number, and the characters of a text


def show(worklist: Worklist, rule: Rule) -> None:
    """The form, or why there is none, and the session's last backtest of this rule."""
    folders = backtest_job.folders()
    if worklist.state.facility_ids is not None:
        st.info(
            "A backtest reads the extracts of all facilities: it is for those who see them all.",
            icon=":material/lock:",
        )
        return
    if not rule.params:
        st.info("This rule has no parameter to change.", icon=":material/tune:")
        return
    if not folders:
        st.info(escape_markdown(backtest_job.why_no_folders()), icon=":material/folder_off:")
        return
    st.text(
        "Change a parameter and see what the rule would have asked for in past extracts, before anybody turns it on. "
        "Nothing of the practice's own list is touched, and everybody can go on working."
    )
    _show_form(rule, len(folders))
    if problem := st.session_state.pop(PROBLEM, None):
        st.error(escape_markdown(problem), icon=":material/error:")
    mine: BacktestJob | None = st.session_state.get(_key(rule))
    going = backtest_job.backtests().going
    if going is not None:
        _show_progress(going, going is mine)
    if mine is not None and mine.is_over and mine.failed:
        st.error(
            f"The backtest came to no result. {escape_markdown(mine.failed)}",
            icon=":material/error:",
        )
    elif mine is not None and mine.found is not None:
        backtest_result.show(worklist, mine, mine.found)


def _key(rule: Rule) -> str:
    return f"backtest.of.{rule.rule_id}"


def _show_form(rule: Rule, folders: int) -> None:
    why = docs.reasons(rule)
    with st.form(f"backtest.{rule.rule_id}"):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            for name, value in rule.params.items():
                _show_field(rule, name, value, escape_markdown(why.get(name, "")) or None)
            st.number_input(
                "Newest extracts to replay",
                min_value=1,
                max_value=folders,
                value=min(folders, USUAL_FOLDERS),
                key=f"backtest.{rule.rule_id}/folders",
                width=190,
                help="Each is replayed twice, with the parameters as they are and as changed",
            )
        st.form_submit_button(
            "Run backtest",
            icon=":material/science:",
            type="primary",
            key=f"backtest.{rule.rule_id}/go",
            disabled=backtest_job.backtests().going is not None,
            on_click=view.touch(_starter(rule)),
        )


def _show_field(rule: Rule, name: str, value: object, why: str | None) -> None:
    label, key = name.replace("_", " ").capitalize(), f"backtest.{rule.rule_id}/{name}"
    if isinstance(value, bool):
        st.checkbox(label, value=value, key=key, help=why)
    elif isinstance(value, int):
        st.number_input(
            label, min_value=0, max_value=MOST, value=value, step=1, key=key, help=why, width=170
        )
    elif isinstance(value, float):
        st.number_input(
            label,
            min_value=0.0,
            max_value=float(MOST),
            value=value,
            step=1.0,
            format="%.2f",
            key=key,
            help=why,
            width=170,
        )
    else:
        st.text_input(label, value=str(value), max_chars=LONGEST, key=key, help=why, width=170)


def _starter(rule: Rule) -> Callable[[], None]:
    def start() -> None:
        entered = {
            name: st.session_state[f"backtest.{rule.rule_id}/{name}"] for name in rule.params
        }
        changes = {name: value for name, value in entered.items() if value != rule.params[name]}
        newest = backtest_job.folders()[
            -int(st.session_state[f"backtest.{rule.rule_id}/folders"]) :
        ]
        try:
            if not changes:
                raise UserError("Change a parameter first: this is how the rule is now.")
            wanted = BacktestJob(
                workspace.person().name, rule.rule_id, dict(rule.params), changes, newest
            )
            backtest_job.backtests().start(wanted)
            st.session_state[_key(rule)] = wanted
        except UserError as error:
            st.session_state[PROBLEM] = str(error)

    return start


def _show_progress(going: BacktestJob, is_mine: bool) -> None:
    @st.fragment(run_every=0.7)
    def progress() -> None:
        if going.is_over:
            identity.rerun_unattended()
        st.progress(
            going.share,
            text=f"{escape_markdown(going.doing)} (started by {escape_markdown(going.by)})",
        )

    progress()
    if is_mine:
        st.button(
            "Stop",
            key="backtest.stop",
            icon=":material/stop_circle:",
            on_click=view.touch(going.stop),
        )
