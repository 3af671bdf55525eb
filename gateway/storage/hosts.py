"""Hosts of the committing writer: they run its steps where these block nobody, and wake its callers.

`DirectHost` for the command line and tests (the caller commits), `GeventHost` for the web server, `AsyncHost`
for dispatch and SMPP.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from sqlalchemy import Connection

from gateway.storage.database import AWAY
from gateway.storage.errors import Unavailable
from gateway.storage.submission import Row, Submission, Verdict
from gateway.storage.writer import PAUSE, Step, Waiter, Work, Writer

T = TypeVar("T")

# A busy process waits so many seconds before a commit of only a few calls: what a commit costs, however many it
# writes, is then shared. A lone call never waits.
_GATHER = 0.002
_FEW = 32

# Log rows of calls that write nothing are on disk within this many seconds.
FLUSH = 0.5


class _Slot:
    """Keeps one answer for a caller that drives the writer itself."""

    __slots__ = ("error", "value")

    def __init__(self) -> None:
        self.value: Any = None
        self.error: BaseException | None = None

    def answer(self, value: Any) -> None:
        self.value = value

    def fail(self, error: BaseException) -> None:
        self.error = error

    def result(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value


class DirectHost:
    """Commits in the caller's own thread, one call at a time."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def submit(self, submission: Submission) -> Verdict:
        """Store a submission. Raises `Unavailable` when the database is away."""
        slot = _Slot()
        self._writer.put(submission, slot)
        self._drain()
        verdict: Verdict = slot.result()
        return verdict

    def transact(self, change: Callable[[Connection], T], log: Callable[[T], Row] | None = None) -> T:
        """Run a change in a transaction of its own and give what it returns."""
        slot = _Slot()
        self._writer.put_change(change, log, slot)
        self._drain()
        result: T = slot.result()
        return result

    def post(self, row: Row) -> None:
        """Log a call that wrote nothing; on disk with the next commit or `flush`."""
        self._writer.post(row)

    def flush(self) -> None:
        """Commit everything that waits. Raises `Unavailable` when the database is away: log rows still wait then."""
        if not self._drain():
            raise Unavailable(AWAY)

    def close(self) -> None:
        """Commit what waits, if the database answers, and give the connection back."""
        self._drain()
        self._writer.close()

    def _drain(self) -> bool:
        while len(self._writer) or self._writer.posts:
            if not run_steps(self._writer) and not len(self._writer):
                return False
        return True


def run_steps(writer: Writer) -> bool:
    """Run one transaction's steps here and now; False where the database is away."""
    steps = writer.step()
    try:
        step = next(steps)
        while True:
            step = _advance(steps, step, step.run)
    except StopIteration as end:
        return bool(end.value)


def _advance(steps: Any, step: Step, run: Callable[[], Any]) -> Step:
    """Run a step and hand its result, or what it raised, back to the writer; the writer's next step."""
    try:
        value = run()
    except BaseException as error:  # noqa: BLE001 - the writer decides what a failure means
        following: Step = steps.throw(error)
    else:
        following = steps.send(value)
    return following


class GeventHost:
    """The web server's host: one greenlet commits while the others go on reading requests.

    Statements on SQLite run in the hub (microseconds, nothing to wait for), its lock and its sync in a native
    thread. A batch on PostgreSQL runs in that thread as a whole: waiting through the hub, each of its round trips
    would queue behind the requests while the balances are locked.
    """

    def __init__(self, writer: Writer, dialect: str) -> None:
        import gevent  # noqa: PLC0415 - only the web role is patched; the others must not load it
        from gevent.event import AsyncResult, Event  # noqa: PLC0415
        from gevent.threadpool import ThreadPool  # noqa: PLC0415

        self._writer = writer
        self._native = {Work.WAIT} if dialect == "sqlite" else {Work.WAIT, Work.TALK}
        self._gevent = gevent
        self._result = AsyncResult
        self._wanted = Event()
        self._stopping = False
        self._pool = ThreadPool(1)
        self._loop = gevent.spawn(self._run)

    def submit(self, submission: Submission) -> Verdict:
        """Store a submission; the calling greenlet waits. Raises `Unavailable`."""
        waiter = _GeventWaiter(self._result())
        self._writer.put(submission, waiter)
        self._wanted.set()
        verdict: Verdict = waiter.result.get()
        return verdict

    def transact(self, change: Callable[[Connection], T], log: Callable[[T], Row] | None = None) -> T:
        """Run a change in a transaction of its own; the calling greenlet waits."""
        waiter = _GeventWaiter(self._result())
        self._writer.put_change(change, log, waiter)
        self._wanted.set()
        result: T = waiter.result.get()
        return result

    def post(self, row: Row) -> None:
        """Log a call that wrote nothing, within `FLUSH` seconds."""
        self._writer.post(row)

    def close(self) -> None:
        """Commit what waits, then end."""
        self._stopping = True
        self._wanted.set()
        self._loop.join()
        self._pool.kill()

    def _run(self) -> None:
        while True:
            self._wanted.wait(timeout=FLUSH)
            self._wanted.clear()
            while len(self._writer) or self._writer.posts:
                if not self._drive() and not len(self._writer):
                    break
                if 0 < len(self._writer) < _FEW and not self._stopping:
                    # Calls came in while the last ones were committed, so more are on their way.
                    self._gevent.sleep(_GATHER)
            if self._stopping:
                # Before anybody else runs: who comes later must be told, nobody would answer him.
                self._writer.close()
                return

    def _drive(self) -> bool:
        steps = self._writer.step()
        try:
            step = next(steps)
            while True:
                step = _advance(steps, step, self._runner(step))
        except StopIteration as end:
            return bool(end.value)

    def _runner(self, step: Step) -> Callable[[], Any]:
        if step.work is Work.PAUSE:
            return lambda: self._gevent.sleep(PAUSE)
        if step.work in self._native:
            return lambda: _opened(self._pool.apply(_kept, (step.run,)))
        return step.run


def _kept(run: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    """What a function gave or raised: of what is raised in its threads gevent prints the traceback."""
    try:
        return run(), None
    except BaseException as error:  # noqa: BLE001 - it is raised again where it was asked for
        return None, error


def _opened(kept: tuple[Any, BaseException | None]) -> Any:
    value, error = kept
    if error is not None:
        raise error
    return value


class _GeventWaiter:
    __slots__ = ("result",)

    def __init__(self, result: Any) -> None:
        self.result = result

    def answer(self, value: Any) -> None:
        self.result.set(value)

    def fail(self, error: BaseException) -> None:
        self.result.set_exception(error)


class AsyncHost:
    """The host of the asyncio roles: what blocks runs in one native thread of its own."""

    def __init__(self, writer: Writer, dialect: str) -> None:
        self._writer = writer
        self._native_talk = dialect != "sqlite"
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="writer")
        self._wanted = asyncio.Event()
        self._stopping = False
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run(), name="writer")

    def put(self, submission: Submission, waiter: Waiter) -> None:
        """Store a submission; its waiter is called in the loop's thread. Raises `Unavailable` when too many wait."""
        self._writer.put(submission, waiter)
        self._wanted.set()

    async def submit(self, submission: Submission) -> Verdict:
        """Store a submission. Raises `Unavailable`."""
        waiter = _AsyncWaiter(self._loop.create_future())
        self.put(submission, waiter)
        verdict: Verdict = await waiter.future
        return verdict

    async def transact(self, change: Callable[[Connection], T], log: Callable[[T], Row] | None = None) -> T:
        """Run a change in a transaction of its own and give what it returns."""
        waiter = _AsyncWaiter(self._loop.create_future())
        self._writer.put_change(change, log, waiter)
        self._wanted.set()
        result: T = await waiter.future
        return result

    def post(self, row: Row) -> None:
        """Log a call that wrote nothing, within `FLUSH` seconds."""
        self._writer.post(row)

    @property
    def posts(self) -> int:
        """How many log rows of calls that wrote nothing wait to be written."""
        return self._writer.posts

    async def close(self) -> None:
        """Commit what waits, then end."""
        self._stopping = True
        self._wanted.set()
        await self._task
        self._pool.shutdown()

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), FLUSH)
            self._wanted.clear()
            while len(self._writer) or self._writer.posts:
                if not await self._drive() and not len(self._writer):
                    break
            if self._stopping:
                self._writer.close()
                return

    async def _drive(self) -> bool:
        steps = self._writer.step()
        try:
            step = next(steps)
            while True:
                try:
                    value = await self._run_step(step)
                except BaseException as error:  # noqa: BLE001 - the writer decides what a failure means
                    step = steps.throw(error)
                else:
                    step = steps.send(value)
        except StopIteration as end:
            return bool(end.value)

    async def _run_step(self, step: Step) -> Any:
        if step.work is Work.PAUSE:
            return await asyncio.sleep(PAUSE)
        if step.work is Work.WAIT or self._native_talk:
            return await self._loop.run_in_executor(self._pool, step.run)
        return step.run()


class _AsyncWaiter:
    __slots__ = ("future",)

    def __init__(self, future: "asyncio.Future[Any]") -> None:
        self.future = future

    def answer(self, value: Any) -> None:
        if not self.future.done():
            self.future.set_result(value)

    def fail(self, error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)
