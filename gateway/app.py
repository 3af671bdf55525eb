"""The composition root: the one place that knows every part and puts them together."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass

from gateway import clock
from gateway.operations.context import TakesIds
from gateway.pipeline.authenticate import Authenticator, direct
from gateway.pipeline.buckets import Buckets
from gateway.pipeline.call import Call, Reply
from gateway.pipeline.execute import Writes
from gateway.pipeline.grants import Grants
from gateway.pipeline.limit import Limiter
from gateway.pipeline.logbook import Logbook
from gateway.pipeline.pipeline import Observes, Pipeline
from gateway.pipeline.throttle import Throttle
from gateway.pipeline.tokens import Tokens
from gateway.settings import Settings
from gateway.storage.database import Database
from gateway.storage.directory import Directory
from gateway.storage.errors import Unavailable
from gateway.storage.ids import Ids, take_block
from gateway.storage.keyfile import KEY_FILE, Sealer
from gateway.storage.queries import nodes

REFRESH = 0.25
"""Seconds between two looks at the configuration's version: what "at once" means for a revoked access."""

HEARTBEAT = 1.0
"""Seconds between two signs of life of a process."""


def ids(writer: Writes) -> Ids:
    """A process's supply of ids, refilled through its writer."""
    return Ids(lambda size: writer.transact(lambda connection: take_block(connection, size, clock.now())), clock.now)


@dataclass(slots=True)
class Gateway:
    """Everything a process needs to answer calls. Its host calls `refresh` and `beat` as often as they say."""

    settings: Settings
    database: Database
    directory: Directory
    writer: Writes
    pipeline: Pipeline
    logbook: Logbook
    buckets: Buckets
    tokens: Tokens
    grants: Grants
    node: nodes.Node
    machines: int = 1

    def handle(self, call: Call) -> Reply:
        """Answer a call."""
        return self.pipeline.handle(call)

    def refresh(self) -> None:
        """Take up changes of the configuration; every `REFRESH` seconds. A database that is away is waited for."""
        try:
            self.directory.refresh()
        except Unavailable:
            return

    def beat(self) -> None:
        """Say that this process is alive, and write what strangers' sums are due; every `HEARTBEAT` seconds."""
        try:
            self.machines = self.writer.transact(lambda connection: nodes.beat(connection, self.node, clock.now()))
            for row in self.logbook.due(clock.now()):
                self.writer.post(row)
        except Unavailable:
            return

    def leave(self) -> None:
        """Write what is left of the log, and take this process off the list of the living."""
        try:
            for row in self.logbook.due(None):
                self.writer.post(row)
            self.writer.transact(lambda connection: nodes.leave(connection, self.node))
        except Unavailable:
            return


def build(
    settings: Settings,
    database: Database,
    writer: Writes,
    observer: Observes,
    *,
    role: str = "web",
    offload: Callable[[Callable[[], bool]], bool] = direct,
) -> Gateway:
    """Put a process's parts together around its database and its writer's host.

    `offload` runs slow hashing where it blocks nobody. Raises `Unavailable` when the database is away.
    """
    directory = Directory(database)
    directory.refresh()
    supply: TakesIds = ids(writer)
    logbook = Logbook(supply)
    buckets = Buckets(settings.data / "run" / "buckets")
    gateway: Gateway
    pipeline = Pipeline(
        settings=settings,
        database=database,
        directory=directory,
        authenticator=Authenticator(directory, Throttle(buckets), offload),
        limiter=Limiter(buckets, lambda: gateway.machines),
        writer=writer,
        ids=supply,
        logbook=logbook,
        observer=observer,
    )
    tokens = Tokens(directory, database, settings.audience)
    grants = Grants(directory, tokens, writer, Sealer(settings.data / KEY_FILE), settings)
    node = nodes.Node(f"{socket.gethostname()}-{os.getpid()}", machine(), role, os.getpid(), clock.now())
    gateway = Gateway(settings, database, directory, writer, pipeline, logbook, buckets, tokens, grants, node)
    return gateway


def machine() -> str:
    """The name of this machine, as its processes have it in common."""
    return socket.gethostname()[:64]
