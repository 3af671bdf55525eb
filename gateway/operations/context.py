"""What an operation is given, and what it may answer. Operations read; they never write or commit."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from gateway.messaging.routing import PriceTable, RouteTable
from gateway.messaging.schedule import format_when
from gateway.settings import Settings
from gateway.storage.records import Access, Account
from gateway.storage.submission import Row


@dataclass(frozen=True, slots=True)
class Tariff:
    """Where messages go and what they cost, as of one version of the configuration."""

    routes: RouteTable
    prices: PriceTable


class TakesIds(Protocol):
    """Hands out ids that follow time (`storage.ids.Ids`)."""

    def take(self, n: int) -> range:
        """`n` consecutive ids."""
        ...


@dataclass(slots=True)
class Context:
    """Everything an operation may know of its call. `now` is in UTC microseconds."""

    account: Account
    access: Access
    protocol: str
    now: int
    read: Callable[[], AbstractContextManager[Connection]]
    tariff: Tariff
    ids: TakesIds
    settings: Settings


@dataclass(frozen=True, slots=True)
class Credits:
    """An exact amount, in micro-credits; front ends render it as a decimal without trailing zeros."""

    micro: int


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of the account: UTC microseconds and its zone. Front ends render it as their dates are."""

    micros: int
    zone: ZoneInfo

    @property
    def text(self) -> str:
        """`yyyy-mm-dd hh:mm:ss` in the zone."""
        return format_when(self.micros, self.zone)


@dataclass(frozen=True, slots=True)
class Rows:
    """A long list that is read page by page while the reply is written, so that memory stays bounded.

    `pages` starts the list anew at each call and gives pages of plain rows. `batch_id` names the batch whose
    messages they are, which is how an answer is kept for those who repeat it.
    """

    pages: Callable[[], Iterator[Sequence[dict[str, Any]]]]
    batch_id: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The call only read: this is its result."""

    result: Any


@dataclass(frozen=True, slots=True)
class Send:
    """The call sends one message: its row for the committing writer, and the result once it is on disk.

    `message` is in `submission.MESSAGE_COLUMNS` order, `debit` in micro-credits.
    """

    result: Any
    debit: int
    message: Row


@dataclass(frozen=True, slots=True)
class Change:
    """A rare change: `work` runs in a transaction of its own and gives the result.

    It may raise `Refusal`, which undoes it; a `Refusal` that it gives is answered too, and what it did stays. It
    must be safe to run again if the transaction failed.
    """

    work: Callable[[Connection], Any]


@dataclass(frozen=True, slots=True)
class Bulk:
    """A send too long for one transaction: staged in pieces, then debited and opened whole.

    `pieces` gives message rows, at most 1,000 each, of the batch `batch_id`, and raises `Refusal` where the
    send cannot be accepted; when it has ended, `tally` gives the count and the credits (micro) of all, and
    `result` the answer.
    """

    batch_id: int
    pieces: Iterator[Sequence[Row]]
    tally: Callable[[], tuple[int, int]]
    result: Callable[[], Any]


Outcome = Answer | Send | Change | Bulk
