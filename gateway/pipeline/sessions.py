"""The pipeline as the requests of a session pass it: authenticated once, asked whether it still holds at each read.

The same stages in the same order as in `pipeline`, on plain values: customers hand over thousands of messages a
second on one session. What cannot change between the requests of one read is asked once.
"""

from time import perf_counter_ns

import orjson

from gateway.operations.context import Context, TakesIds, Tariff
from gateway.operations.errors import Code, Refusal
from gateway.pipeline import permit
from gateway.pipeline.authenticate import Authenticator
from gateway.pipeline.limit import Limiter
from gateway.pipeline.redact import dumps
from gateway.settings import Settings
from gateway.storage.database import Database
from gateway.storage.directory import Directory
from gateway.storage.errors import Unavailable
from gateway.storage.records import Access
from gateway.storage.submission import Row

PROTOCOL = "smpp"
CLASS = "smpp"
"""What the log calls the class of a session's requests; their methods are the standard's names."""

_MOST_MICROSECONDS = 2**31 - 1
_DETAIL_LIMIT = 1000


class Gate:
    """Who is let in: gives the requests of one read their contexts."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        directory: Directory,
        authenticator: Authenticator,
        limiter: Limiter,
        ids: TakesIds,
    ) -> None:
        self._settings = settings
        self._database = database
        self._directory = directory
        self._authenticator = authenticator
        self._limiter = limiter
        self._ids = ids

    def read(self, access: Access, source_ip: str, now: int) -> "Read":
        """Begin with what was read at once of a session; `now` is in UTC microseconds."""
        return Read(self, access, source_ip, now)

    def _current(self, access: Access, source_ip: str) -> Access:
        return self._authenticator.again(access, source_ip)

    def _count(self, access: Access) -> None:
        if access.rate is not None:
            self._limiter.check(access)

    def _context(self, access: Access, now: int) -> Context:
        directory = self._directory
        return Context(
            account=access.account,
            access=access,
            protocol=PROTOCOL,
            now=now,
            read=self._database.read,
            tariff=Tariff(directory.routes, directory.prices),
            ids=self._ids,
            settings=self._settings,
        )


class Read:
    """What was read at once. `access` is the session's as it is now, once a request was admitted."""

    __slots__ = ("_admitted", "_context", "_gate", "_source_ip", "access", "now")

    def __init__(self, gate: Gate, access: Access, source_ip: str, now: int) -> None:
        self._gate = gate
        self.access = access
        self._source_ip = source_ip
        self.now = now
        self._context: Context | None = None
        self._admitted: dict[str, Refusal | Unavailable | None] = {}

    def context(self) -> Context:
        """The context of the session's calls. Raises `Refusal` where the access does not hold any more, `Blind`."""
        if self._context is None:
            self.access = self._gate._current(self.access, self._source_ip)
            self._context = self._gate._context(self.access, self.now)
        return self._context

    def admit(self, class_name: str, method: str) -> Context:
        """Let one request of this operation in and count it.

        Raises `Refusal` (INCORRECT_USER_PASSWORD, IP_NOT_ALLOWED, NOT_PERMITTED, TOO_MANY_REQUESTS) and `Blind`.
        """
        if method not in self._admitted:
            self._admitted[method] = self._refusal(class_name, method)
        refusal = self._admitted[method]
        if refusal is not None:
            raise refusal.with_traceback(None)
        context = self.context()
        self._gate._count(context.access)
        return context

    def _refusal(self, class_name: str, method: str) -> Refusal | Unavailable | None:
        try:
            permit.check(self.context().access, PROTOCOL, class_name, method, self.now)
        except (Refusal, Unavailable) as refusal:
            return refusal
        return None


def row(
    log_id: int,
    access: Access,
    source_ip: str,
    method: str,
    parameters: dict[str, object],
    outcome: str,
    response: str,
    message_id: int | None,
    received_at: int,
    started: int,
    request_id: str,
) -> Row:
    """The log row of a session's request, in `submission.LOG_COLUMNS` order.

    `parameters` hold no secret, and no text that the account wants kept out; `started` is in the process's
    nanoseconds.
    """
    return (
        log_id,
        received_at,
        access.account.id,
        access.id,
        access.login,
        source_ip,
        PROTOCOL,
        CLASS,
        method,
        dumps(parameters).decode(),
        outcome,
        response,
        message_id,
        None,
        min(_MOST_MICROSECONDS, (perf_counter_ns() - started) // 1000),
        None,
        request_id,
        1,
    )


def refused(code: Code, detail: str, command_status: int) -> str:
    """The response of a refused request, for its log row."""
    body = {
        "status": "ERROR",
        "error": code.value,
        "detail": detail[:_DETAIL_LIMIT],
        "command_status": f"0x{command_status:08X}",
    }
    return orjson.dumps(body).decode()
