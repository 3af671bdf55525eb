"""The web role: gunicorn's master, which loads the program once, and its workers, which serve.

The master only imports; connections, threads and counters are made in each worker after the fork. gevent has
patched the standard library before this module is loaded (`gateway.hosting.patched`).
"""

import gc
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

import gevent
from gevent import monkey
from gevent.threadpool import ThreadPool
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger

from gateway import app, clock, frontends, logs, metrics, operations
from gateway.frontends import Application
from gateway.hosting import listen
from gateway.hosting.folder import metrics_folder
from gateway.hosting.lifeline import Lifeline
from gateway.hosting.observer import Observer
from gateway.hosting.server import Worker
from gateway.hosting.site import site
from gateway.hosting.unlogged import log_row_refused
from gateway.settings import Settings
from gateway.storage.database import Database
from gateway.storage.errors import Unavailable
from gateway.storage.hosts import GeventHost
from gateway.storage.queries import nodes
from gateway.storage.writer import Writer

HTTP_SOCKET = "TRUNKLINE_HTTP_FD"

# Seconds for requests in progress to end, and for a worker that says nothing until it is replaced.
GRACE = 10
SILENCE = 60
_SLICE = 0.0005
# Slow hashes at a time in a worker.
_HASHES = 2


def listener(settings: Settings) -> socket.socket:
    """The socket to serve at: the supervisor's, or one of our own.

    Raises `ValueError` for an address that cannot be or is not allowed, `OSError` for one in use.
    """
    return listen.inherited(HTTP_SOCKET) or listen.bind(settings.http, "http", settings.allow_plaintext)


def run(settings: Settings, listener: socket.socket) -> None:
    """Serve at a socket until SIGTERM; ends the process."""
    logs.start("web", settings.log_level, settings.log_format)
    metrics.prepare(metrics_folder(settings.data))
    _preload()
    _Master(_Program(settings, listener)).run()


def application(settings: Settings) -> tuple[Application, Callable[[], None]]:
    """Open everything that a worker needs; give the WSGI application, and what closes it again.

    Raises `Unavailable` while the database cannot be reached.
    """
    metrics.start(metrics_folder(settings.data))
    # The committing thread must not wait for the hub's whole slice (5 ms) between two statements.
    sys.setswitchinterval(_SLICE)
    database = Database.open(settings.url)
    writer = Writer(
        database,
        queue_limit=settings.writer_queue,
        batch_limit=settings.writer_batch,
        observe=metrics.commit,
        refused=log_row_refused,
    )
    host = GeventHost(writer, database.dialect)
    pool = ThreadPool(_HASHES)
    gateway = app.build(settings, database, host, Observer(), offload=lambda work: bool(pool.apply(work)))
    chores = [
        gevent.spawn(_every, app.REFRESH, gateway.refresh),
        gevent.spawn(_every, app.HEARTBEAT, gateway.beat),
    ]

    def close() -> None:
        gevent.killall(chores)
        gateway.leave()
        host.close()
        database.close()

    def carriers() -> set[str]:
        return {carrier.name for carrier in gateway.directory.carriers.values()}

    return site(gateway, lambda: ready(gateway), carriers), close


def ready(gateway: app.Gateway) -> dict[str, str]:
    """For each part that sending needs: "ok", or what is wrong with it."""
    parts = {"database": "ok", "dispatcher": "ok"}
    try:
        gateway.directory.check_fresh()
        with gateway.database.read() as connection:
            seen = nodes.last_seen(connection, "dispatch")
    except Unavailable as error:
        return {"database": str(error), "dispatcher": "unknown: the database is away"}
    if seen is None or seen < clock.now() - nodes.ALIVE:
        parts["dispatcher"] = "no dispatcher gave a sign of life within 5 seconds"
    return parts


def _every(seconds: float, chore: Callable[[], None]) -> None:
    while True:
        try:
            chore()
        except Exception as error:  # noqa: BLE001 - the next time may do
            logs.failure("chore failed", error)
        gevent.sleep(seconds)


def _preload() -> None:
    """Load what the workers need, so that they share its memory."""
    import prometheus_client.multiprocess  # noqa: PLC0415

    for _ in frontends.web_modules():
        pass
    _ = (prometheus_client, operations)


class _Log(Logger):  # type: ignore[misc]
    """gunicorn's own messages come into our log."""

    def setup(self, cfg: Any) -> None:
        """Nothing of gunicorn's handlers."""
        self.cfg = cfg

    def critical(self, message: str, *values: Any, **_: Any) -> None:
        """Something that ends a process."""
        logs.error(_said(message, values))

    def error(self, message: str, *values: Any, **_: Any) -> None:
        """Something an operator should see."""
        logs.error(_said(message, values))

    def warning(self, message: str, *values: Any, **_: Any) -> None:
        """Something odd."""
        logs.warning(_said(message, values))

    def info(self, message: str, *values: Any, **_: Any) -> None:
        """gunicorn's ordinary life is no news."""
        logs.debug(_said(message, values))

    def debug(self, message: str, *values: Any, **_: Any) -> None:
        """Left out."""

    def exception(self, message: str, *values: Any, **_: Any) -> None:
        """An exception that ended a worker."""
        logs.error(_said(message, values))


def _said(message: str, values: tuple[Any, ...]) -> str:
    return message % values if values else message


class _Worker(Worker):
    """A worker with the gateway in it."""

    def init_process(self) -> None:
        """Serve. What ends it goes to the log by its place: gunicorn would print its text, which may hold secrets."""
        try:
            super().init_process()
        except Unavailable as error:
            logs.error("worker cannot start", reason=str(error))
        except Exception as error:  # noqa: BLE001 - the process ends here
            logs.failure("worker failed", error)
        else:
            return
        sys.exit(1 if self.booted else Arbiter.WORKER_BOOT_ERROR)

    def load_wsgi(self) -> None:
        """Open the gateway, in this process."""
        settings = self.app.settings
        logs.start("web", settings.log_level, settings.log_format)
        self.max_body = settings.max_body
        self.wsgi, type(self).closing = application(settings)


class _Program(BaseApplication):  # type: ignore[misc]
    """gunicorn's configuration: all of it is here, none comes from its files or variables."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self.settings = settings
        self._listener = listener
        super().__init__()

    def load_config(self) -> None:
        """Called by gunicorn."""
        values = {
            "bind": f"fd://{self._listener.fileno()}",
            "workers": self.settings.web_workers,
            "worker_class": _Worker,
            "logger_class": _Log,
            "timeout": SILENCE,
            "graceful_timeout": GRACE,
            "proc_name": "trunkline",
            "control_socket_disable": True,
            "pre_fork": _freeze,
        }
        for name, value in values.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Never called: each worker opens its own."""
        raise AssertionError("the workers load the application")


def _freeze(_: Any, __: Any) -> None:
    # Objects that the collector does not touch stay in memory that the workers share.
    gc.collect()
    gc.freeze()


class _Master(Arbiter):  # type: ignore[misc]
    """gunicorn's master, tied to our supervisor."""

    def __init__(self, program: _Program) -> None:
        super().__init__(program)
        # A signal handler puts into this queue, which gevent's would not be told of before its loop turns.
        self.SIG_QUEUE = monkey.get_original("queue", "SimpleQueue")()
        self._lifeline = Lifeline()

    def wait_for_signals(self, timeout: float = 1.0) -> list[int]:
        """Also ends, as on SIGTERM, when the supervisor is gone."""
        if self._lifeline.cut():
            return [signal.SIGTERM]
        found: list[int] = super().wait_for_signals(timeout)
        return found
