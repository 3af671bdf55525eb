"""Messages that wait for the writer: their log row within its transaction, their answer after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson

from gateway import logs
from gateway.frontends.smpp import statuses
from gateway.messaging.money import format_credits
from gateway.operations.errors import Code
from gateway.smpp.pdu import SubmitSm, UnsuccessSme
from gateway.storage.errors import Unavailable
from gateway.storage.submission import MESSAGE_COLUMNS, Committed, Row, Verdict

if TYPE_CHECKING:
    from gateway.frontends.smpp.requests import Request
    from gateway.frontends.smpp.submits import Submits

_ID, _ENCODING, _SEGMENTS = (MESSAGE_COLUMNS.index(name) for name in ("id", "encoding", "segments"))
_NO_CREDITS = "The balance does not cover this send; nothing was sent."
_LISTED = 20


class Sent:
    """The messages of one submit_sm or submit_multi, `rows` in `submission.MESSAGE_COLUMNS` order; a writer's waiter.

    `price` is in micro-credits, for all of them; `unsuccess` the destinations of a submit_multi that were refused.
    """

    __slots__ = ("_log_id", "_submits", "_unsuccess", "price", "request", "rows")

    def __init__(
        self,
        submits: Submits,
        request: Request,
        log_id: int,
        rows: Sequence[Row],
        price: int,
        unsuccess: Sequence[UnsuccessSme] = (),
    ) -> None:
        self._submits = submits
        self._log_id = log_id
        self._unsuccess = unsuccess
        self.request = request
        self.rows = rows
        self.price = price

    @property
    def ids(self) -> list[int]:
        """The messages' ids; those of a submit_multi follow each other."""
        return [row[_ID] for row in self.rows]

    def log(self, verdict: Verdict) -> Row:
        """The request's log row; also called in another thread."""
        request = self.request
        if not isinstance(verdict, Committed):
            status = statuses.of_request(Code.NO_CREDITS, "")
            return request.refused_row(
                self._log_id, Code.NO_CREDITS, _NO_CREDITS, status, self._submits.text(request)
            )
        row = self.rows[0]
        message_id = row[_ID]
        return request.row(self._log_id, "SUCCESS", self._result(row), {"message": str(message_id)}, message_id)

    def answer(self, value: Any) -> None:
        """The writer has decided."""
        try:
            self._answer(value)
        except Exception as error:  # noqa: BLE001 - the writer must go on, whatever became of one answer
            logs.failure("an answer failed", error, request_id=self.request.id)
        self._submits.unanswered.difference_update(self.ids)

    def fail(self, error: BaseException) -> None:
        """Nothing was written, or nobody knows: the database is away."""
        if not isinstance(error, Exception):
            error = Unavailable("The gateway is stopping; try again in a moment.")
        try:
            self._submits.refuse(self.request, error)
        except Exception as problem:  # noqa: BLE001
            logs.failure("an answer failed", problem, request_id=self.request.id)
        self._submits.unanswered.difference_update(self.ids)

    def _answer(self, value: Any) -> None:
        request = self.request
        if not isinstance(value, Committed):
            self._submits.answer(request, Code.NO_CREDITS.value, statuses.of_request(Code.NO_CREDITS, ""))
            return
        message_id = str(self.rows[0][_ID])
        if isinstance(request.pdu, SubmitSm):
            request.answer(message_id=message_id)
        else:
            request.answer(message_id=message_id, unsuccess_sme=list(self._unsuccess))
        self._submits.settled(request, "SUCCESS")

    def _result(self, row: Row) -> str:
        """What the request was answered, as the other front ends' calls have it in the log."""
        if isinstance(self.request.pdu, SubmitSm):
            return (
                f'{{"status":"SUCCESS","result":{{"messageid":"{row[_ID]}","credits":{format_credits(self.price)},'
                f'"encoding":"{row[_ENCODING]}","segments":{row[_SEGMENTS]}}}}}'
            )
        unsuccess = {one.destination_addr: f"0x{one.error_status_code:08X}" for one in self._unsuccess[:_LISTED]}
        result = {
            "messageid": str(row[_ID]),
            "count": len(self.rows),
            "credits": orjson.Fragment(format_credits(self.price)),
            "unsuccess": unsuccess,
        }
        return orjson.dumps({"status": "SUCCESS", "result": result}).decode()
