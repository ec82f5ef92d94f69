"""One browser tab as the server sees it: Streamlit's WebSocket protocol with cache and timers.

Like Streamlit's page, it sends every widget's value with each rerun, keeps large messages and lists
their hashes, drops elements that a run did not draw again, and reruns fragments by timers.
"""

from __future__ import annotations

import asyncio
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin, Subprotocol

WAITS = 60  # seconds for an answer; one that takes longer counts as none
# Reruns for which the page keeps a large message: Streamlit's global.maxCachedMessageAge.
KEPT_RUNS = 2
MOST_BYTES = 100_000_000  # of one message
TRIGGERS = {"trigger_value", "string_trigger_value"}
# session_event: the script was stopped or does not compile.
UNEXPECTED = {"auth_redirect", "page_not_found", "session_event"}
ERROR = 1  # Alert.Format
DONE, EARLY, FRAGMENT_DONE = (
    ForwardMsg.FINISHED_SUCCESSFULLY,
    ForwardMsg.FINISHED_EARLY_FOR_RERUN,
    ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
)


@dataclass(frozen=True)
class Rerun:
    """One rerun: its cause, the seconds to the end of the script, and what the server sent."""

    kind: str
    seconds: float
    bytes: int
    messages: int


@dataclass
class Drawn:
    """An element or block of the page, the run that drew it last, and its fragment."""

    message: Any
    kind: str
    run: str
    fragment: str

    @property
    def body(self) -> Any:
        """The part of the message that is about this kind of element."""
        return getattr(self.message, self.kind)


@dataclass
class Tab:
    """A tab at `origin` in the browser with this cookie."""

    origin: str
    cookie: str
    path: str = "/"
    query: str = ""
    page: str = ""
    pages: dict[str, str] = field(default_factory=dict)
    drawn: dict[tuple[int, ...], Drawn] = field(default_factory=dict)
    reruns: list[Rerun] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    bytes: int = 0
    messages: int = 0
    _states: dict[str, WidgetState] = field(default_factory=dict)
    _kept: dict[str, tuple[ForwardMsg, int]] = field(default_factory=dict)
    _runs: int = 0
    _run: tuple[str, tuple[str, ...]] = ("", ())
    _finished: asyncio.Queue = field(default_factory=asyncio.Queue)
    _timers: dict[str, asyncio.Task] = field(default_factory=dict)
    _asked: dict[str, float] = field(default_factory=dict)
    _socket: ClientConnection | None = None
    _reader: asyncio.Task | None = None
    _is_leaving: bool = False

    async def open(self, path: str, query: str = "") -> None:
        """Open a page and wait until it is drawn."""
        self.path, self.query = path, query
        headers = {"Cookie": self.cookie}
        self._socket = await connect(
            f"{self.origin.replace('http', 'ws', 1)}/_stcore/stream",
            origin=Origin(self.origin),
            subprotocols=[Subprotocol("streamlit"), Subprotocol("PLACEHOLDER_AUTH_TOKEN")],
            additional_headers=headers,
            max_size=MOST_BYTES,
        )
        self._reader = asyncio.create_task(self._read(self._socket))
        await self.rerun("open")

    async def close(self) -> None:
        """Leave the page."""
        self._is_leaving = True
        self._stop_timers()
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            await self._reader

    async def rerun(
        self,
        kind: str,
        *states: WidgetState,
        fragment: str = "",
        query: str | None = None,
        page: str | None = None,
    ) -> float:
        """Send the changed widgets, wait until all scripts have run; the seconds that took."""
        for state in states:
            if state.WhichOneof("value") not in TRIGGERS:
                self._states[state.id] = state
        if query is not None:
            self.query = query
        if page is not None:
            self.path = page
        while not self._finished.empty():
            self._finished.get_nowait()
        before = self.bytes, self.messages
        started = time.perf_counter()
        await self._send(states, fragment, page)
        try:
            await asyncio.wait_for(self._until_finished(fragment), WAITS)
        except TimeoutError:
            self.errors.append(f"{kind}: no answer within {WAITS} s")
        seconds = time.perf_counter() - started
        self.reruns.append(Rerun(kind, seconds, self.bytes - before[0], self.messages - before[1]))
        return seconds

    @property
    def has_ended(self) -> bool:
        """The connection is gone: what is drawn is what the server said before."""
        return self._reader is not None and self._reader.done()

    def find(self, kind: str, key: str = "") -> Drawn | None:
        """The first element of a kind whose widget key ends so."""
        return next(self.all(kind, key), None)

    def all(self, kind: str, key: str = "") -> Iterator[Drawn]:
        """The elements of a kind, in the order of the page; of one widget key where it is given."""
        for path in sorted(self.drawn):
            found = self.drawn[path]
            if found.kind == kind and (not key or found.body.id.endswith(key)):
                yield found

    def near(self, target: Drawn, kind: str) -> Iterator[Drawn]:
        """The elements of a kind in the same container as another."""
        (home,) = (path[:-1] for path, found in self.drawn.items() if found is target)
        yield from (
            found
            for path, found in sorted(self.drawn.items())
            if path[:-1] == home and found.kind == kind
        )

    def chosen(self, target: Drawn) -> list[str]:
        """What a multiselect or segmented control shows as chosen."""
        state = self._states.get(target.body.id)
        return list(state.string_array_value.data) if state is not None else []

    def text_of(self, target: Drawn) -> str:
        """The text that is the value of a widget, empty for one nobody touched."""
        state = self._states.get(target.body.id)
        return state.string_value if state is not None else ""

    async def _until_finished(self, fragment: str) -> None:
        """Wait for a fragment, which may rerun the whole page, or be run again after a timer."""
        is_page_due = not fragment
        while True:
            status, fragments = await self._finished.get()
            if status is None or (fragment and fragment in fragments and status == FRAGMENT_DONE):
                return
            if status == EARLY and fragment in fragments:
                is_page_due = True
            if is_page_due and not fragments and status not in (EARLY, FRAGMENT_DONE):
                return

    async def _send(
        self,
        states: Sequence[WidgetState],
        fragment: str,
        page: str | None,
        *,
        is_timed: bool = False,
    ) -> None:
        message = BackMsg()
        rerun = message.rerun_script
        rerun.query_string = self.query
        if page is not None and page in self.pages:
            rerun.page_script_hash = self.pages[page]
        elif self.page:
            rerun.page_script_hash = self.page
        else:
            rerun.page_name = self.path.strip("/")
        rerun.fragment_id, rerun.is_auto_rerun = fragment, is_timed
        rerun.cached_message_hashes.extend(self._kept)
        rerun.widget_states.widgets.extend(self._states.values())
        rerun.widget_states.widgets.extend(
            state for state in states if state.WhichOneof("value") in TRIGGERS
        )
        rerun.context_info.url, rerun.context_info.timezone, rerun.context_info.locale = (
            self.origin + self.path,
            "America/New_York",
            "en-US",
        )
        if self._socket is not None:
            await self._socket.send(message.SerializeToString())

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for data in socket:
                self.bytes += len(data)
                self.messages += 1
                self._take(ForwardMsg.FromString(data))
        except ConnectionClosed as error:
            if not self._is_leaving:
                self.errors.append(
                    f"disconnected: {error.rcvd.code if error.rcvd else 'no reason given'}"
                )
        if not self._is_leaving:
            self.errors.append("the connection ended")
        self._stop_timers()
        self._finished.put_nowait((None, ()))

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind in ("delta", "ref_hash"):
            self._draw(message)
        elif kind == "new_session":
            run = message.metadata.run
            self._run = run.script_run_id, tuple(run.fragment_ids)
            if not run.fragment_ids:
                self._stop_timers()
                self.page = message.new_session.page_script_hash
        elif kind == "script_finished":
            self._finish(message.script_finished, tuple(message.metadata.run.fragment_ids))
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "navigation":
            self.pages = {
                f"/{page.url_pathname}": page.page_script_hash
                for page in message.navigation.app_pages
            }
            self.page = message.navigation.page_script_hash
        elif kind == "auto_rerun":
            self._start_timer(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self._stop_timer(fragment)
        elif kind in UNEXPECTED:
            self.errors.append(kind)

    def _draw(self, message: ForwardMsg) -> None:
        path = tuple(message.metadata.delta_path)
        if message.WhichOneof("type") == "ref_hash":
            if message.ref_hash not in self._kept:
                self.errors.append("a message the tab does not have")
                return
            message = self._kept[message.ref_hash][0]
            self._kept[message.hash] = message, self._runs
        elif message.metadata.cacheable:
            self._kept[message.hash] = message, self._runs
        delta = message.delta
        if delta.WhichOneof("type") == "new_element":
            element = delta.new_element
            kind = element.WhichOneof("type") or "empty"
            self.drawn[path] = Drawn(element, kind, self._run[0], delta.fragment_id)
            if kind == "exception" or (kind == "alert" and element.alert.format == ERROR):
                text = element.exception.message if kind == "exception" else element.alert.body
                self.errors.append(f"the page shows: {text}")
            self._keep_state(element, kind)
        elif delta.WhichOneof("type") == "add_block":
            self.drawn[path] = Drawn(
                delta.add_block,
                delta.add_block.WhichOneof("type") or "transparent",
                self._run[0],
                delta.fragment_id,
            )

    def _keep_state(self, element: Any, kind: str) -> None:
        """Keep a widget's value: what the server set, or the default of a new widget."""
        body = getattr(element, kind)
        identity = getattr(body, "id", "")
        if not identity or kind in ("button", "download_button", "menu_button", "dataframe"):
            return
        if getattr(body, "set_value", False) or identity not in self._states:
            state = value_of(body, kind)
            if state is not None:
                self._states[identity] = state

    def _finish(self, status: int, fragments: tuple[str, ...]) -> None:
        if status in (DONE, FRAGMENT_DONE):
            run = self._run[0]
            self.drawn = {
                path: found
                for path, found in self.drawn.items()
                if found.run == run or (fragments and found.fragment not in fragments)
            }
            shown = {found.body.id for found in self.drawn.values() if hasattr(found.body, "id")}
            self._states = {
                identity: state for identity, state in self._states.items() if identity in shown
            }
            self._runs += 1
            self._kept = {
                hash_: (message, run)
                for hash_, (message, run) in self._kept.items()
                if (fragments and message.delta.fragment_id not in fragments)
                or self._runs - run <= KEPT_RUNS
            }
        elif status != EARLY:
            self.errors.append(f"the script ended with status {status}")
        for fragment in fragments:
            if (asked := self._asked.pop(fragment, None)) is not None and status == FRAGMENT_DONE:
                self.reruns.append(Rerun("timer", time.perf_counter() - asked, 0, 0))
        self._finished.put_nowait((status, fragments))

    def _start_timer(self, fragment: str, interval: float) -> None:
        async def ask() -> None:
            while True:
                await asyncio.sleep(interval)
                self._asked[fragment] = time.perf_counter()
                try:
                    await self._send((), fragment, None, is_timed=True)
                except ConnectionClosed:
                    return  # the reader says so

        if fragment not in self._timers:
            self._timers[fragment] = asyncio.create_task(ask())

    def _stop_timer(self, fragment: str) -> None:
        if (timer := self._timers.pop(fragment, None)) is not None:
            timer.cancel()

    def _stop_timers(self) -> None:
        for fragment in list(self._timers):
            self._stop_timer(fragment)
        self._asked.clear()


def new_browser(origin: str) -> str:
    """The Cookie header of a browser that has opened the workbench for the first time."""
    with urllib.request.urlopen(f"{origin}/", timeout=30) as answer:
        cookies = answer.headers.get_all("set-cookie") or []
    return "; ".join(cookie.split(";", 1)[0] for cookie in cookies)


def value_of(body: Any, kind: str) -> WidgetState | None:
    """The value that a widget's message gives it."""
    state = WidgetState(id=body.id)
    if kind in ("multiselect", "button_group"):
        options = (
            [option.content for option in body.options] if kind == "button_group" else body.options
        )
        state.string_array_value.data.extend(
            body.raw_values if body.set_value else [options[place] for place in body.default]
        )
    elif kind in ("selectbox", "radio"):
        text = (
            body.raw_value
            if body.set_value
            else body.options[body.default]
            if body.HasField("default")
            else None
        )
        if text is None:
            return None
        state.string_value = text
    elif kind in ("text_input", "text_area"):
        state.string_value = body.value if body.set_value else body.default
    elif kind == "checkbox":
        state.bool_value = body.value if body.set_value else body.default
    elif kind == "pagination":
        state.int_value = body.value if body.set_value else body.default
    else:
        return None
    return state
