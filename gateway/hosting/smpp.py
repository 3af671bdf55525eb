"""The smpp process: opens what the SMPP server needs, and ends cleanly on SIGTERM and Ctrl-C."""

import asyncio
import gc
import os
import resource
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial

import uvloop

from gateway import clock, logs, metrics
from gateway.frontends.smpp.deliveries import Deliveries
from gateway.frontends.smpp.doorway import Certificate, Doorway, Entrance
from gateway.frontends.smpp.server import SmppServer
from gateway.frontends.smpp.services import Services
from gateway.frontends.smpp.submits import Submits
from gateway.hosting import listen
from gateway.hosting.folder import metrics_folder
from gateway.hosting.observer import Observer
from gateway.hosting.unlogged import log_row_refused
from gateway.pipeline.authenticate import Authenticator
from gateway.pipeline.buckets import Buckets
from gateway.pipeline.limit import Limiter
from gateway.pipeline.logbook import Logbook
from gateway.pipeline.throttle import Throttle
from gateway.settings import Settings
from gateway.storage.database import Database
from gateway.storage.directory import Directory
from gateway.storage.errors import Unavailable
from gateway.storage.hosts import AsyncHost
from gateway.storage.ids import BLOCK, IdsAhead, take_block
from gateway.storage.queries import nodes
from gateway.storage.writer import Writer

SOCKET = "TRUNKLINE_SMPP_FD"
TLS_SOCKET = "TRUNKLINE_SMPP_TLS_FD"

REFRESH = 0.25
"""Seconds between two looks at the configuration's version."""

HEARTBEAT = 1.0
"""Seconds between two signs of life."""

_RENEW = 30.0
_FILL = 5.0
_AGAIN = 0.25
# Descriptors beside those of the connections: the database, the metrics, the log.
_FILES = 200
# Rows and PDUs come and go by the thousand and make no cycles: the collector need not look so often.
_COLLECT_AFTER = 50_000


@dataclass(frozen=True, slots=True)
class Doors:
    """Where to listen: sockets, and the certificate of the second."""

    plain: socket.socket
    secure: socket.socket | None = None
    certificate: Certificate | None = None

    def entrances(self) -> list[Entrance]:
        """As the front end takes them."""
        found = [Entrance(self.plain)]
        if self.secure is not None and self.certificate is not None:
            found.append(Entrance(self.secure, self.certificate.context))
        return found


def doors(settings: Settings) -> Doors:
    """Open the doors: the supervisor's sockets, or our own.

    Raises `ValueError` for an address or a certificate that cannot be used, `OSError` for an address in use.
    """
    if not settings.smpp:
        raise ValueError("the setting smpp names no address to listen at")
    certificate = None
    if settings.smpp_certificate is not None and settings.smpp_key is not None:
        certificate = Certificate(settings.smpp_certificate, settings.smpp_key)
    plain = listen.inherited(SOCKET) or listen.bind(settings.smpp, "smpp", settings.allow_plaintext)
    if certificate is None:
        return Doors(plain)
    secure = listen.inherited(TLS_SOCKET) or listen.bind(settings.smpp_tls, listen.ENCRYPTED, frozenset())
    return Doors(plain, secure, certificate)


def run(settings: Settings, opened: Doors) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises `Unavailable` when the database is away at the start."""
    logs.start("smpp", settings.log_level, settings.log_format)
    metrics.start(metrics_folder(settings.data))
    _allow_files(settings.smpp_max_sessions + _FILES)
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 20)
    uvloop.run(_run(settings, opened))


async def _run(settings: Settings, opened: Doors) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as ending:
        database = Database.open(settings.url)
        ending.callback(database.close)
        writer = Writer(
            database,
            queue_limit=settings.writer_queue,
            batch_limit=settings.writer_batch,
            observe=metrics.commit,
            refused=log_row_refused,
        )
        host = AsyncHost(writer, database.dialect)
        ending.push_async_callback(host.close)
        await Process(settings, database, host, opened).serve(stop)


class Process:
    """The parts of the process, from its start to its end."""

    def __init__(self, settings: Settings, database: Database, host: AsyncHost, opened: Doors) -> None:
        """Raises `Unavailable` when the database is away."""
        directory = Directory(database)
        directory.refresh()
        buckets = Buckets(settings.data / "run" / "buckets")
        self._thirst = asyncio.Event()
        self._ids = IdsAhead(clock.now, self._thirst.set)
        machine = socket.gethostname()
        node = nodes.Node(f"{machine[:50]}-{os.getpid()}", machine[:64], "smpp", os.getpid(), clock.now())
        self._services = services = Services(
            settings=settings,
            database=database,
            directory=directory,
            host=host,
            ids=self._ids,
            authenticator=Authenticator(directory, Throttle(buckets)),
            limiter=Limiter(buckets, lambda: services.machines),
            logbook=Logbook(self._ids),
            observer=Observer(),
            node=node,
        )
        self._server = SmppServer(services)
        self._submits = self._server.submits = Submits(services)
        self._deliveries = self._server.deliveries = Deliveries(services, self._submits.unanswered)
        self._doorway = Doorway(self._server, settings, opened.entrances())
        self._certificate = opened.certificate

    async def serve(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set, or a part of it fails: then that is raised, after everything is closed."""
        server = self._server
        await self._fill()
        await server.register.clear()
        await server.beat()
        own = [self._keep_filled(), server.register.run(), self._deliveries.run()]
        chores = [_every(REFRESH, server.refresh), _every(HEARTBEAT, server.beat), _every(_RENEW, self._renew)]
        tasks = [asyncio.ensure_future(one) for one in (*own, *chores)]
        self._doorway.open()
        stopped = asyncio.ensure_future(stop.wait())
        await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        failed = [task for task in tasks if task.done()]
        self._doorway.close()
        await server.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._leave()
        for task in failed:
            task.result()

    async def _leave(self) -> None:
        services = self._services
        try:
            await self._deliveries.close()
            await self._server.register.clear()
            for row in services.logbook.due(None):
                services.host.post(row)
            await services.host.transact(partial(nodes.leave, me=services.node))
        except Unavailable as error:
            logs.warning("smpp could not take its leave of the database", reason=str(error))

    async def _keep_filled(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_FILL):
                    await self._thirst.wait()
            self._thirst.clear()
            try:
                await self._fill()
            except Unavailable:
                self._thirst.set()
                await asyncio.sleep(_AGAIN)

    async def _fill(self) -> None:
        while self._ids.wanting:
            now = clock.now()
            self._ids.add(await self._services.host.transact(partial(take_block, size=BLOCK, now=now)))

    async def _renew(self) -> None:
        if self._certificate is not None:
            self._certificate.renew()


async def _every(seconds: float, chore: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await chore()
        except Exception as error:  # noqa: BLE001 - the next time may do
            logs.failure("chore failed", error)
        await asyncio.sleep(seconds)


def _allow_files(number: int) -> None:
    """Raise this process's bound on open files, as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < number:
        logs.warning("the system allows fewer open files than there may be connections", allowed=most, wanted=number)
