"""A carrier to try everything against: what becomes of a segment follows from the number's last four digits.

It behaves like another party: what it took is in its journal, outside the database, and survives the death of
the process; a receipt comes again until it was acknowledged.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from pydantic import Field

from gateway import clock
from gateway.carriers import base
from gateway.carriers.base import (
    InDoubt,
    Outcome,
    Outgoing,
    Owner,
    Receipt,
    Retry,
    Submitted,
    Unsent,
)
from gateway.carriers.journal import Entry, Journal
from gateway.carriers.rules import AGAIN, OTHERS, RULES, rule
from gateway.storage.errors import Unavailable
from gateway.storage.records import Carrier as Record

KIND = "simulator"
SECRETS: frozenset[str] = frozenset()
PRETENDS = True

_BATCH = 1000  # receipts handed over at once
_PATIENCE = 0.5  # seconds until receipts that could not be stored are offered again
_STOPPING = 5.0  # seconds to wait for answers when it stops
_GRID = 100_000  # microseconds by which receipts due after a restart are gathered


class SimulatorOptions(base.Options):
    """Options of a simulated carrier."""

    latency: float = Field(0.0, ge=0, le=60, description="Seconds until it answers.")
    journal: Literal["bounded", "keep"] = Field(
        "bounded", description="Whether its journal is cut to what is still due, or keeps all it ever took."
    )


OPTIONS = SimulatorOptions


class Simulator:
    """See `base.Carrier`."""

    def __init__(self, name: str, options: SimulatorOptions, folder: Path) -> None:
        self.window = options.window
        self.ready = True
        self._name = name
        self._latency = options.latency
        self._journal = Journal(folder / f"simulator-{quote(name, safe='')}.journal", keep=options.journal == "keep")
        # Never the same again after a restart: nothing takes a million segments a second.
        self._last = clock.now()
        self._due: list[Entry] = []
        self._any_due = asyncio.Event()
        self._reported: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: set[asyncio.TimerHandle] = set()
        self._unanswered = 0
        self._all_answered = asyncio.Event()

    async def start(self, owner: Owner) -> None:
        """Read the journal and go on with what is due."""
        self._owner = owner
        outstanding: dict[int, list[Entry]] = {}
        for entry in self._journal.open():
            outstanding.setdefault(entry.due // _GRID, []).append(entry)
        now = clock.now()
        for slot, entries in outstanding.items():
            self._after(max(0, slot * _GRID - now) / clock.SECOND, self._fall_due, entries)
        self._deliverer = asyncio.get_running_loop().create_task(self._deliver())

    def submit(self, outgoing: Sequence[Outgoing]) -> None:
        """Take segments: write them down, and answer after the latency."""
        now = clock.now()
        answers: list[tuple[Outgoing, Outcome]] = []
        early: list[tuple[Outgoing, Entry]] = []
        taken: list[Entry] = []
        refused_message = 0
        for item in outgoing:
            what = RULES.get(item.destination[-4:], OTHERS)
            if what.refused is not None and (what.always or item.attempt == 1):
                answers.append((item, Unsent() if item.message_id == refused_message else what.refused))
                refused_message = item.message_id
                continue
            self._last += 1
            due = 0 if what.delay is None else now + what.delay
            entry = Entry(f"{self._last:x}", item.message_id, item.seq, item.attempt, item.destination, due)
            taken.append(entry)
            if what.early:
                early.append((item, entry))
            else:
                answers.append((item, Submitted(entry.ref)))
        try:
            self._journal.took(taken)
        except OSError:
            answers = [(item, Retry("the journal cannot be written")) for item in outgoing]
            taken, early = [], []
        self._unanswered += len(outgoing)
        self._all_answered.clear()
        self._after(self._latency, self._answer, answers, taken)
        for item, entry in early:
            self._spawn(self._report_first(item, entry))

    async def stop(self) -> None:
        """Answer what was submitted, then fall silent; receipts still due come after the next start."""
        self.ready = False
        if self._unanswered:
            try:
                await asyncio.wait_for(self._all_answered.wait(), self._latency + _STOPPING)
            except TimeoutError:
                for task in tuple(self._tasks):
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
        for timer in self._timers:
            timer.cancel()
        self._deliverer.cancel()
        await asyncio.gather(self._deliverer, return_exceptions=True)
        self._journal.close()

    def describe(self) -> Mapping[str, object]:
        """Its settings."""
        return {"kind": KIND, "name": self._name, "window": self.window, "latency": self._latency}

    def _answer(self, answers: list[tuple[Outgoing, Outcome]], taken: list[Entry]) -> None:
        self._settle(answers)
        by_delay: dict[int, list[Entry]] = {}
        for entry in taken:
            what = RULES.get(entry.destination[-4:], OTHERS)
            if what.delay is not None and not what.early:
                by_delay.setdefault(what.delay, []).append(entry)
        for delay, entries in by_delay.items():
            if delay:
                self._after(delay / clock.SECOND, self._fall_due, entries)
            else:
                self._fall_due(entries)

    async def _report_first(self, item: Outgoing, entry: Entry) -> None:
        """Hand over the receipt, and answer only when it was stored."""
        outcome: Outcome = InDoubt("the carrier was stopped before it answered")
        try:
            while True:
                try:
                    await self._owner.received([_receipt(entry)])
                    break
                except Unavailable:
                    await asyncio.sleep(_PATIENCE)
            self._journal.acknowledged([entry.ref])
            outcome = Submitted(entry.ref)
        finally:
            self._settle([(item, outcome)])

    def _settle(self, answers: list[tuple[Outgoing, Outcome]]) -> None:
        if answers:
            self._owner.answered(answers)
        self._unanswered -= len(answers)
        if not self._unanswered:
            self._all_answered.set()

    def _fall_due(self, entries: list[Entry]) -> None:
        self._due.extend(entries)
        self._any_due.set()

    async def _deliver(self) -> None:
        while True:
            await self._any_due.wait()
            batch, self._due = self._due[:_BATCH], self._due[_BATCH:]
            if not self._due:
                self._any_due.clear()
            try:
                await self._owner.received([_receipt(entry) for entry in batch])
            except Unavailable:
                self._after(_PATIENCE, self._fall_due, batch)
                continue
            self._acknowledge(batch)

    def _acknowledge(self, batch: Sequence[Entry]) -> None:
        refs: list[str] = []
        again: list[Entry] = []
        for entry in batch:
            if rule(entry.destination).copies > 1 and entry.ref not in self._reported:
                self._reported.add(entry.ref)
                again.append(entry)
            else:
                self._reported.discard(entry.ref)
                refs.append(entry.ref)
        self._journal.acknowledged(refs)
        if again:
            self._after(AGAIN, self._fall_due, again)

    def _after(self, seconds: float, call: Callable[..., None], *arguments: object) -> None:
        def fire() -> None:
            self._timers.discard(timer)
            call(*arguments)

        timer = asyncio.get_running_loop().call_later(seconds, fire)
        self._timers.add(timer)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _receipt(entry: Entry) -> Receipt:
    what = rule(entry.destination)
    return Receipt(entry.ref, what.state, what.error, clock.now())


def build(record: Record, options: SimulatorOptions, secrets: Mapping[str, str], folder: Path) -> Simulator:
    """Make the adapter; it has no secrets."""
    return Simulator(record.name, options, folder)
