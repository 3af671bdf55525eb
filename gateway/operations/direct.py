"""A message as an SMPP client gives it: its contents cut and coded by the client, its addresses with their types.

It is no operation of the catalogue: `sms.sendsms` for whoever speaks SMPP, with the same routes, prices and rules.
Everything here runs for every submit_sm, so it is plain functions on plain values.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from gateway.clock import HOUR
from gateway.messaging import numbers, schedule, sender
from gateway.messaging.content import Content
from gateway.messaging.states import State
from gateway.operations.context import Context
from gateway.operations.errors import Code, Refusal
from gateway.storage.submission import Row

_QUEUED, _SCHEDULED = int(State.QUEUED), int(State.SCHEDULED)
_INTERNATIONAL = 1  # type of number, SMPP 3.4, 5.2.5
_ISDN = 1  # numbering plan (E.163/E.164), SMPP 3.4, 5.2.6


@dataclass(slots=True)
class Direct:
    """A message without its destination. Names are SMPP's; empty or None is what was not given.

    `due_at` and `expires_at` are UTC microseconds, `udh` a user data header with its length octet.
    """

    source_addr: str
    source_addr_ton: int
    source_addr_npi: int
    content: Content
    udh: bytes | None = None
    esm_class: int = 0
    registered_delivery: int = 0
    reference: str | None = None
    due_at: int | None = None
    expires_at: int | None = None


@dataclass(slots=True)
class Plan:
    """What was found right about a message: all of its row but the destination, the price and the route."""

    message: Direct
    source: str
    source_ton: int | None
    source_npi: int | None
    state: int
    due_at: int
    expires_at: int


def plan(context: Context, message: Direct) -> Plan:
    """Check what does not depend on the destination. Raises `Refusal` naming the parameter."""
    most = context.settings.max_segments
    if message.content.segments > most:
        raise incorrect("short_message", f"It takes {message.content.segments} segments and {most} is the most.")
    ton: int | None = message.source_addr_ton
    npi: int | None = message.source_addr_npi
    if message.source_addr:
        source = _listed_source(context, message.source_addr)
    else:
        source, ton, npi = context.account.sender or context.settings.default_sender, None, None
    due_at = _due(message.due_at, context.now)
    begins = context.now if due_at is None else due_at
    expires_at = _expiry(context, message.expires_at, begins)
    return Plan(message, source, ton, npi, _QUEUED if due_at is None else _SCHEDULED, begins, expires_at)


def row(context: Context, plan: Plan, to: str, message_id: int) -> tuple[Row, int]:
    """The row of the message to this number (`number_of`), and its price in micro-credits.

    Raises `Refusal` (NO_ROUTE_AVAILABLE).
    """
    account, message = context.account, plan.message
    tariff = context.tariff
    route = tariff.routes.first(to)
    price = tariff.prices.price(account.id, to)
    if route is None or price is None:
        raise Refusal(Code.NO_ROUTE_AVAILABLE, f"destination_addr: No route serves {to}.", "destination_addr")
    content = message.content
    total = price * content.segments
    return (
        message_id,
        account.id,
        context.access.id,
        None,
        context.protocol,
        message.reference,
        plan.source,
        plan.source_ton,
        plan.source_npi,
        to,
        _INTERNATIONAL,
        _ISDN,
        content.text,
        content.encoding,
        content.data_coding,
        message.esm_class,
        content.payload,
        message.udh,
        message.registered_delivery,
        content.segments,
        total,
        0,
        plan.state,
        None,
        route.carrier_id,
        0,
        context.now,
        plan.due_at,
        plan.expires_at,
        None,
    ), total


def check_opted_out(to: str, opted_out: Collection[str]) -> None:
    """Refuse a message to a number that is among those that want no more. Raises `Refusal` (OPTED_OUT)."""
    if to in opted_out:
        raise Refusal(
            Code.OPTED_OUT, f"destination_addr: {to} is on this account's opt-out list.", "destination_addr"
        )


def source_of(text: str) -> str:
    """A source address as messages keep it. Raises `Refusal`."""
    try:
        return _checked_source(text)
    except sender.SenderError as error:
        raise incorrect("source_addr", str(error)) from None


def incorrect(parameter: str, sentence: str) -> Refusal:
    """INCORRECT_PARAM of this parameter."""
    return Refusal(Code.INCORRECT_PARAM, f"{parameter}: {sentence}", parameter)


def _listed_source(context: Context, text: str) -> str:
    source, listed = source_of(text), context.account.senders
    if listed is not None and source not in listed:
        raise incorrect("source_addr", "This account may only use the senders on its list.")
    return source


@lru_cache(maxsize=4096)
def _checked_source(text: str) -> str:
    return sender.check_sender(text)


def number_of(destination: str, ton: int, country: str) -> str:
    """A destination's E.164 digits; one that is not of type international may be national to `country`.

    Clients that cannot know give any type with numbers of every kind, so only international is believed.
    Raises `Refusal`.
    """
    if not destination:
        raise Refusal(
            Code.MISSING_COMPULSORY_PARAM, "destination_addr: compulsory and not given.", "destination_addr"
        )
    try:
        return numbers.normalise(destination, "" if ton == _INTERNATIONAL else country)
    except numbers.NumberError as error:
        raise incorrect("destination_addr", str(error)) from None


def _due(due_at: int | None, now: int) -> int | None:
    if due_at is None:
        return None
    if due_at < now - schedule.GRACE:
        raise incorrect("schedule_delivery_time", "This time is past.")
    if due_at > now + schedule.HORIZON:
        raise incorrect("schedule_delivery_time", "This time is over a year ahead.")
    return due_at if due_at > now else None


def _expiry(context: Context, expires_at: int | None, begins: int) -> int:
    if expires_at is None:
        return begins + context.settings.validity_hours * HOUR
    if expires_at <= begins:
        raise incorrect("validity_period", "It ends before the message is due.")
    return min(expires_at, begins + schedule.HORIZON)
