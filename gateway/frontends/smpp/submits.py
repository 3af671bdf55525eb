"""What becomes of the requests of bound sessions: submit_sm, submit_multi, query_sm, cancel_sm, replace_sm, data_sm.

All that was read at once passes the pipeline at once and waits for one commit; a request is answered when it is on
disk, or refused. Nothing here waits: the writer calls back (`Sent`), and the few requests that must read the database
first are tasks (`queries`).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from time import perf_counter_ns
from typing import TYPE_CHECKING

from gateway import logs, metrics
from gateway.frontends.smpp import statuses
from gateway.frontends.smpp.queries import Queries
from gateway.frontends.smpp.reading import OptOuts, Reader
from gateway.frontends.smpp.requests import Request
from gateway.frontends.smpp.sent import Sent
from gateway.frontends.smpp.submit_multi import Multi
from gateway.frontends.smpp.submit_sm import message_of, text_of
from gateway.messaging.content import Alphabet
from gateway.operations import direct
from gateway.operations.errors import Code, Refusal
from gateway.pipeline.sessions import CLASS, PROTOCOL, Gate, Read
from gateway.smpp.pdu import (
    CancelSm,
    DataSm,
    Pdu,
    QuerySm,
    ReplaceSm,
    SubmitMulti,
    SubmitSm,
)
from gateway.storage.errors import Unavailable
from gateway.storage.submission import Row, Submission

if TYPE_CHECKING:
    from gateway.frontends.smpp.bound import Bound
    from gateway.frontends.smpp.services import Services
    from gateway.operations.context import Context
    from gateway.operations.direct import Plan

_UNSERVED = {ReplaceSm: statuses.REPLACE_REFUSED, DataSm: statuses.REQUESTS[Code.INCORRECT_METHOD]}


class Submits:
    """Answers the requests of every bound session of this process.

    `unanswered` holds the ids of messages that may be on disk and whose submit_sm_resp has not been written yet:
    nothing about them may leave before.
    """

    def __init__(self, services: Services) -> None:
        self.unanswered: set[int] = set()
        self.services = services
        self._alphabet = Alphabet(services.settings.smpp_default_alphabet)
        self._gate = Gate(
            services.settings,
            services.database,
            services.directory,
            services.authenticator,
            services.limiter,
            services.ids,
        )
        reader = Reader()
        self._queries = Queries(self, reader)
        self._opt_outs = OptOuts(reader, self.refuse)
        self._loop = asyncio.get_running_loop()
        self._open = 0
        self._quiet = asyncio.Event()
        self._counted: Counter[tuple[str, str]] = Counter()
        self._kinds: dict[type[Pdu], Callable[[Read, Request], None]] = {
            SubmitSm: self._submit_sm,
            SubmitMulti: self._submit_multi,
            QuerySm: self._queries.query_sm,
            CancelSm: self._queries.cancel_sm,
            ReplaceSm: self._unserved,
            DataSm: self._unserved,
        }

    def handle(self, bound: Bound, pdus: Sequence[Pdu]) -> None:
        """Take requests that were read at once, in wire order; each is answered by `Bound.answer`, once."""
        read = self._gate.read(bound.access, bound.source_ip, self.services.now())
        self._open += len(pdus)
        for pdu in pdus:
            request = Request(bound, pdu, read.now)
            try:
                self._kinds[type(pdu)](read, request)
            except Exception as error:  # noqa: BLE001 - a request is always answered
                self.refuse(request, error)
        self._queries.look()
        self._opt_outs.look()

    async def drain(self) -> None:
        """Wait until everything that was taken is answered."""
        while self._open:
            self._quiet.clear()
            await self._quiet.wait()

    def refuse(self, request: Request, error: Exception) -> None:
        """Answer a request that wrote nothing with what was wrong, and log it."""
        match error:
            case Refusal():
                code, detail, parameter = error.code, error.detail, error.parameter
            case Unavailable():
                code, detail, parameter = Code.UNAVAILABLE, str(error), ""
            case _:
                logs.failure("call failed", error, request_id=request.id)
                code, detail, parameter = Code.INTERNAL_ERROR, f"Something failed here; quote {request.id}.", ""
        status = statuses.of_request(code, parameter)
        if code is Code.INCORRECT_METHOD:
            status = _UNSERVED.get(type(request.pdu), status)
        self.post(lambda log_id: request.refused_row(log_id, code, detail, status, self.text(request)))
        self.answer(request, code.value, status)

    def post(self, make: Callable[[int], Row]) -> bool:
        """Log a request that wrote nothing; False where the log cannot take it."""
        try:
            self.services.host.post(make(self.services.ids.take(1)[0]))
        except Unavailable:
            return False
        return True

    def answer(self, request: Request, outcome: str, status: int = 0, **fields: object) -> None:
        """Answer a request and count it."""
        request.answer(status, **fields)
        self.settled(request, outcome)
        if status:
            logs.info(
                "call",
                protocol=PROTOCOL,
                operation=f"{CLASS}.{request.method}",
                outcome=outcome,
                account=request.access.account.id,
                access=request.access.id,
                source_ip=request.bound.source_ip,
                duration_us=(perf_counter_ns() - request.started) // 1000,
                request_id=request.id,
            )

    def settled(self, request: Request, outcome: str) -> None:
        """A request was answered."""
        if not self._counted:
            self._loop.call_soon(self._count)
        self._counted[request.method, outcome] += 1
        self._open -= 1
        if not self._open:
            self._quiet.set()

    def text(self, request: Request) -> str | None:
        """What the message of a request says, or None where it has none."""
        pdu = request.pdu
        return text_of(pdu, self._alphabet) if isinstance(pdu, SubmitSm | SubmitMulti) else None

    def _count(self) -> None:
        """Count for the metrics, once a turn of the loop."""
        for (method, outcome), n in self._counted.items():
            metrics.call(PROTOCOL, f"{CLASS}.{method}", outcome, n)
        self._counted.clear()

    def _submit_sm(self, read: Read, request: Request) -> None:
        context, pdu = self._admitted(read, request), request.pdu
        assert isinstance(pdu, SubmitSm)  # noqa: S101 (for the type checker)
        plan = direct.plan(context, message_of(pdu, read.now, self._alphabet))
        to = direct.number_of(pdu.destination_addr, pdu.dest_addr_ton, context.account.country)
        if context.account.opt_outs:
            self._opt_outs.ask(request, context, (to,), lambda listed: self._send(request, context, plan, to, listed))
        else:
            self._send(request, context, plan, to)

    def _send(self, request: Request, context: Context, plan: Plan, to: str, opted_out: Collection[str] = ()) -> None:
        if opted_out:
            direct.check_opted_out(to, opted_out)
        log_id, message_id = self.services.ids.take(2)
        row, price = direct.row(context, plan, to, message_id)
        self._put(Sent(self, request, log_id, (row,), price))

    def _submit_multi(self, read: Read, request: Request) -> None:
        context, pdu = self._admitted(read, request), request.pdu
        assert isinstance(pdu, SubmitMulti)  # noqa: S101 (for the type checker)
        multi = Multi(context, direct.plan(context, message_of(pdu, read.now, self._alphabet)), pdu)
        if context.account.opt_outs:
            self._opt_outs.ask(
                request, context, multi.numbers, lambda listed: self._send_multi(request, multi, listed)
            )
        else:
            self._send_multi(request, multi)

    def _send_multi(self, request: Request, multi: Multi, opted_out: Collection[str] = ()) -> None:
        log_id, *message_ids = self.services.ids.take(1 + len(multi.numbers))
        rows, price = multi.rows(message_ids, opted_out)
        self._put(Sent(self, request, log_id, rows, price, multi.unsuccess))

    def _unserved(self, read: Read, request: Request) -> None:
        request.access = read.context().access
        raise Refusal(Code.INCORRECT_METHOD, f"{request.method} is not served here.")

    def _admitted(self, read: Read, request: Request) -> Context:
        try:
            return read.admit("sms", "sendsms")
        finally:
            request.access = read.access

    def _put(self, sent: Sent) -> None:
        submission = Submission(sent.request.access.account.id, sent.price, sent.rows, log=sent.log)
        self.services.host.put(submission, sent)
        self.unanswered.update(sent.ids)
