"""What every send shares: its optional parameters, its results, and the rows it makes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import BaseModel, Field

from gateway.clock import HOUR
from gateway.messaging import numbers, schedule, sender, template, text
from gateway.messaging.states import State
from gateway.operations.catalogue import Parameters
from gateway.operations.context import Context
from gateway.operations.errors import Code, Refusal
from gateway.operations.types import OneLine, Text, Wire
from gateway.storage.queries import optouts
from gateway.storage.submission import Row

Key = Annotated[str, Wire(OneLine(128), (("maxLength", 128),))]


class SendParameters(Parameters):
    """What every send takes beside its own parameters."""

    TEXTS: ClassVar[frozenset[str]] = frozenset({"sms", "params"})

    scheduledatetime: Text | None = Field(
        None, description="When to send, yyyy-mm-dd hh:mm:ss in the account's time zone, or ISO 8601 with an offset."
    )
    idempotencykey: Key | None = Field(
        None, description="A repeated key is answered what the first call with it was, for 24 hours."
    )


class Sent(BaseModel):
    """The result of one SMS."""

    messageid: str = Field(description="Id of the message, digits.")
    credits: Decimal = Field(description="What it cost.")
    encoding: str = Field(description="GSM7 or UCS2.")
    segments: int = Field(description="How many segments it takes.")


class Destination(BaseModel):
    """One message of a bulk send."""

    messageid: str
    destination: str


class BulkSent(BaseModel):
    """The result of a bulk send."""

    id: str = Field(description="Id of the batch, digits.")
    count: int = Field(description="How many messages were made.")
    credits: Decimal = Field(description="What all of them cost.")
    destinations: list[Destination]


@dataclass(slots=True)
class Draft:
    """What the messages of one call have in common."""

    context: Context
    source: str
    due_at: int
    scheduled: bool
    batch_id: int | None = None

    @property
    def expires_at(self) -> int:
        """Until when carriers may try, UTC microseconds."""
        return self.due_at + self.context.settings.validity_hours * HOUR


def draft(context: Context, from_: str | None, scheduledatetime: str | None) -> Draft:
    """Check the sender and the time of a send. Raises `Refusal` naming the parameter."""
    source = _source(context, from_)
    try:
        due_at = schedule.parse_when(scheduledatetime or "", context.account.zone, context.now)
    except schedule.ScheduleError as error:
        raise Refusal(Code.INCORRECT_PARAM, f"scheduledatetime: {error}") from None
    return Draft(context, source, context.now if due_at is None else due_at, due_at is not None)


def _source(context: Context, from_: str | None) -> str:
    account = context.account
    if from_ is None:
        return account.sender or context.settings.default_sender
    try:
        source = sender.check_sender(from_)
    except sender.SenderError as error:
        raise Refusal(Code.INCORRECT_PARAM, f"from: {error}") from None
    if account.senders is not None and source not in account.senders:
        raise Refusal(Code.INCORRECT_PARAM, "from: This account may only use the senders on its list.")
    return source


def destination(context: Context, to: str, parameter: str = "to") -> str:
    """The E.164 digits of a recipient's number. Raises `Refusal` naming the parameter."""
    try:
        return numbers.normalise(to, context.account.country)
    except numbers.NumberError as error:
        raise Refusal(Code.INCORRECT_PARAM, f"{parameter}: {error}") from None


def opted_out(context: Context, destinations: Collection[str]) -> set[str]:
    """Which of these numbers (E.164 digits, a thousand at most) want no more from the account.

    Costs nothing where the account's list is empty; else one look at the database. Raises `Unavailable`.
    """
    if not context.account.opt_outs:
        return set()
    with context.read() as connection:
        return optouts.among(connection, context.account.id, destinations)


def check_opted_out(context: Context, to: str) -> None:
    """Refuse a send to a number that wants no more from the account. Raises `Refusal` (OPTED_OUT), `Unavailable`."""
    if opted_out(context, (to,)):
        raise Refusal(Code.OPTED_OUT, f"to: {to} is on this account's opt-out list.")


def measured(context: Context, body: str, parameter: str) -> text.TextInfo:
    """How the text is encoded and cut. Raises `Refusal` naming `parameter` where it takes too many segments."""
    info = text.analyse(body)
    most = context.settings.max_segments
    if info.segments > most:
        raise Refusal(
            Code.INCORRECT_PARAM, f"{parameter}: The text takes {info.segments} segments and {most} is the most."
        )
    return info


def filled(body: str, values: Mapping[str, str], parameter: str, whose: str = "") -> str:
    """A template's text with its placeholders filled. Raises `Refusal` naming the placeholder."""
    try:
        return template.fill(body, values)
    except template.MissingValue as missing:
        raise Refusal(
            Code.INCORRECT_PARAM, f"{parameter}: The placeholder <{missing.name}> has no value{whose}."
        ) from None


def message_row(
    plan: Draft, message_id: int, to: str, body: str, info: text.TextInfo, price: int, carrier_id: int
) -> Row:
    """A message that waits for its carrier; `price` in micro-credits for all its segments."""
    context = plan.context
    state = State.SCHEDULED if plan.scheduled else State.QUEUED
    if plan.batch_id is not None:
        state = State.STAGED
    return _row(plan, message_id, to, body, info, price, int(state), None, carrier_id, None, context.now)


def rejected_row(plan: Draft, message_id: int, to: str, body: str, info: text.TextInfo, error: str) -> Row:
    """A message of a bulk send that cannot be sent: final at once, and free."""
    now = plan.context.now
    return _row(plan, message_id, to, body, info, 0, int(State.REJECTED), error, 0, now, now)


def _row(
    plan: Draft,
    message_id: int,
    to: str,
    body: str,
    info: text.TextInfo,
    price: int,
    state: int,
    error: str | None,
    carrier_id: int,
    final_at: int | None,
    now: int,
) -> Row:
    """In the order of `submission.MESSAGE_COLUMNS`."""
    context = plan.context
    return (
        message_id,
        context.account.id,
        context.access.id,
        plan.batch_id,
        context.protocol,
        None,
        plan.source,
        None,
        None,
        to,
        None,
        None,
        body,
        info.encoding.value,
        None,
        None,
        None,
        None,
        None,
        info.segments,
        price,
        0,
        state,
        error,
        carrier_id,
        0,
        now,
        plan.due_at,
        plan.expires_at,
        final_at,
    )
