"""The log as the pipeline keeps it: a row for each call of a customer, sums for strangers who insist."""

from collections.abc import Sequence

from gateway.operations.catalogue import Operation
from gateway.operations.context import TakesIds
from gateway.pipeline import log
from gateway.pipeline.call import Call, Reply
from gateway.pipeline.strangers import Strangers
from gateway.storage.records import Access
from gateway.storage.submission import MESSAGE_COLUMNS, Row

_ID = MESSAGE_COLUMNS.index("id")
_TEXT = MESSAGE_COLUMNS.index("text")


class Logbook:
    """Makes the rows of `call_log`; its caller has them written."""

    def __init__(self, ids: TakesIds) -> None:
        self._ids = ids
        self._strangers = Strangers()

    def reserve(self) -> int:
        """An id for a row that is made within a transaction, where none can be had: new ones come by the writer."""
        return self._ids.take(1)[0]

    def row(
        self,
        call: Call,
        reply: Reply,
        access: Access | None,
        operation: Operation | None,
        message: Row | None = None,
        log_id: int | None = None,
    ) -> Row:
        """A call's row. `message` is the row of the one message it sent, whose text is not copied.

        `log_id` is one of `reserve`, compulsory within a transaction.
        """
        return log.row(
            call,
            reply,
            access,
            operation,
            self.reserve() if log_id is None else log_id,
            message_id=None if message is None else message[_ID],
            text=None if message is None else message[_TEXT],
        )

    def stranger(self, call: Call, reply: Reply, tried: Access | None, operation: Operation | None) -> Sequence[Row]:
        """The rows that are due now that a call was refused before its caller was known.

        `tried` is the access whose login was given: its account sees who tried.
        """
        return self._strangers.add(self.row(call, reply, tried, operation))

    def due(self, now: int | None) -> Sequence[Row]:
        """The sums whose minute is over at `now` (UTC microseconds); all of them at None, when the process ends."""
        return self._strangers.flush(now)
