"""The owner of one carrier: claims, hands over, records.

Each turn is one transaction: answers and receipts that came since the last one are recorded and new messages
are claimed; when it is committed the claimed ones leave. What is marked as on its way is never more than the
carrier's window: a place in it is free again only in the transaction that records the answer.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from gateway import logs
from gateway.carriers.base import (
    Carrier,
    Final,
    Inbound,
    InDoubt,
    Options,
    Outcome,
    Outgoing,
    Receipt,
    Throttled,
    Unsent,
)
from gateway.dispatch import outgoing as _outgoing
from gateway.dispatch.failover import Failover, serving
from gateway.dispatch.holder import Holder
from gateway.dispatch.host import Host
from gateway.dispatch.inbound import Arrivals
from gateway.dispatch.receipts import Inbox
from gateway.dispatch.throttle import Throttle
from gateway.dispatch.verdicts import Judge
from gateway.storage.errors import Unavailable
from gateway.storage.queries.dispatch import claims, tick
from gateway.storage.queries.dispatch.claims import Claimed
from gateway.storage.queries.dispatch.leases import StaleLease
from gateway.storage.records import Carrier as Record

GAP = 0.02
"""Seconds between two transactions of a carrier, for more to come together in each."""

MOST = 400
"""Messages claimed and receipts applied in one transaction: on SQLite nobody else commits meanwhile."""

PATIENCE = 15.0
"""Seconds for the last answers to be recorded; what is not is in doubt for the next owner."""

AWAY = 0.5
"""Seconds until a database that was away is tried again."""


class CarrierWorker:
    """Works a carrier for as long as the lease holds. It is the adapter's `Owner`."""

    def __init__(self, record: Record, options: Options, adapter: Carrier, holder: Holder, host: Host) -> None:
        self._record = record
        self._policy = options.doubt
        self._adapter = adapter
        self._holder = holder
        self._host = host
        self._judge = Judge(self._next_carrier, retries=options.retries)
        self._failover = Failover(record, adapter, holder, host, options.failover_after)
        self._throttle = Throttle(options.throughput, host.monotonic)
        self._inbox = Inbox()
        self._arrivals = Arrivals(host, holder, record.name)
        self._heard: list[tuple[Outgoing, Outcome]] = []
        self._on_their_way = 0
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()
        # Whether there may be something to claim; the poller says so, and a claim that found something.
        self._due = True
        self._uncertain = False

    @property
    def idle(self) -> bool:
        """Whether somebody else has to look whether messages are due (`nudge`)."""
        return not self._due

    def nudge(self) -> None:
        """Messages are due."""
        self._due = True
        self._wake.set()

    def stop(self) -> None:
        """Claim no more; `run` ends when what is on its way was answered and recorded."""
        self._stopping.set()
        self._wake.set()

    def answered(self, answers: Sequence[tuple[Outgoing, Outcome]]) -> None:
        self._heard.extend(answers)
        self._wake.set()

    async def received(self, receipts: Sequence[Receipt]) -> None:
        if self._holder.lost:
            raise Unavailable("The carrier has another owner now.")
        stored = self._inbox.put(receipts)
        self._wake.set()
        await stored
        for state, n in Counter(receipt.state for receipt in receipts).items():
            self._host.metrics.carrier(self._record.name, f"receipt_{state.name.lower()}", n)

    async def inbound(self, messages: Sequence[Inbound]) -> None:
        await self._arrivals.store(messages)
        self._host.metrics.carrier(self._record.name, "inbound", len(messages))

    def changed(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Work until `stop`, or until the lease is lost. What was left in doubt before is settled first."""
        keeping = asyncio.create_task(self._holder.keep())
        try:
            await self._recover()
            await self._adapter.start(self)
            watching = asyncio.create_task(self._failover.run())
            try:
                await self._work()
            except Exception:
                # Nothing more is recorded: what is on its way is in doubt for the next owner.
                self._holder.lose()
                raise
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
                if not self._holder.lost:
                    self._host.metrics.ready(self._record.name, False)
                await self._wind_up()
        except StaleLease:
            self._holder.lose()
            logs.warning("lease lost", carrier=self._record.name)
        finally:
            keeping.cancel()
            self._inbox.fail(Unavailable("The carrier's worker ended."))
            if not self._holder.lost:
                await self._holder.release()

    async def _recover(self) -> None:
        """Settle what a former owner left on its way, by the carrier's policy."""
        while True:
            settled = await self._host.writer.transact(
                partial(claims.recover, lease=self._holder.lease, policy=self._policy, now=self._host.now())
            )
            if not settled:
                return
            logs.warning("in doubt", carrier=self._record.name, messages=settled, policy=self._policy)

    async def _work(self) -> None:
        while not (self._stopping.is_set() or self._holder.lost):
            await self._wait()
            if not self._stopping.is_set():
                await self._turn(claiming=True)

    async def _wind_up(self) -> None:
        """Let the adapter finish while its answers and last receipts are recorded."""
        stopping = asyncio.create_task(self._adapter.stop())
        stopping.add_done_callback(lambda _: self._wake.set())
        given_up = asyncio.get_running_loop().call_later(PATIENCE, self._holder.lose)
        while not self._holder.lost and (self._heard or self._inbox or not stopping.done()):
            if self._heard or self._inbox:
                await self._turn(claiming=False)
            else:
                self._wake.clear()
                # Also to see that there is nothing more to wait for.
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), 1.0)
        given_up.cancel()
        self._inbox.fail(Unavailable("The carrier's worker ended."))
        await stopping

    async def _wait(self) -> None:
        """Until there is something to record, or to claim and a place and a token for it."""
        while not self._stopping.is_set():
            self._wake.clear()
            if self._heard or self._inbox or self._holder.lost:
                return
            pause = None
            if self._due and self._room() > 0 and self._adapter.ready and self._holder.fresh():
                pause = self._throttle.wait()
                if not pause:
                    return
            try:
                # Also to look at the lease again.
                await asyncio.wait_for(self._wake.wait(), 1.0 if pause is None else pause)
            except TimeoutError:
                continue

    def _room(self) -> int:
        return self._adapter.window - self._on_their_way

    async def _turn(self, *, claiming: bool) -> None:
        """One transaction, and what was claimed in it leaves. Raises StaleLease."""
        began = self._host.monotonic()
        heard, self._heard = self._heard, []
        self._judge.hear(heard, self._host.now())
        self._on_their_way -= len(heard)
        self._count(heard)
        work = self._plan(claiming)
        work.receipts, batches = self._inbox.head(MOST)
        try:
            if self._uncertain:
                await self._put_back_unsent()
            done = await self._host.writer.transact(
                partial(tick.run, lease=self._holder.lease, work=work, now=self._host.now())
            )
        except (StaleLease, asyncio.CancelledError):
            raise
        except Unavailable:
            # Whether it was committed is not known: what it claimed, if it did, was never sent.
            self._uncertain = True
            await asyncio.sleep(AWAY)
            return
        except Exception as error:
            if not batches:
                raise
            logs.failure("receipts cannot be stored together", error, carrier=self._record.name)
            # If the database goes away meanwhile they wait on, and it is begun again.
            with suppress(Unavailable):
                await self._store_apart(batches)
            return
        self._judge.recorded()
        self._inbox.stored(batches)
        for state, n in Counter(done.reached).items():
            self._host.metrics.messages(state.name, n)
        if work.limit:
            self._due = bool(done.claimed.messages) or not done.claimed.exhausted
            self._send(done.claimed)
        await self._gather(began + GAP)

    async def _gather(self, until: float) -> None:
        """Wait for more to come together; not while the window is full and everything in it is answered."""
        full = self._room() <= 0
        while (left := until - self._host.monotonic()) > 0:
            if not full:
                await asyncio.sleep(left)
            elif len(self._heard) >= self._on_their_way:
                return
            else:
                self._wake.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), left)

    async def _store_apart(self, batches: int) -> None:
        """One receipt that the database refuses must not keep the others from it."""
        for _ in range(batches):
            rows, _ = self._inbox.head(1)
            for row in rows:
                work = tick.Work(receipts=[row])
                try:
                    await self._host.writer.transact(
                        partial(tick.run, lease=self._holder.lease, work=work, now=self._host.now())
                    )
                except (StaleLease, Unavailable):
                    raise
                except Exception as error:  # noqa: BLE001 - whatever it is, it is this receipt's
                    logs.failure("receipt dropped", error, carrier=self._record.name, reference=row[0])
            self._inbox.stored(1)

    def _plan(self, claiming: bool) -> tick.Work:
        """What the next transaction is to claim, with the answers it records."""
        work = tick.Work(answers=self._judge.answers, since=self._host.since, policy=self._policy)
        allowed = self._throttle.allowance()
        room = self._room() if allowed is None else min(self._room(), allowed)
        if claiming and room > 0 and self._adapter.ready and self._holder.fresh():
            work.room, work.limit, work.oversize = room, min(room, MOST), self._on_their_way == 0
        return work

    async def _put_back_unsent(self) -> None:
        """After a transaction of unknown outcome: what is marked as on its way and is not in hand never left."""
        # Those whose answers are to be recorded count as in hand.
        known = self._judge.hands.keys() | self._judge.answers.messages()
        found = await self._host.writer.transact(
            partial(claims.reclaim, lease=self._holder.lease, known=frozenset(known))
        )
        self._uncertain = False
        if found:
            logs.info("claimed anew", carrier=self._record.name, messages=found)

    def _send(self, claimed: Claimed) -> None:
        """Hand over what is marked as on its way, unless the lease may have run out meanwhile."""
        leaving: list[Outgoing] = []
        unfit: list[tuple[Outgoing, Outcome]] = []
        for row in claimed.messages:
            try:
                leaving += _outgoing.segments(row, claimed.parts.get(row[0]))
            except ValueError as error:
                logs.error("message cannot be sent", message=row[0], problem=str(error))
                unfit += [
                    (part, Final("cannot be encoded")) for part in _outgoing.unfit(row, claimed.parts.get(row[0]))
                ]
        self._judge.take(leaving)
        self._judge.take(part for part, _ in unfit)
        self._on_their_way += len(leaving) + len(unfit)
        if unfit:
            self.answered(unfit)
        if not leaving:
            return
        if self._holder.fresh():
            self._throttle.spend(len(leaving))
            self._adapter.submit(leaving)
        else:
            self.answered([(part, Unsent()) for part in leaving])

    def _count(self, heard: Sequence[tuple[Outgoing, Outcome]]) -> None:
        outcomes = Counter(outcome.__class__ for _, outcome in heard)
        for kind, n in outcomes.items():
            self._host.metrics.carrier(self._record.name, kind.__name__.lower(), n)
        throttled = outcomes.pop(Throttled, 0)
        self._throttle.answered(outcomes.total() - outcomes[Unsent] - outcomes[InDoubt], throttled)

    def _next_carrier(self, destination: str) -> int | None:
        """The first carrier after this one in the order of routes; the first of all where this serves no more."""
        carriers = serving(self._host, self._record, destination)
        place = carriers.index(self._record.id) + 1 if self._record.id in carriers else 0
        return carriers[place] if place < len(carriers) else None
