"""The backtest of a rule: the form of its parameters, its progress, and its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import streamlit as st

from app_pages.components import job_progress
from app_pages.rules import backtest_result
from app_pages.session import workspace
from app_pages.session.markdown import escape_markdown
from app_pages.url import view
from pipelines.analytics import backtest
from pipelines.analytics.backtest import Comparison
from pipelines.errors import UserError
from pipelines.extracts import folder as extracts_folder
from pipelines.operations.jobs import Job, JobSlot
from pipelines.rules import docs
from pipelines.rules.model import Param, Params, Rule
from pipelines.settings import Settings
from pipelines.worklist.worklist import Worklist

PROBLEM = "backtest.problem"
USUAL_FOLDERS = 14
MOST, LONGEST = 999_999, 80  # of a parameter: a number, and the characters of a text
NO_FOLDERS = (
    "There are no past extracts to replay. Ask whoever looks after the workbench to keep each "
    "day's extracts (README, “Your own data”)."
)


def show(worklist: Worklist, rule: Rule) -> None:
    """The form, or why there is none, and the session's last backtest of this rule."""
    if worklist.state.facility_ids is not None:
        st.info(
            "A backtest reads the extracts of all facilities: it is for those who see them all.",
            icon=":material/lock:",
        )
        return
    if not rule.params:
        st.info("This rule has no parameter to change.", icon=":material/tune:")
        return
    folders = _folders()
    if not folders:
        st.info(NO_FOLDERS, icon=":material/folder_off:")
        return
    st.text(
        "Change a parameter and see what the rule would have asked for in past extracts, before "
        "anybody turns it on. The practice's own list is not touched, and everybody can go on "
        "working."
    )
    _show_form(rule, len(folders))
    if problem := st.session_state.pop(PROBLEM, None):
        st.error(escape_markdown(problem), icon=":material/error:")
    mine: Job[Comparison] | None = st.session_state.get(_key(rule))
    going = backtest_jobs().going
    if going is not None:
        job_progress.show(going)
        if going is mine:
            st.button(
                "Stop",
                key="backtest.stop",
                icon=":material/stop_circle:",
                on_click=view.touch(going.stop),
            )
    if mine is not None and mine.failed:
        st.error(
            f"The backtest came to no result. {escape_markdown(mine.failed)}",
            icon=":material/error:",
        )
    elif mine is not None and mine.result is not None:
        backtest_result.show(worklist, mine.result)


@st.cache_resource(show_spinner=False)
def backtest_jobs() -> JobSlot[Comparison]:
    """This server's backtests."""
    return JobSlot()


def _folders() -> tuple[Path, ...]:
    """The dated folders of past extracts at hand, in order."""
    place = workspace.workspace()
    root = place.settings.data / "inbox" if place.is_demo else place.settings.extracts
    if root is None or not root.is_dir():
        return ()
    return tuple(extracts_folder.dated_folders(root))


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
            disabled=backtest_jobs().going is not None,
            on_click=view.touch(_starter(rule)),
        )


def _show_field(rule: Rule, name: str, value: Param, why: str | None) -> None:
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
        newest = _folders()[-int(st.session_state[f"backtest.{rule.rule_id}/folders"]) :]
        try:
            if not changes:
                raise UserError("Change a parameter first: this is how the rule is now.")
            settings = workspace.workspace().settings
            work = partial(_backtest, settings, rule.rule_id, changes, newest)
            mine = Job(workspace.person().name, work)
            going = backtest_jobs().start(mine)
            if going is not mine:
                raise UserError(
                    f"A backtest that {going.by} started is going on. Start yours when it is over."
                )
            st.session_state[_key(rule)] = mine
        except UserError as error:
            st.session_state[PROBLEM] = str(error)

    return start


def _backtest(
    settings: Settings,
    rule_id: str,
    changes: Params,
    folders: Sequence[Path],
    job: Job[Comparison],
) -> Comparison:
    moments = [(folder, extracts_folder.moment_of(folder)) for folder in folders]
    return job.call(partial(backtest.backtest, settings, rule_id, changes, moments))
