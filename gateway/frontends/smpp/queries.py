"""query_sm and cancel_sm: what became of messages, and taking them back (SMPP 3.4, 4.8 and 4.9).

The id alone names a message; an address that is given must be the message's, as the standard has it. Another
account's message reads exactly like one that does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from sqlalchemy import Connection

from gateway.messaging.money import format_credits
from gateway.messaging.states import FINAL, State
from gateway.operations import direct
from gateway.operations.errors import Code, Refusal
from gateway.smpp import times
from gateway.smpp.constants import MessageState
from gateway.smpp.pdu import CancelSm, QuerySm
from gateway.storage.queries import submitted
from gateway.storage.queries.submitted import Submitted, Taken

if TYPE_CHECKING:
    from gateway.frontends.smpp.reading import Reader
    from gateway.frontends.smpp.requests import Request
    from gateway.frontends.smpp.submits import Submits
    from gateway.operations.context import Context
    from gateway.pipeline.sessions import Read

_PIECE = 200  # ids of one look-up
_LONGEST_ID = 16  # digits: ids stay below 2**53
_STATES = {
    State.SENT: MessageState.ENROUTE,
    State.DELIVERED: MessageState.DELIVERED,
    State.UNDELIVERED: MessageState.UNDELIVERABLE,
    State.EXPIRED: MessageState.EXPIRED,
    State.REJECTED: MessageState.REJECTED,
    State.CANCELLED: MessageState.DELETED,
}


def message_state(state: State) -> MessageState:
    """What query_sm calls a state: what is not over is ENROUTE (SMPP 3.4, 5.2.28)."""
    return _STATES.get(state, MessageState.ENROUTE)


@dataclass(frozen=True, slots=True)
class _Question:
    request: Request
    pdu: QuerySm
    context: Context
    message_id: int


class Queries:
    """Answers query_sm and cancel_sm."""

    def __init__(self, submits: Submits, reader: Reader) -> None:
        self._submits = submits
        self._reader = reader
        self._questions: list[_Question] = []

    def query_sm(self, read: Read, request: Request) -> None:
        """Take a query_sm; `look` answers it with the others of its read."""
        try:
            context = read.admit("sms", "getdeliverystatus")
        finally:
            request.access = read.access
        pdu = request.pdu
        assert isinstance(pdu, QuerySm)  # noqa: S101 (for the type checker)
        self._questions.append(_Question(request, pdu, context, _id(pdu.message_id)))

    def look(self) -> None:
        """Look up what was asked since the last time."""
        questions, self._questions = self._questions, []
        for start in range(0, len(questions), _PIECE):
            self._reader.start(self._answer(questions[start : start + _PIECE]))

    def cancel_sm(self, read: Read, request: Request) -> None:
        """Cancel a message by its id, or what waits between two addresses."""
        try:
            context = read.admit("sms", "sendsms")
        finally:
            request.access = read.access
        pdu = request.pdu
        assert isinstance(pdu, CancelSm)  # noqa: S101 (for the type checker)
        message_id = _id(pdu.message_id) if pdu.message_id else None
        source = direct.source_of(pdu.source_addr) if pdu.source_addr else ""
        to = ""
        if pdu.destination_addr or message_id is None:
            to = direct.number_of(pdu.destination_addr, pdu.dest_addr_ton, context.account.country)
        if message_id is None:
            if pdu.service_type:
                raise direct.incorrect("service_type", "Messages are not kept by it: leave it empty, or give the id.")
            source = source or context.account.sender or context.settings.default_sender
        self._reader.start(self._cancel(request, context, message_id, source, to))

    async def _answer(self, questions: list[_Question]) -> None:
        account_id = questions[0].context.account.id
        ids = [question.message_id for question in questions]
        try:
            found = await self._reader.read(
                questions[0].context, lambda connection: submitted.find(connection, account_id, ids)
            )
        except Exception as error:  # noqa: BLE001 - a request is always answered
            for question in questions:
                self._submits.refuse(question.request, error)
            return
        for question in questions:
            try:
                self._tell(question, found.get(question.message_id))
            except Exception as error:  # noqa: BLE001
                self._submits.refuse(question.request, error)

    def _tell(self, question: _Question, message: Submitted | None) -> None:
        request, pdu = question.request, question.pdu
        if message is None or (pdu.source_addr and direct.source_of(pdu.source_addr) != message.source):
            raise _unknown()
        state = State(message.state)
        final_at = message.final_at if state in FINAL else None
        told = message_state(state)
        response = orjson.dumps({"status": "SUCCESS", "result": {"message_state": told.name}}).decode()
        if not self._submits.post(
            lambda log_id: request.row(log_id, "SUCCESS", response, message_id=question.message_id)
        ):
            raise Refusal(Code.UNAVAILABLE, "Too many calls are waiting to be logged; try again in a moment.")
        self._submits.answer(
            request,
            "SUCCESS",
            message_id=pdu.message_id,
            final_date="" if final_at is None else times.format(final_at),
            message_state=int(told),
        )

    async def _cancel(self, request: Request, context: Context, message_id: int | None, source: str, to: str) -> None:
        services, account_id = self._submits.services, context.account.id
        try:
            ids = [message_id] if message_id is not None else []
            if not ids:
                ids = await self._reader.read(
                    context, lambda connection: submitted.waiting(connection, account_id, source, to)
                )
            (log_id,) = services.ids.take(1)

            def change(connection: Connection) -> Taken:
                if message_id is not None:
                    _check_addresses(submitted.find(connection, account_id, ids).get(message_id), source, to)
                taken = submitted.cancel(connection, account_id, ids, services.now())
                if taken is None:
                    raise direct.incorrect("message_state", "No such message waits: it is on its way, or over.")
                return taken

            await services.host.transact(
                change, lambda taken: request.row(log_id, "SUCCESS", _taken(taken), message_id=taken.message_ids[0])
            )
        except Exception as error:  # noqa: BLE001 - a request is always answered
            self._submits.refuse(request, error)
        else:
            self._submits.answer(request, "SUCCESS")


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID):
        raise _unknown()
    return int(text)


def _unknown() -> Refusal:
    return direct.incorrect("message_id", "The account has no message of this id between these addresses.")


def _check_addresses(message: Submitted | None, source: str, to: str) -> None:
    if message is None or (source and source != message.source) or (to and to != message.destination):
        raise _unknown()


def _taken(taken: Taken) -> str:
    result = {
        "messageids": [str(message_id) for message_id in taken.message_ids],
        "refunded": orjson.Fragment(format_credits(taken.refunded)),
    }
    return orjson.dumps({"status": "SUCCESS", "result": result}).decode()
