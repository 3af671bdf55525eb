"""The committing writer: one per process, it turns what many calls want written into few transactions.

Callers hand over rows (`Submission`), rare changes (a function that runs in a transaction of its own) and log
rows. The writer takes everything that waits, writes it in one transaction, commits, and only then answers: an
acknowledged call is committed and synced. A refusal is an answer for its caller, not a rollback. When a batch
fails, its pieces run again alone, so that one bad row harms nobody else.

The writer knows no threads and no event loop. `Writer.step` is a generator that yields what may block (waiting
for the turn, statements, the sync); a host (`storage.hosts`) runs each where it blocks nobody, and wakes the
callers.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from time import perf_counter
from typing import Any, Protocol
from uuid import uuid4

from sqlalchemy import Connection

from gateway import clock
from gateway.storage.commit import apply
from gateway.storage.database import Database, is_away
from gateway.storage.errors import Unavailable
from gateway.storage.statements import Statements
from gateway.storage.submission import Row, Submission, Verdict

# How often a lost connection is tried again before the waiting calls are answered UNAVAILABLE.
_ATTEMPTS = 3
PAUSE = 0.2  # seconds between them
# Log rows that wait for a commit; beyond, calls are refused rather than left unlogged.
_POSTS = 20_000
_STOPPING = "The gateway is stopping; try again in a moment."
_MARK = "INSERT INTO commit_token (token, at) VALUES (?, ?) ON CONFLICT (token) DO NOTHING"

Change = Callable[[Connection], Any]

# What an attempt gives that finds its transaction committed by an earlier one.
_COMMITTED_BEFORE = object()


class Work(Enum):
    """How a host runs a step.

    `WAIT` blocks in the operating system (a lock, a sync), `TALK` executes a batch's statements, `CALL` connects
    or runs a caller's change, which must stay in the threads that its code knows, `PAUSE` is a short rest before
    a lost connection is tried again.
    """

    WAIT = 1
    TALK = 2
    CALL = 3
    PAUSE = 4


@dataclass(frozen=True, slots=True)
class Step:
    """Something for the host to run; its result is sent back into the generator."""

    work: Work
    run: Callable[[], Any]


def _rest() -> None:
    """What a host runs for `PAUSE` where it has nothing better: the calling thread sleeps."""
    time.sleep(PAUSE)


class Waiter(Protocol):
    """How a host wakes the caller of one item."""

    def answer(self, value: Any) -> None:
        """The item is on disk, or refused."""

    def fail(self, error: BaseException) -> None:
        """The item could not be written."""


@dataclass(slots=True)
class _Write:
    submission: Submission
    waiter: Waiter


@dataclass(slots=True)
class _Change:
    change: Change
    log: Callable[[Any], Row] | None
    waiter: Waiter


class Writer:
    """The queue of one process and the transactions that empty it.

    `queue_limit` bounds the waiting calls, `batch_limit` the calls of one transaction. `observe` is told the
    calls and the seconds of each commit, `refused` of each log row that the database does not take, and why: nobody
    waits for it, so nobody else would know.
    """

    def __init__(
        self,
        database: Database,
        *,
        queue_limit: int = 10_000,
        batch_limit: int = 500,
        observe: Callable[[int, float], None] = lambda _calls, _seconds: None,
        refused: Callable[[Row, BaseException], None] = lambda _row, _error: None,
    ) -> None:
        self._database = database
        self._queue_limit = queue_limit
        self._batch_limit = batch_limit
        self._observe = observe
        self._refused = refused
        self._queue: deque[_Write | _Change] = deque()
        self._posts: deque[Row] = deque()
        self._statements: Statements | None = None
        self._has_turn = False
        self._short: set[int] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def posts(self) -> int:
        """Log rows that no transaction has taken along yet."""
        return len(self._posts)

    def put(self, submission: Submission, waiter: Waiter) -> None:
        """Queue a submission; its waiter gets the verdict. Raises `Unavailable` when the queue is full."""
        self._bound()
        self._queue.append(_Write(submission, waiter))

    def put_change(self, change: Change, log: Callable[[Any], Row] | None, waiter: Waiter) -> None:
        """Queue a rare change for a transaction of its own; its waiter gets what `change` returns.

        `log` makes the call's log row from that. What `change` raises undoes it and reaches the waiter.
        """
        self._bound()
        self._queue.append(_Change(change, log, waiter))

    def post(self, row: Row) -> None:
        """Take a log row along with the next transaction. Raises `Unavailable` when too many wait."""
        if self._closed:
            raise Unavailable(_STOPPING)
        if len(self._posts) >= _POSTS:
            raise Unavailable("Too many calls are waiting to be logged; try again in a moment.")
        self._posts.append(row)

    def _bound(self) -> None:
        if self._closed:
            raise Unavailable(_STOPPING)
        if len(self._queue) >= self._queue_limit:
            raise Unavailable("Too many calls are waiting to be stored; try again in a moment.")

    def step(self) -> Generator[Step, Any, bool]:
        """Commit what is at the head of the queue (a batch, or one change), with the waiting log rows.

        Gives False where the database is away: the calls were told so, the log rows wait again.
        """
        head = self._queue[0] if self._queue else None
        if isinstance(head, _Change):
            self._queue.popleft()
            return (yield from self._run_change(head))
        batch: list[_Write] = []
        while self._queue and len(batch) < self._batch_limit:
            head = self._queue[0]
            if isinstance(head, _Change):
                break
            batch.append(head)
            self._queue.popleft()
        posts = [self._posts.popleft() for _ in range(min(len(self._posts), self._batch_limit))]
        return not (batch or posts) or (yield from self._run_batch(batch, posts))

    def _run_batch(self, batch: Sequence[_Write], posts: Sequence[Row]) -> Generator[Step, Any, bool]:
        submissions = [item.submission for item in batch]
        started = perf_counter()
        try:
            verdicts: list[Verdict] = yield from self._transaction(
                Work.TALK, lambda statements: apply(statements, submissions, posts, clock.now(), self._short)
            )
        except Exception as error:  # noqa: BLE001 - whatever it was, each piece gets its own try and its own answer
            return (yield from self._one_by_one(batch, posts, error))
        self._observe(len(batch), perf_counter() - started)
        for item, verdict in zip(batch, verdicts, strict=True):
            item.waiter.answer(verdict)
        return True

    def _one_by_one(
        self, batch: Sequence[_Write], posts: Sequence[Row], error: BaseException
    ) -> Generator[Step, Any, bool]:
        """A batch failed: write its pieces alone; what fails alone is told so."""
        if isinstance(error, Unavailable):
            self._posts.extendleft(reversed(posts))
            for item in batch:
                item.waiter.fail(error)
            return False
        if len(batch) + len(posts) == 1:
            for item in batch:
                item.waiter.fail(error)
            for row in posts:
                self._refused(row, error)
            return True
        answers = True
        for item in batch:
            answers = yield from self._run_batch([item], ())
        for row in posts:
            answers = yield from self._run_batch((), [row])
        return answers

    def _run_change(self, item: _Change) -> Generator[Step, Any, bool]:
        def work(statements: Statements) -> Any:
            result = item.change(statements.connection)
            if item.log is not None:
                apply(statements, (), [item.log(result)], clock.now(), self._short)
            return result

        try:
            result = yield from self._transaction(Work.CALL, work)
        except Exception as error:  # noqa: BLE001 - it belongs to the caller, not to the writer's loop
            item.waiter.fail(error)
            return not isinstance(error, Unavailable)
        item.waiter.answer(result)
        return True

    def _transaction(self, kind: Work, work: Callable[[Statements], Any]) -> Generator[Step, Any, Any]:
        """Run `work` as steps of that kind, and commit.

        Where the answer to COMMIT was lost, the token tells what became of it.
        The token's INSERT is the question as well: the server may still be at the earlier COMMIT, and only an
        INSERT of the same key waits for how that ends.
        """
        token = uuid4().hex
        result: Any = None
        for attempt in range(_ATTEMPTS):
            try:
                yield from self._take_turn()
                if self._statements is None:
                    yield Step(Work.CALL, self._connected)
                # Only a batch's first statement takes the mark along; a change does not know of it.
                ask = attempt > 0 or kind is Work.CALL
                applied = yield Step(kind, partial(self._begin_and_apply, work, token, ask))
                if applied is _COMMITTED_BEFORE:
                    return result
                result = applied
                yield Step(Work.WAIT if self._database.dialect == "sqlite" else Work.TALK, self._commit)
            except GeneratorExit:
                self._reset()
                raise
            except BaseException as error:
                if not (isinstance(error, Unavailable) or is_away(error)):
                    self._roll_back()
                    raise
                self._reset()
                yield Step(Work.PAUSE, _rest)
            else:
                return result
        raise Unavailable("The database does not answer; try again in a moment.")

    def _take_turn(self) -> Generator[Step, Any, None]:
        if not self._database.take_turn(blocking=False):
            yield Step(Work.WAIT, self._database.take_turn)
        self._has_turn = True

    def _end_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self._database.release_turn()

    def _begin_and_apply(self, work: Callable[[Statements], Any], token: str, ask: bool) -> Any:
        statements = self._connected()
        self._database.begin(statements.connection)
        if not ask:
            statements.later(_MARK, token, clock.now())
        elif not statements.run(_MARK, token, clock.now()):
            self._roll_back()
            return _COMMITTED_BEFORE
        return work(statements)

    def _commit(self) -> None:
        self._database.commit(self._connected().connection)
        self._end_turn()

    def _connected(self) -> Statements:
        if self._statements is None:
            self._statements = Statements(self._database.writer_connection(), self._database.dialect)
        return self._statements

    def _roll_back(self) -> None:
        try:
            if self._statements is not None:
                self._database.rollback(self._statements.connection)
        except Exception:  # noqa: BLE001 - the connection is of no use, whatever it said
            self._reset()
        else:
            if self._statements is not None and self._statements.connection.invalidated:
                self._reset()
            self._end_turn()

    def _reset(self) -> None:
        """Forget a connection that cannot be trusted any more; the next transaction opens another."""
        statements, self._statements = self._statements, None
        if statements is not None:
            statements.connection.invalidate()
            statements.connection.close()
        self._end_turn()

    def close(self) -> None:
        """Take nothing more, and give the connection back; what still waits is the host's to commit before."""
        self._closed = True
        statements, self._statements = self._statements, None
        if statements is not None:
            statements.connection.close()
