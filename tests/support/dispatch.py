"""A database with accounts, carriers and messages to dispatch, and a carrier that answers as a test says."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, insert, select, update

from gateway import clock
from gateway.carriers.base import Outcome, Outgoing, Owner, Receipt, Submitted
from gateway.messaging.states import State
from gateway.messaging.text import split
from gateway.storage import ids
from gateway.storage.database import Database
from gateway.storage.queries.dispatch import leases
from gateway.storage.queries.dispatch.leases import Lease
from gateway.storage.schema import account, balance, batch, carrier, ledger, message, outbox, route, segment
from gateway.storage.schema import stray_receipt as stray

T = TypeVar("T")

NOW = 1_800_000_000 * clock.SECOND
PRICE = 1_500_000


class World:
    """What a test sets up and looks at. Times are around `NOW` unless the test says otherwise."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.account = self.new_account()

    def change(self, statement: Any) -> Any:
        with self.database.transaction() as connection:
            found = connection.execute(statement)
            return found.scalar() if found.returns_rows else found.rowcount

    def run(self, work: Callable[[Connection], T]) -> T:
        with self.database.transaction() as connection:
            return work(connection)

    def rows(self, query: Any) -> list[Any]:
        with self.database.read() as connection:
            return list(connection.execute(query).mappings())

    def new_account(self, credits_: int = 0, suspended: bool = False) -> int:
        with self.database.transaction() as connection:
            found = connection.execute(
                insert(account)
                .values(email=f"{clock.now()}@example.com", created_at=NOW, suspended_at=NOW if suspended else None)
                .returning(account.c.id)
            ).scalar_one()
            connection.execute(insert(balance).values(account_id=found, credits=credits_))
        return int(found)

    def suspend(self, account_id: int, suspended: bool = True) -> None:
        at = NOW if suspended else None
        self.change(update(account).where(account.c.id == account_id).values(suspended_at=at))

    def new_carrier(self, name: str, kind: str = "simulator", options: str = "{}") -> int:
        values = {"name": name, "kind": kind, "options": options, "created_at": NOW}
        return int(self.change(insert(carrier).values(**values).returning(carrier.c.id)))

    def new_route(self, prefix: str, carrier_id: int, priority: int = 0) -> None:
        self.change(insert(route).values(prefix=prefix, carrier_id=carrier_id, cost=0, priority=priority))

    def message(self, destination: str = "34600111222", text: str = "Hello", **values: Any) -> int:
        """A queued message; its id."""
        [found] = self.messages([destination], text, **values)
        return found

    def messages(self, destinations: Iterable[str], text: str = "Hello", **values: Any) -> list[int]:
        segments = len(split(text))
        defaults = {
            "account_id": self.account,
            "access_id": 1,
            "protocol": "http",
            "source": "Trunkline",
            "text": text,
            "encoding": "GSM7",
            "segments": segments,
            "price": PRICE * segments,
            "refunded": 0,
            "state": int(State.QUEUED),
            "carrier_id": 1,
            "attempt": 0,
            "accepted_at": NOW,
            "due_at": NOW,
            "expires_at": NOW + 2 * clock.DAY,
        }
        listed = list(destinations)
        with self.database.transaction() as connection:
            block = ids.take_block(connection, len(listed), values.pop("made_at", NOW))
            rows = [
                {**defaults, **values, "id": number, "destination": to}
                for number, to in zip(block, listed, strict=True)
            ]
            connection.execute(insert(message), rows)
        return list(block)

    def batch(self, opened: bool = True, created_at: int = NOW) -> int:
        with self.database.transaction() as connection:
            [number] = ids.take_block(connection, 1, created_at)
            connection.execute(
                insert(batch).values(
                    id=number,
                    account_id=self.account,
                    created_at=created_at,
                    opened_at=created_at if opened else None,
                    count=1,
                    credits=0,
                )
            )
        return number

    def set(self, message_id: int, **values: Any) -> None:
        self.change(update(message).where(message.c.id == message_id).values(**values))

    def row(self, message_id: int) -> Any:
        [found] = self.rows(select(message).where(message.c.id == message_id))
        return found

    def state(self, message_id: int) -> State:
        return State(self.row(message_id)["state"])

    def states(self) -> dict[str, State]:
        return {row["destination"]: State(row["state"]) for row in self.rows(select(message))}

    def segments(self, message_id: int) -> list[tuple[int, int, State, str | None]]:
        query = select(segment).where(segment.c.message_id == message_id).order_by(segment.c.attempt, segment.c.seq)
        return [(row["seq"], row["attempt"], State(row["state"]), row["carrier_ref"]) for row in self.rows(query)]

    def strays(self) -> list[tuple[str, State, int | None]]:
        found = self.rows(select(stray).order_by(stray.c.id))
        return [(row["carrier_ref"], State(row["state"]), row["message_id"]) for row in found]

    def credits(self, account_id: int | None = None) -> int:
        owner = self.account if account_id is None else account_id
        [row] = self.rows(select(balance).where(balance.c.account_id == owner))
        return int(row["credits"])

    def refunds(self) -> list[tuple[int, int]]:
        found = self.rows(select(ledger).where(ledger.c.kind == "refund").order_by(ledger.c.id))
        return [(row["account_id"], row["amount"]) for row in found]

    def notices(self) -> list[tuple[int, State]]:
        return [(row["message_id"], State(row["state"])) for row in self.rows(select(outbox).order_by(outbox.c.id))]

    def lease(self, carrier_id: int = 1, owner: str = "me", ttl: int = clock.HOUR) -> Lease:
        found = self.run(lambda connection: leases.acquire(connection, carrier_id, owner, ttl))
        assert found is not None
        return found


class Direct:
    """Commits in the event loop's own thread, one transaction for each change."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def transact(self, change: Callable[[Connection], T]) -> T:
        with self.database.transaction() as connection:
            return change(connection)


@dataclass
class Scripted:
    """A carrier whose answers a test decides: `script` gives the outcome of a segment, None for none yet."""

    script: Callable[[Outgoing], Outcome | None] = lambda item: Submitted(f"r{item.message_id}-{item.seq}")
    window: int = 100
    ready: bool = True
    got: list[Outgoing] = field(default_factory=list)
    open: list[Outgoing] = field(default_factory=list)
    owner: Owner | None = None

    async def start(self, owner: Owner) -> None:
        self.owner = owner

    def submit(self, outgoing: Sequence[Outgoing]) -> None:
        self.got += outgoing
        assert len(self.open) + len(outgoing) <= self.window
        answers = [(item, outcome) for item in outgoing if (outcome := self.script(item)) is not None]
        answered = {id(item) for item, _ in answers}
        self.open += [item for item in outgoing if id(item) not in answered]
        asyncio.get_running_loop().call_soon(self.answer, answers)

    def answer(self, answers: Sequence[tuple[Outgoing, Outcome]]) -> None:
        assert self.owner is not None
        self.open = [item for item in self.open if all(item is not other for other, _ in answers)]
        self.owner.answered(answers)

    async def report(self, ref: str, state: State = State.DELIVERED, error: str | None = None) -> None:
        assert self.owner is not None
        await self.owner.received([Receipt(ref, state, error, clock.now())])

    async def stop(self) -> None:
        await until(lambda: not self.open, what="answers")

    def describe(self) -> dict[str, object]:
        return {}


async def until(condition: Callable[[], T], timeout: float = 15, what: str = "the condition") -> T:
    """Let others run until the condition's answer is true, and give it."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout
    while not (answer := condition()):
        if loop.time() > deadline:
            raise AssertionError(f"{what} did not come within {timeout:g} s; the last answer was {answer!r}")
        await asyncio.sleep(0.01)
    return answer


def bounded(work: Awaitable[T], seconds: float = 40) -> T:
    """Run a test's coroutine, which fails after `seconds`."""

    async def within() -> T:
        return await asyncio.wait_for(work, seconds)

    return asyncio.run(within())
