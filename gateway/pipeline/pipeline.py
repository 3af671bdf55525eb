"""What every call passes, in the order that decides which error wins.

Missing credentials, missing class or method, failed logins and networks, the secret (`authenticate`), whether
the operation exists, permissions (`permit`), the rate (`limit`), the parameters (`bind`), the operation itself
(`execute`), and whatever came of it: the log.
"""

from dataclasses import dataclass
from typing import Protocol

from gateway import clock
from gateway.operations.catalogue import CATALOGUE, Operation, class_names
from gateway.operations.context import Context, TakesIds, Tariff
from gateway.operations.errors import Code, Refusal
from gateway.pipeline import permit
from gateway.pipeline.authenticate import Authenticator, credentials, missing
from gateway.pipeline.bind import bind
from gateway.pipeline.call import Call, Reply
from gateway.pipeline.execute import Logged, Pending, Writes, execute
from gateway.pipeline.limit import Limiter
from gateway.pipeline.logbook import Logbook
from gateway.pipeline.redact import Secrets
from gateway.settings import Settings
from gateway.storage.database import Database
from gateway.storage.directory import Directory
from gateway.storage.errors import Unavailable
from gateway.storage.records import Access
from gateway.storage.submission import Submission, Verdict


class Observes(Protocol):
    """Is told of every call once: the metrics and the line in the process's own log."""

    def call(self, call: Call, reply: Reply, operation: Operation | None) -> None:
        """A call was answered."""
        ...

    def failure(self, call: Call, error: BaseException) -> None:
        """A call was answered INTERNAL_ERROR because of this."""
        ...


@dataclass(slots=True)
class _Known:
    """What is known of a call so far; refused calls are logged with as much."""

    access: Access | None = None
    operation: Operation | None = None


class Pipeline:
    """Handles calls of every front end, in one process."""

    def __init__(
        self,
        *,
        settings: Settings,
        database: Database,
        directory: Directory,
        authenticator: Authenticator,
        limiter: Limiter,
        writer: Writes,
        ids: TakesIds,
        logbook: Logbook,
        observer: Observes,
    ) -> None:
        self._settings = settings
        self._database = database
        self._directory = directory
        self._authenticator = authenticator
        self._limiter = limiter
        self._writer = writer
        self._ids = ids
        self._logbook = logbook
        self._observer = observer
        self._classes = class_names()

    def handle(self, call: Call) -> Reply:
        """Answer a call; what it sent is on disk by then. Never raises for anything that a call can bring about."""
        begun = self.begin(call)
        if isinstance(begun, Reply):
            return begun
        try:
            verdict = self._writer.submit(begun.submission)
        except Exception as error:  # noqa: BLE001 - a call is always answered
            return begun.failed(error)
        return begun.finish(verdict)

    def begin(self, call: Call) -> "Reply | Begun":
        """Everything up to the writer: the reply, or what is to be submitted before there is one.

        For hosts that wait for the writer in their own way; `handle` is this and the waiting.
        """
        known = _Known()
        # It goes to logs and pages as it is, so it must not be the secret, by whatever mistake of the client's.
        if call.secret and call.secret in call.request_id:
            call.request_id = Secrets((call.secret,)).hide(call.request_id)
        try:
            outcome = self._run(call, known)
        except Exception as error:  # noqa: BLE001 - a call is always answered
            return self._refused(call, known, error)
        if isinstance(outcome, Pending):
            return Begun(outcome, self, call, known)
        return self._done(call, known, outcome)

    def _run(self, call: Call, known: _Known) -> Reply | Pending:
        self._identify(call, known)
        access, operation = known.access, known.operation
        if access is None or operation is None:
            raise AssertionError("a call that was not identified was not refused")
        if call.operation is None:
            permit.check(access, call.protocol, operation.class_name, operation.method, call.received_at)
        else:
            permit.check_access(access, call.protocol, call.received_at)
        self._limiter.check(access)
        parameters = bind(operation, call)
        context = Context(
            account=access.account,
            access=access,
            protocol=call.protocol,
            now=clock.now(),
            read=self._database.read,
            tariff=Tariff(self._directory.routes, self._directory.prices),
            ids=self._ids,
            settings=self._settings,
        )
        log_id = self._logbook.reserve()
        return execute(
            operation,
            context,
            parameters,
            call,
            self._writer,
            lambda reply, message: self._logbook.row(call, reply, access, operation, message, log_id),
        )

    def _identify(self, call: Call, known: _Known) -> None:
        if call.access is None and call.proof is None:
            credentials(call)
        if not call.class_name:
            raise missing(call, Code.MISSING_CLASS, "Give the class of the operation as class, for example sms.")
        if not call.method:
            raise missing(call, Code.MISSING_METHOD, "Give the operation as method, for example sendsms.")
        class_name, method = call.class_name.lower(), call.method.lower()
        known.operation = call.operation or CATALOGUE.get((class_name, method))
        known.access = call.access = self._authenticator.authenticate(call)
        if known.operation is None:
            raise self._no_such(class_name, method)

    def _no_such(self, class_name: str, method: str) -> Refusal:
        if class_name not in self._classes:
            return Refusal(Code.INCORRECT_CLASS, f"class: There is none of this name, only {_list(self._classes)}.")
        methods = frozenset(name for owner, name in CATALOGUE if owner == class_name)
        return Refusal(Code.INCORRECT_METHOD, f"method: The class {class_name} has {_list(methods)}.")

    def _refused(self, call: Call, known: _Known, error: Exception) -> Reply:
        match error:
            case Refusal():
                reply = Reply(None, error.code, error.detail)
            case Unavailable():
                reply = Reply(None, Code.UNAVAILABLE, str(error))
            case _:
                self._observer.failure(call, error)
                reply = Reply(
                    None, Code.INTERNAL_ERROR, f"Something failed here; quote {call.request_id} when you report it."
                )
        return self._done(call, known, reply)

    def _done(self, call: Call, known: _Known, reply: Reply) -> Reply:
        if not isinstance(reply, Logged):
            reply = self._log(call, known, reply)
        self._observer.call(call, reply, known.operation)
        return reply

    def _log(self, call: Call, known: _Known, reply: Reply) -> Reply:
        """A call that wrote nothing is logged within a second; one that cannot be logged is not served."""
        try:
            if known.access is None:
                tried = self._directory.access(call.login) if call.login else None
                rows = self._logbook.stranger(call, reply, tried, known.operation)
            else:
                rows = [self._logbook.row(call, reply, known.access, known.operation)]
            for row in rows:
                self._writer.post(row)
        except Unavailable as error:
            return reply if reply.error is not None else Reply(None, Code.UNAVAILABLE, str(error))
        return reply


class Begun:
    """A call that waits for the writer."""

    __slots__ = ("_call", "_known", "_pending", "_pipeline")

    def __init__(self, pending: Pending, pipeline: Pipeline, call: Call, known: _Known) -> None:
        self._pending = pending
        self._pipeline = pipeline
        self._call = call
        self._known = known

    @property
    def submission(self) -> Submission:
        """What the writer is to be handed."""
        return self._pending.submission

    def finish(self, verdict: Verdict) -> Reply:
        """The reply, once the writer has decided."""
        return self._pipeline._done(self._call, self._known, self._pending.finish(verdict))

    def failed(self, error: Exception) -> Reply:
        """The reply where the writer could not decide."""
        return self._pipeline._refused(self._call, self._known, error)


def _list(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
