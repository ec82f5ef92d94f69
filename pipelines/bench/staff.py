"""A user of the app's benchmark: clicks in a tab, and what the page reports about actions."""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from dataclasses import dataclass, field

import pyarrow as pa
from streamlit.proto.Common_pb2 import StringArray, StringTriggerValue
from streamlit.proto.WidgetStates_pb2 import WidgetState

from pipelines.bench.browser_tab import Drawn, Tab

# How often each is done, of all that is begun; the clicks that belong to it follow.
HABITS = {
    "filter": 34,
    "complete": 16,
    "turn": 12,
    "note": 9,
    "sort": 8,
    "defer": 7,
    "back": 6,
    "status": 4,
    "dashboard": 4,
}
FACETS = ("facility", "category", "type", "payer", "staff", "age")
MOST_TICKED = 5
RUNNING_DOWN = 0.25  # of the usual time to think, between two ticks of one batch
UNDOES = 0.25  # of completions and deferrals are taken back at once
EMPTIES = 0.6  # of visits to a filter that is set empty it, or soon nothing would match
REMEMBERED = 10  # addresses to go back to
_SAID = re.compile(r":material/check_circle: \*\*(?P<said>.*): (?P<what>.*)\*\*", re.DOTALL)
_COUNT = re.compile(r"([\d,]+) tasks")


@dataclass(frozen=True)
class Row:
    """A task as the list shows it, which does not show its id."""

    title: str
    patient: str
    reason: str
    since: str


@dataclass(frozen=True)
class Told:
    """One action on rows of the list: how many the page reports done, and the rows refused."""

    action: str
    rows: tuple[Row, ...]
    done: int
    refused: tuple[Row, ...]


@dataclass
class Worker:
    """Somebody at a tab."""

    tab: Tab
    dice: random.Random
    think_seconds: float
    name: str = ""
    told: list[Told] = field(default_factory=list)
    been: list[str] = field(default_factory=list)

    async def come_in(self, place: int, path: str = "/tasks", query: str = "") -> None:
        """Open the workbench as the person at this place among staff with unique names."""
        await self.tab.open(path, query)
        box = self.tab.find("selectbox", "-identity.chosen")
        if box is None:
            raise RuntimeError(
                "the workbench does not ask who is there: the benchmark needs it without sign-in"
            )
        alone = [label for label in box.body.options if not label.endswith(")")]
        self.name = alone[place % len(alone)]
        await self.tab.rerun("say who", WidgetState(id=box.body.id, string_value=self.name))
        await self._press(
            "start", next(found for found in self.tab.all("button") if found.body.label == "Start")
        )

    async def work(self, until: float) -> None:
        """Think and click until this value of time.perf_counter; finish what was started."""
        while time.perf_counter() < until:
            await self.think()
            habit = self.dice.choices(list(HABITS), list(HABITS.values()))[0]
            await self.do(habit)
            self.been = [*self.been, self.tab.query][-REMEMBERED:]

    async def do(self, habit: str) -> None:
        """Do one of HABITS."""
        await getattr(self, f"_{habit}")()

    async def think(self, share: float = 1) -> None:
        """Nothing for a while."""
        if self.think_seconds:
            await asyncio.sleep(self.dice.expovariate(1 / (self.think_seconds * share)))

    async def choose_filter(self, name: str, labels: list[str], kind: str = "filter") -> None:
        """Set a filter to these values."""
        box = self.tab.find("multiselect", f"-tasks.{name}")
        if box is not None:
            await self.tab.rerun(
                kind, WidgetState(id=box.body.id, string_array_value=StringArray(data=labels))
            )

    async def choose_sort(self, label: str, kind: str = "sort") -> None:
        """Order the list."""
        box = self.tab.find("selectbox", "-tasks.sort")
        if box is not None:
            await self.tab.rerun(kind, WidgetState(id=box.body.id, string_value=label))

    async def tick(self, row: Row | None = None) -> Row | None:
        """Tick one more row, or the given one; None when no row is left."""
        grid, rows = self._grid()
        ticked = self._ticked(grid) if grid is not None else []
        free = [place for place in range(len(rows)) if place not in ticked]
        if grid is None or not free:
            return None
        place = self.dice.choice(free) if row is None else rows.index(row)
        selection = {"selection": {"rows": [*ticked, place], "columns": [], "cells": []}}
        await self.tab.rerun(
            "tick", WidgetState(id=grid.body.id, string_value=json.dumps(selection))
        )
        return rows[place]

    async def _filter(self) -> None:
        name = self.dice.choice(FACETS)
        box = self.tab.find("multiselect", f"-tasks.{name}")
        clear = self.tab.find("button", "-tasks.clear")
        if not self._grid()[1] and clear is not None and not clear.body.disabled:
            await self._press("filter", clear)
        elif box is not None:
            chosen = self.tab.chosen(box)
            others = [label for label in box.body.options if label not in chosen]
            is_emptied = bool(chosen) and self.dice.random() < EMPTIES
            if is_emptied or others:
                await self.choose_filter(
                    name, [] if is_emptied else [*chosen, self.dice.choice(others)]
                )

    async def _status(self) -> None:
        await self._segment(
            "status", "-tasks.status", ("Pending", "Pending", "Overdue", "All open")
        )

    async def _sort(self) -> None:
        box = self.tab.find("selectbox", "-tasks.sort")
        if box is not None:
            await self.choose_sort(self.dice.choice(box.body.options))

    async def _turn(self) -> None:
        pages = next(self.tab.all("pagination"), None)
        if pages is not None:
            page = self.dice.randint(1, min(pages.body.num_pages, 5))
            await self.tab.rerun("turn page", WidgetState(id=pages.body.id, int_value=page))

    async def _back(self) -> None:
        """Go to an earlier address, as with the Back button or a bookmark."""
        if self.been:
            await self.tab.rerun("go back", query=self.dice.choice(self.been))

    async def _dashboard(self) -> None:
        await self.tab.rerun("dashboard", page="/", query="")
        await self.think()
        await self.tab.rerun("back to tasks", page="/tasks", query="")

    async def _complete(self) -> None:
        await self._act_on_ticked("complete", "-tasks.complete")

    async def _defer(self) -> None:
        await self._act_on_ticked("defer", "-tasks.defer")

    async def _act_on_ticked(self, action: str, key: str) -> None:
        for _ in range(self.dice.randint(1, MOST_TICKED)):
            await self.tick()
            await self.think(RUNNING_DOWN)
        await self.act_on_ticked(action, key)

    async def act_on_ticked(self, action: str, key: str) -> None:
        """Press the action's button, confirm, and perhaps take it back."""
        rows = self._ticked_rows()
        button = self.tab.find("button", key)
        if not rows or button is None or button.body.disabled:
            return
        await self._press("ask", button)
        await self.think()
        reason = self.tab.find("text_area", "-confirm.reason")
        if reason is not None:
            await self.tab.rerun(
                "write reason",
                WidgetState(id=reason.body.id, string_value="Done by phone"),
                fragment=reason.fragment,
            )
        go = self.tab.find("button", "-confirm.go")
        if go is None:
            self.tab.errors.append(f"no confirmation to {action}")
            return
        await self._press("confirm", go)
        told = self.listen(action, rows)
        if told is not None and told.done and self.dice.random() < UNDOES:
            await self.think()
            await self._undo(told)

    async def _undo(self, before: Told) -> None:
        undo = self.tab.find("button", "-actions.undo")
        if undo is not None:
            await self._press("undo", undo)
            self.listen("reopen" if before.action == "complete" else "return", before.rows, before)

    async def _note(self) -> None:
        """Open a task's panel, write a note, put the panel away."""
        grid, rows = self._grid()
        if grid is None or not rows:
            return
        place = self.dice.randrange(len(rows))
        click = json.dumps({"row": place, "label": "Open"})
        await self.tab.rerun(
            "open panel",
            WidgetState(
                id=grid.body.button_click_widgets["open"],
                string_trigger_value=StringTriggerValue(data=click),
            ),
        )
        await self.think()
        note = next(
            (found for found in self.tab.all("text_input") if "-panel.note." in found.body.id), None
        )
        if note is None:
            self.tab.errors.append("no panel to write a note in")
        else:
            await self.tab.rerun(
                "note",
                WidgetState(id=note.body.id, string_value="Called, left a message"),
                fragment=note.fragment,
            )
            self.listen("note", (rows[place],))
            await self.think()
        dialog = next(self.tab.all("dialog"), None)
        if dialog is not None:
            await self.tab.rerun(
                "close panel",
                WidgetState(id=dialog.body.id, trigger_value=True),
                fragment=dialog.fragment,
            )

    async def _press(self, kind: str, button: Drawn) -> None:
        await self.tab.rerun(
            kind, WidgetState(id=button.body.id, trigger_value=True), fragment=button.fragment
        )

    async def _segment(self, kind: str, key: str, labels: tuple[str, ...]) -> None:
        box = self.tab.find("button_group", key)
        if box is not None:
            await self.tab.rerun(
                kind,
                WidgetState(
                    id=box.body.id,
                    string_array_value=StringArray(data=[self.dice.choice(labels)]),
                ),
            )

    def rows(self) -> list[Row]:
        """The rows of the list that is shown."""
        return self._grid()[1]

    def _grid(self) -> tuple[Drawn | None, list[Row]]:
        """The list and its rows; none while it is empty."""
        grid = next(
            (found for found in self.tab.all("dataframe") if found.body.button_click_widgets), None
        )
        return grid, rows_of(grid) if grid is not None else []

    def _ticked(self, grid: Drawn) -> list[int]:
        """The ticked rows: as the tab has ticked them, else as the server has."""
        return (
            json.loads(self.tab.text_of(grid) or grid.body.selection_default or "{}")
            .get("selection", {})
            .get("rows", [])
        )

    def _ticked_rows(self) -> tuple[Row, ...]:
        grid, rows = self._grid()
        return tuple(rows[place] for place in self._ticked(grid)) if grid is not None else ()

    def listen(self, action: str, rows: tuple[Row, ...], undone: Told | None = None) -> Told | None:
        """What the page reports about the last action; None when the server is gone."""
        if self.tab.has_ended:
            return None
        close = self.tab.find("button", "-actions.close")
        if close is None:
            self.tab.errors.append(f"the page says nothing of what became of: {action}")
            return None
        said = [
            match
            for found in self.tab.near(close, "markdown")
            if (match := _SAID.fullmatch(found.body.body))
        ]
        refused = [found.body.body.replace("\\", "") for found in self.tab.near(close, "alert")]
        count = _COUNT.fullmatch(said[0]["what"].replace("\\", "")) if said else None
        done = int(count[1].replace(",", "")) if count else len(said)
        asked = len(rows) - len(undone.refused) if undone else len(rows)
        if done + len(refused) != asked:
            self.tab.errors.append(
                f"{action}: of {asked} tasks the page reports {done} done, {len(refused)} refused"
            )
        named = tuple(
            row for row in rows if any(f"“{row.title}” for {row.patient}" in why for why in refused)
        )
        told = Told(action, rows, done, (*named, *(undone.refused if undone else ())))
        self.told.append(told)
        return told


def rows_of(grid: Drawn) -> list[Row]:
    """The rows of a list."""
    table = pa.ipc.open_stream(grid.body.arrow_data.data).read_all()
    columns = (table.column(name).to_pylist() for name in ("task", "patient", "reason", "since"))
    return [
        Row(task, patient, reason, str(since)[:10])
        for task, patient, reason, since in zip(*columns, strict=True)
    ]
