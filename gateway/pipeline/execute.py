"""Running an operation and handing what it wants written to the committing writer."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Protocol, TypeVar

import orjson
from sqlalchemy import Connection

from gateway.operations.answers import keep, recall
from gateway.operations.bulk import PIECE, destinations
from gateway.operations.catalogue import Operation, Parameters, wire_names
from gateway.operations.context import Answer, Bulk, Change, Context, Send
from gateway.operations.errors import Code, Refusal
from gateway.pipeline.call import Call, Reply
from gateway.storage.commit import IDEMPOTENCY_LIFE
from gateway.storage.queries import batches, idempotency
from gateway.storage.submission import Claim, Committed, KeyTaken, NoCredits, Repeated, Row, Submission, Verdict

T = TypeVar("T")

# Makes a call's log row from its reply and the row of the one message it sent.
LogRow = Callable[[Reply, Row | None], Row]


class Writes(Protocol):
    """What the pipeline needs of the writer's host (`storage.hosts`)."""

    def submit(self, submission: Submission) -> Verdict:
        """Store a submission."""
        ...

    def transact(self, change: Callable[[Connection], T], log: Callable[[T], Row] | None = None) -> T:
        """Run a change in a transaction of its own."""
        ...

    def post(self, row: Row) -> None:
        """Log a call that wrote nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Pending:
    """A call whose rows are ready: once the writer has given its verdict, `finish` makes the reply."""

    submission: Submission
    finish: Callable[[Verdict], Reply]


def execute(
    operation: Operation, context: Context, parameters: Parameters, call: Call, writer: Writes, log: LogRow
) -> Reply | Pending:
    """Run the operation. A plain send comes back `Pending`, for the host to submit as it can; all else is done here.

    A reply to a call that wrote has its log row committed with it; for any other the caller logs. Raises
    `Refusal` and `Unavailable`.
    """
    given = getattr(parameters, "idempotencykey", None)
    key = None if given is None else _stored_key(context, given)
    fingerprint = _fingerprint(operation, call) if key is not None else ""
    if key is not None:
        first = _first_answer(context, key, fingerprint)
        if first is not None:
            return Reply(first)
    outcome = operation.run(context, parameters)
    if isinstance(outcome, Answer):
        return Reply(outcome.result)
    if isinstance(outcome, Change):
        made = writer.transact(outcome.work, lambda made: log(_changed(made), None))
        return _changed(made)
    claim = Claim(key, fingerprint, "") if key is not None else None
    if isinstance(outcome, Send):
        return _pending(context, outcome, claim, log)
    return _run_bulk(context, outcome, claim, writer, log)


class Logged(Reply):
    """A reply whose log row is committed already."""


def _changed(made: Any) -> Logged:
    return Logged(None, made.code, made.detail) if isinstance(made, Refusal) else Logged(made)


def _stored_key(context: Context, key: str) -> str:
    """What is kept of a key: enough to know it again, and nothing of a secret that somebody took for one."""
    text = f"{context.account.id}:{key}"
    return blake2b(text.encode(), digest_size=32).hexdigest()


def _fingerprint(operation: Operation, call: Call) -> str:
    """Tells whether two calls ask for the same: the operation and every parameter but the key and the format."""
    asked = {
        name: value
        for name, value in call.parameters.items()
        if value and name in wire_names(operation.parameters) and name != "idempotencykey"
    }
    text = orjson.dumps([operation.name, asked], option=orjson.OPT_SORT_KEYS)
    return blake2b(text, digest_size=32).hexdigest()


def _first_answer(context: Context, key: str, fingerprint: str) -> Any:
    with context.read() as connection:
        found = idempotency.find(connection, context.account.id, key, context.now - IDEMPOTENCY_LIFE)
    if found is None:
        return None
    if found[0] != fingerprint:
        raise _key_taken()
    return _recall(context, found[1])


def _recall(context: Context, answer: str) -> Any:
    return recall(answer, lambda batch_id: destinations(context.read, context.account.id, batch_id))


def _key_taken() -> Refusal:
    return Refusal(
        Code.INCORRECT_PARAM,
        "idempotencykey: This key was used within 24 hours with other parameters; use a new one.",
    )


def _pending(context: Context, send: Send, claim: Claim | None, log: LogRow) -> Pending:
    if claim is not None:
        claim = Claim(claim.key, claim.fingerprint, keep(send.result))

    def finish(verdict: Verdict) -> Reply:
        return _reply(context, verdict, send.result)

    def row(verdict: Verdict) -> Row:
        reply = finish(verdict)
        return log(reply, send.message if isinstance(verdict, Committed) else None)

    submission = Submission(
        account_id=context.account.id, debit=send.debit, messages=(send.message,), claim=claim, log=row
    )
    return Pending(submission, finish)


def _reply(context: Context, verdict: Verdict, result: Any) -> Reply:
    match verdict:
        case Committed():
            return Logged(result)
        case NoCredits():
            return Logged(None, Code.NO_CREDITS, "The balance does not cover this send; nothing was sent.")
        case Repeated(answer):
            return Logged(_recall(context, answer))
        case KeyTaken():
            refusal = _key_taken()
            return Logged(None, refusal.code, refusal.detail)


def _run_bulk(context: Context, bulk: Bulk, claim: Claim | None, writer: Writes, log: LogRow) -> Reply:
    """Stage the pieces, then debit and open the batch in one last transaction; or leave nothing behind."""
    account = context.account.id
    batch: Row | None = (bulk.batch_id, account, context.now, 0, 0)
    try:
        for piece in bulk.pieces:
            writer.submit(Submission(account_id=account, messages=piece, batch=batch))
            batch = None
        result = bulk.result()
        verdict = _open(context, bulk, result, claim, writer, log)
    except BaseException:
        _discard(bulk.batch_id, account, writer)
        raise
    if not isinstance(verdict, Committed):
        _discard(bulk.batch_id, account, writer)
    return _reply(context, verdict, result)


def _open(context: Context, bulk: Bulk, result: Any, claim: Claim | None, writer: Writes, log: LogRow) -> Verdict:
    count, credits_ = bulk.tally()
    if claim is not None:
        claim = Claim(claim.key, claim.fingerprint, keep(result))
    return writer.submit(
        Submission(
            account_id=context.account.id,
            debit=credits_,
            claim=claim,
            opens=(bulk.batch_id, count, credits_),
            log=lambda verdict: log(_reply(context, verdict, result), None),
        )
    )


def _discard(batch_id: int, account_id: int, writer: Writes) -> None:
    """Remove what was staged, a piece at a time. What a crash leaves behind is removed at the next start."""
    while writer.transact(lambda connection: batches.discard(connection, account_id, batch_id, PIECE)):
        pass
