"""The simulated carrier by itself: outcomes by number, its journal, and what it does after it was killed."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway import clock
from gateway.carriers import simulator
from gateway.carriers.base import Final, Inbound, Outcome, Outgoing, Receipt, Retry, Submitted, Throttled, Unsent
from gateway.carriers.journal import Entry, Journal
from gateway.carriers.simulator import Simulator, SimulatorOptions
from gateway.messaging.states import State
from gateway.storage.errors import Unavailable
from tests.support.dispatch import bounded, until
from tests.support.processes import scripts


@dataclass
class Recorder:
    """An owner that keeps what it is told, in one order."""

    events: list[tuple[str, str, object]] = field(default_factory=list)
    refs: dict[str, str] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    away: int = 0

    def answered(self, answers: Sequence[tuple[Outgoing, Outcome]]) -> None:
        self.outcomes += [outcome for _, outcome in answers]
        self.events += [("answer", item.destination, outcome) for item, outcome in answers]

    async def received(self, receipts: Sequence[Receipt]) -> None:
        if self.away:
            self.away -= 1
            raise Unavailable("away")
        self.receipts += receipts
        self.events += [("receipt", receipt.carrier_ref, receipt.state) for receipt in receipts]

    async def inbound(self, messages: Sequence[Inbound]) -> None:
        self.events += [("inbound", message.source, message.text) for message in messages]

    def changed(self) -> None:
        pass


def segment(destination: str, message_id: int = 1, seq: int = 1, total: int = 1, attempt: int = 1) -> Outgoing:
    return Outgoing(
        message_id=message_id,
        seq=seq,
        total=total,
        attempt=attempt,
        source="Shop",
        source_ton=None,
        source_npi=None,
        destination=destination,
        destination_ton=None,
        destination_npi=None,
        encoding="GSM7",
        payload=b"Hello",
        udh=None,
        reference=1,
        data_coding=None,
        esm_class=None,
        registered_delivery=None,
        expires_at=0,
        possible_duplicate=False,
    )


@asynccontextmanager
async def running(folder: Path, owner: Recorder, **options: object) -> AsyncIterator[Simulator]:
    carrier = Simulator("sim", SimulatorOptions.model_validate(options), folder)
    await carrier.start(owner)
    try:
        yield carrier
    finally:
        await carrier.stop()


def lines(folder: Path) -> list[list[str]]:
    return [line.split() for line in (folder / "simulator-sim.journal").read_text("ascii").splitlines()]


@pytest.mark.parametrize(
    ("ending", "state"),
    [("0001", State.DELIVERED), ("0002", State.UNDELIVERED), ("0003", State.EXPIRED), ("4321", State.DELIVERED)],
)
def test_taken_and_reported_once(tmp_path: Path, ending: str, state: State) -> None:
    owner = Recorder()

    async def run() -> None:
        async with running(tmp_path, owner) as carrier:
            began = clock.now()
            carrier.submit([segment(f"3460000{ending}")])
            await until(lambda: owner.receipts)
            least = 0 if ending == "0001" else clock.SECOND // 2
            assert owner.receipts[0].at - began >= least

    bounded(run())
    [outcome] = owner.outcomes
    assert isinstance(outcome, Submitted)
    assert [kind for kind, _, _ in owner.events] == ["answer", "receipt"]
    assert [(receipt.carrier_ref, receipt.state) for receipt in owner.receipts] == [(outcome.ref, state)]
    assert [line[:2] for line in lines(tmp_path)] == [["T", outcome.ref], ["A", outcome.ref]]


def test_rejected_at_submit(tmp_path: Path) -> None:
    owner = Recorder()

    async def run() -> None:
        async with running(tmp_path, owner) as carrier:
            carrier.submit([segment("34600000004"), segment("34600000004", attempt=2)])
            await until(lambda: len(owner.outcomes) == 2)

    bounded(run())
    assert owner.outcomes == [Final("invalid destination"), Unsent()]
    assert lines(tmp_path) == []


def test_throttled_at_first(tmp_path: Path) -> None:
    owner = Recorder()

    async def run() -> None:
        async with running(tmp_path, owner) as carrier:
            carrier.submit([segment("34600000005")])
            carrier.submit([segment("34600000005", attempt=2)])
            await until(lambda: len(owner.outcomes) == 2)

    bounded(run())
    assert owner.outcomes[0] == Throttled()
    assert isinstance(owner.outcomes[1], Submitted)


def test_no_receipt(tmp_path: Path) -> None:
    owner = Recorder()

    async def run() -> None:
        async with running(tmp_path, owner) as carrier:
            carrier.submit([segment("34600000006"), segment("34600001111", 2)])
            await until(lambda: owner.receipts)

    bounded(run())
    first, second = owner.outcomes
    assert isinstance(first, Submitted)
    assert isinstance(second, Submitted)
    assert [receipt.carrier_ref for receipt in owner.receipts] == [second.ref]
    assert lines(tmp_path)[0][-1] == "0"


def test_receipt_before_the_answer(tmp_path: Path) -> None:
    owner = Recorder(away=1)

    async def run() -> None:
        async with running(tmp_path, owner) as carrier:
            carrier.submit([segment("34600000007")])
            await until(lambda: owner.outcomes)

    bounded(run())
    [outcome] = owner.outcomes
    assert isinstance(outcome, Submitted)
    assert owner.events == [("receipt", outcome.ref, State.DELIVERED), ("answer", "34600000007", outcome)]


def test_duplicate_receipt(tmp_path: Path) -> None:
    owner = Recorder()

    async def run() -> None:
        async with running(tmp_path, owner) as carrier:
            carrier.submit([segment("34600000008")])
            await until(lambda: len(owner.receipts) == 2)

    bounded(run())
    first, second = owner.receipts
    assert (first.carrier_ref, first.state) == (second.carrier_ref, second.state)
    assert [line[0] for line in lines(tmp_path)] == ["T", "A"]


def test_delivered_after_half_a_minute(tmp_path: Path) -> None:
    owner = Recorder()

    async def run() -> int:
        async with running(tmp_path, owner) as carrier:
            now = clock.now()
            carrier.submit([segment("34600000009")])
            await until(lambda: owner.outcomes)
            return now

    now = bounded(run())
    [taken] = lines(tmp_path)
    assert 30 * clock.SECOND <= int(taken[-1]) - now < 31 * clock.SECOND
    assert owner.receipts == []


def test_a_long_message_is_taken_and_reported_by_segment(tmp_path: Path) -> None:
    owner = Recorder()
    parts = [segment("34600000001", 1, seq, 3) for seq in (1, 2, 3)]

    async def run() -> None:
        async with running(tmp_path, owner) as carrier:
            carrier.submit(parts)
            await until(lambda: len(owner.receipts) == 3)

    bounded(run())
    assert len({receipt.carrier_ref for receipt in owner.receipts}) == 3
    assert [line[2:5] for line in lines(tmp_path)[:3]] == [["1", "1", "1"], ["1", "2", "1"], ["1", "3", "1"]]


def test_a_long_message_that_is_refused_is_refused_once(tmp_path: Path) -> None:
    owner = Recorder()

    async def run() -> None:
        async with running(tmp_path, owner) as carrier:
            carrier.submit([segment("34600000004", 1, seq, 2) for seq in (1, 2)])
            await until(lambda: len(owner.outcomes) == 2)

    bounded(run())
    assert owner.outcomes == [Final("invalid destination"), Unsent()]


def test_a_receipt_that_was_not_stored_comes_again_and_is_acknowledged_then(tmp_path: Path) -> None:
    owner = Recorder(away=1)

    async def run() -> None:
        async with running(tmp_path, owner) as carrier:
            carrier.submit([segment("34600000001")])
            await until(lambda: not owner.away)
            assert [line[0] for line in lines(tmp_path)] == ["T"]
            await until(lambda: owner.receipts)
            await until(lambda: [line[0] for line in lines(tmp_path)] == ["T", "A"])

    bounded(run())


def test_it_answers_after_its_latency_and_stopping_waits_for_that(tmp_path: Path) -> None:
    owner = Recorder()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        async with running(tmp_path, owner, latency=0.3) as carrier:
            began = loop.time()
            carrier.submit([segment("34600001111")])
        assert loop.time() - began >= 0.3
        assert len(owner.outcomes) == 1

    bounded(run())


def test_a_journal_that_cannot_be_written_takes_nothing(tmp_path: Path) -> None:
    owner = Recorder()

    async def run() -> None:
        async with running(tmp_path, owner) as carrier:
            carrier._journal.close()
            carrier.submit([segment("34600001111")])
            await until(lambda: owner.outcomes)

    bounded(run())
    assert owner.outcomes == [Retry("the journal cannot be written")]


def test_what_is_due_after_a_restart_is_reported_then_and_refs_go_on(tmp_path: Path) -> None:
    first, second = Recorder(), Recorder()

    async def before() -> None:
        async with running(tmp_path, first) as carrier:
            carrier.submit([segment("34600001111", n) for n in range(3)])
            await until(lambda: len(first.outcomes) == 3)

    async def after() -> None:
        async with running(tmp_path, second) as carrier:
            carrier.submit([segment("34600000006", 9)])
            await until(lambda: len(second.receipts) == 3)

    bounded(before())
    assert first.receipts == []
    bounded(after())
    refs = [outcome.ref for outcome in first.outcomes if isinstance(outcome, Submitted)]
    assert sorted(receipt.carrier_ref for receipt in second.receipts) == sorted(refs)
    [new] = second.outcomes
    assert isinstance(new, Submitted)
    assert new.ref not in refs


KILLED = """
import asyncio, sys
from pathlib import Path
from gateway.carriers.simulator import Simulator, SimulatorOptions
from tests.integration.carriers.test_simulator import Recorder, segment

async def main():
    owner = Recorder()
    carrier = Simulator("sim", SimulatorOptions(journal="keep"), Path(sys.argv[1]))
    await carrier.start(owner)
    number = 0
    while True:
        carrier.submit([segment("34600001111" if n % 2 else "34600000001", number + n) for n in range(50)])
        number += 50
        await asyncio.sleep(0.01)
        print(" ".join(outcome.ref for outcome in owner.outcomes), flush=True)
        owner.outcomes.clear()

asyncio.run(main())
"""


def test_killed_it_goes_on_from_its_journal(tmp_path: Path) -> None:
    answered: list[str] = []
    with scripts(KILLED, [str(tmp_path)]) as [process]:
        while len(answered) < 500:
            answered += process.line().split()
        process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL
    written = lines(tmp_path)
    taken = [line[1] for line in written if line[0] == "T" and len(line) == 7]
    acknowledged = {line[1] for line in written if line[0] == "A" and len(line) == 2}
    assert set(answered) <= set(taken)
    assert len(taken) == len(set(taken))
    assert acknowledged
    outstanding = set(taken) - acknowledged
    assert outstanding

    owner = Recorder()

    async def after() -> None:
        async with running(tmp_path, owner, journal="keep"):
            await until(lambda: len(owner.receipts) >= len(outstanding))

    bounded(after())
    assert sorted(receipt.carrier_ref for receipt in owner.receipts) == sorted(outstanding)


class TestJournal:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "new" / "j.journal"

    @staticmethod
    def entries(count: int, due: int = 5) -> list[Entry]:
        return [Entry(f"{n:x}", n, 1, 1, "34600001111", due) for n in range(count)]

    def test_what_is_not_acknowledged_is_due(self, path: Path) -> None:
        journal = Journal(path)
        assert journal.open() == []
        listed = self.entries(4)
        journal.took([*listed[:3], listed[3]._replace(due=0)])
        journal.acknowledged(["1"])
        journal.close()
        assert Journal(path).open() == [listed[0], listed[2]]

    def test_a_torn_line_is_dropped(self, path: Path) -> None:
        journal = Journal(path)
        journal.open()
        journal.took(self.entries(2))
        journal.close()
        with path.open("ab") as file:
            file.write(b"T 9 9 1 1 3460000")
        journal = Journal(path, keep=True)
        assert journal.open() == self.entries(2)
        journal.acknowledged(["0"])
        journal.close()
        assert path.read_text("ascii").splitlines()[-2:] == ["T 1 1 1 1 34600001111 5", "A 0"]

    def test_at_a_start_only_what_is_due_is_left(self, path: Path) -> None:
        journal = Journal(path)
        journal.open()
        journal.took(self.entries(3))
        journal.acknowledged(["0", "1"])
        journal.close()
        Journal(path).open()
        assert path.read_text("ascii") == "T 2 2 1 1 34600001111 5\n"

    def test_it_stays_below_its_limit(self, path: Path) -> None:
        journal = Journal(path, limit=2000)
        journal.open()
        for entry in self.entries(1000):
            journal.took([entry])
            journal.acknowledged([entry.ref])
            assert path.stat().st_size <= 2100
        journal.took(self.entries(2))
        journal.close()
        assert Journal(path).open() == self.entries(2)

    def test_keeping_everything(self, path: Path) -> None:
        for _ in range(2):
            journal = Journal(path, keep=True, limit=10)
            journal.open()
            journal.took(self.entries(2))
            journal.acknowledged(["0", "1"])
            journal.close()
        assert [line[0] for line in path.read_text("ascii").splitlines()] == ["T", "T", "A", "A"] * 2

    def test_only_its_owner_can_read_it(self, path: Path) -> None:
        journal = Journal(path)
        journal.open()
        journal.close()
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_carriers_name_is_no_path(tmp_path: Path) -> None:
    async def run() -> None:
        carrier = Simulator("../a/b", SimulatorOptions(), tmp_path)
        await carrier.start(Recorder())
        await carrier.stop()

    bounded(run())
    assert [entry.name for entry in os.scandir(tmp_path)] == ["simulator-..%2Fa%2Fb.journal"]


def test_the_rules_are_those_of_the_design() -> None:
    assert sorted(simulator.RULES) == [f"000{n}" for n in range(1, 10)]
