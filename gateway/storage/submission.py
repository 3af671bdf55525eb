"""What a call that sends hands to the committing writer: rows, a debit and a unique claim, never code."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Row = tuple[Any, ...]

# The order of the values in a message row; every other column of `message` keeps its default.
MESSAGE_COLUMNS = (
    "id",
    "account_id",
    "access_id",
    "batch_id",
    "protocol",
    "reference",
    "source",
    "source_ton",
    "source_npi",
    "destination",
    "destination_ton",
    "destination_npi",
    "text",
    "encoding",
    "data_coding",
    "esm_class",
    "payload",
    "udh",
    "registered_delivery",
    "segments",
    "price",
    "refunded",
    "state",
    "error",
    "carrier_id",
    "attempt",
    "accepted_at",
    "due_at",
    "expires_at",
    "final_at",
)

BATCH_COLUMNS = ("id", "account_id", "created_at", "count", "credits")

LOG_COLUMNS = (
    "id",
    "at",
    "account_id",
    "access_id",
    "login",
    "source_ip",
    "protocol",
    "class",
    "method",
    "parameters",
    "outcome",
    "response",
    "message_id",
    "http_status",
    "duration_us",
    "user_agent",
    "request_id",
    "count",
)


@dataclass(frozen=True, slots=True)
class Claim:
    """An idempotency key: who repeats it within 24 hours is answered what the first was.

    `fingerprint` tells whether the parameters are the same; `answer` is the first one's result as JSON.
    """

    key: str
    fingerprint: str
    answer: str


@dataclass(frozen=True, slots=True)
class Committed:
    """On disk, debited."""


@dataclass(frozen=True, slots=True)
class NoCredits:
    """Refused: the balance does not cover the debit. Nothing was written."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """The key was claimed before with the same parameters; `answer` is what the first was answered (JSON)."""

    answer: str


@dataclass(frozen=True, slots=True)
class KeyTaken:
    """The key was claimed before with other parameters. Nothing was written."""


Verdict = Committed | NoCredits | Repeated | KeyTaken
COMMITTED = Committed()
NO_CREDITS = NoCredits()
KEY_TAKEN = KeyTaken()


@dataclass(slots=True)
class Submission:
    """One call's rows. All of it is committed, or (a verdict other than `Committed`) nothing but its log row.

    `debit` is in micro-credits; `messages` are rows in `MESSAGE_COLUMNS` order; `batch` one in
    `BATCH_COLUMNS` order, still unopened; `opens` is (batch id, count, credits) of the batch that this
    debit pays and opens; `log` makes the call's `call_log` row (`LOG_COLUMNS`) once the verdict is known,
    without IO, or is None where the caller logs by itself.
    """

    account_id: int
    debit: int = 0
    messages: Sequence[Row] = ()
    claim: Claim | None = None
    batch: Row | None = None
    opens: tuple[int, int, int] | None = None
    log: Callable[[Verdict], Row] | None = None
