"""Bulk sends: a group's contacts become messages page by page, in bounded memory."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from gateway.messaging import numbers
from gateway.messaging.text import TextInfo
from gateway.operations.context import Bulk, Context, Credits, Rows
from gateway.operations.errors import Code, Refusal
from gateway.operations.sending import Draft, filled, measured, message_row, opted_out, rejected_row
from gateway.storage.queries import batches, contacts, groups, ledger
from gateway.storage.queries.contacts import Contact
from gateway.storage.submission import Row

PIECE = 1_000
"""Messages of one staging transaction: nobody else's commit waits longer than these take."""

Read = Callable[[], AbstractContextManager[Connection]]


def bulk(plan: Draft, group_id: int, country: str, body: str, *, personal: bool) -> Bulk:
    """Plan a send to a group. `country` is the calling code of national numbers; a `personal` body has
    placeholders for the contacts' fields. Raises `Refusal` where the group cannot be sent to."""
    context = plan.context
    _check_group(context, group_id)
    batch_id = context.ids.take(1)[0]
    plan.batch_id = batch_id
    staging = _Staging(plan, group_id, country, body, personal)
    return Bulk(batch_id, staging.pieces(), staging.tally, lambda: staging.result(batch_id))


def _check_group(context: Context, group_id: int) -> None:
    account = context.account.id
    with context.read() as connection:
        group = groups.get(connection, account, group_id)
        size = contacts.count(connection, account, group_id) if group is not None else 0
    if group is None or group.type != "mobile":
        raise _no_group()
    if size == 0:
        raise Refusal(Code.INCORRECT_PARAM, f"idgroup: The group {group_id} has no contacts.")
    if size > context.settings.max_batch:
        raise Refusal(
            Code.INCORRECT_PARAM,
            f"idgroup: The group {group_id} has {size} contacts and {context.settings.max_batch} is the most.",
        )


def _no_group() -> Refusal:
    return Refusal(Code.NOT_ACCESS_TO_GROUP, "idgroup: This account has no group of this id.")


@dataclass(slots=True)
class _Staging:
    """Turns contacts into messages, and adds up what they cost."""

    plan: Draft
    group_id: int
    country: str
    body: str
    personal: bool
    count: int = 0
    served: int = 0
    stopped: int = 0
    credits: int = 0
    funds: int = 0
    info: TextInfo | None = None

    def tally(self) -> tuple[int, int]:
        """How many messages were made, and what they cost in micro-credits."""
        return self.count, self.credits

    def result(self, batch_id: int) -> dict[str, Any]:
        """The answer once the batch is open."""
        context = self.plan.context
        return {
            "id": str(batch_id),
            "count": self.count,
            "credits": Credits(self.credits),
            "destinations": destinations(context.read, context.account.id, batch_id),
        }

    def pieces(self) -> Iterator[Sequence[Row]]:
        """Rows, a piece at a time. Raises `Refusal` where a contact, the routes or the funds do not allow it."""
        context = self.plan.context
        after = 0
        while True:
            with context.read() as connection:
                page = contacts.page(connection, context.account.id, self.group_id, after, PIECE)
                gone = not page and groups.get(connection, context.account.id, self.group_id) is None
            if gone:  # removed meanwhile: a part of it is not what was asked for
                raise _no_group()
            if not page:
                break
            after = page[-1].id
            ids = context.ids.take(len(page))
            numbered = [(contact, self._number(contact)) for contact in page]
            stopped = opted_out(context, [to for _, to in numbered if to is not None])
            rows = [
                self._row(message_id, contact, to, to in stopped)
                for message_id, (contact, to) in zip(ids, numbered, strict=True)
            ]
            self.count += len(rows)
            self._check_funds()
            yield rows
        if self.stopped and self.stopped == self.count:
            raise Refusal(Code.OPTED_OUT, f"idgroup: All contacts of {self.group_id} are on the opt-out list.")
        if not self.served:
            raise Refusal(Code.NO_ROUTE_AVAILABLE, f"idgroup: No route serves any contact of {self.group_id}.")

    def _number(self, contact: Contact) -> str | None:
        try:
            return numbers.normalise(contact.mobile, self.country)
        except numbers.NumberError:
            return None

    def _row(self, message_id: int, contact: Contact, to: str | None, stopped: bool) -> Row:
        plan, tariff = self.plan, self.plan.context.tariff
        body, info = self._text(contact, to or contact.mobile)
        if to is None:
            return rejected_row(plan, message_id, contact.mobile, body, info, "INVALID_NUMBER")
        if stopped:
            self.stopped += 1
            return rejected_row(plan, message_id, to, body, info, "OPTED_OUT")
        route = tariff.routes.first(to)
        price = tariff.prices.price(plan.context.account.id, to)
        if route is None or price is None:
            return rejected_row(plan, message_id, to, body, info, "NO_ROUTE_AVAILABLE")
        total = price * info.segments
        self.served += 1
        self.credits += total
        return message_row(plan, message_id, to, body, info, total, route.carrier_id)

    def _text(self, contact: Contact, to: str) -> tuple[str, TextInfo]:
        if self.personal:
            whose = f" in contact {contact.id}"
            body = filled(self.body, {"mobile": to, **contact.fields}, "idtemplate", whose)
            return body, measured(self.plan.context, body, "idtemplate")
        if self.info is None:
            self.info = measured(self.plan.context, self.body, "sms")
        return self.body, self.info

    def _check_funds(self) -> None:
        """Give up early, rather than stage 100,000 messages that the last transaction would refuse."""
        if self.credits <= self.funds:
            return
        context = self.plan.context
        with context.read() as connection:
            self.funds = ledger.balance(connection, context.account.id)
        if self.credits > self.funds:
            raise Refusal(Code.NO_CREDITS, "The balance does not cover this send; nothing was sent.")


def destinations(read: Read, account_id: int, batch_id: int) -> Rows:
    """The messages of a batch as a bulk send answers them, read while the reply is written."""

    def pages() -> Iterator[Sequence[dict[str, Any]]]:
        after = 0
        while True:
            with read() as connection:
                page = batches.destinations(connection, account_id, batch_id, after, PIECE)
            if not page:
                return
            after = page[-1][0]
            yield [{"messageid": str(message_id), "destination": to} for message_id, to in page]

    return Rows(pages, batch_id)
