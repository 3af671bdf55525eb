"""What the SMPP front end needs of its process: put together by `gateway.hosting.smpp`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from gateway import clock

if TYPE_CHECKING:
    from gateway.pipeline.authenticate import Authenticator
    from gateway.pipeline.limit import Limiter
    from gateway.pipeline.logbook import Logbook
    from gateway.pipeline.pipeline import Observes
    from gateway.settings import Settings
    from gateway.storage.database import Database
    from gateway.storage.directory import Directory
    from gateway.storage.hosts import AsyncHost
    from gateway.storage.ids import IdsAhead
    from gateway.storage.queries.nodes import Node


@dataclass(slots=True)
class Services:
    """The process's parts, all of them for the thread of its event loop.

    `host` commits (`await host.submit(...)`, `await host.transact(...)`, `host.post(row)`); `ids.take(n)` gives ids
    without waiting and raises `Unavailable` when there are none; `machines` is how many take calls now. `now` is
    in UTC microseconds.
    """

    settings: Settings
    database: Database
    directory: Directory
    host: AsyncHost
    ids: IdsAhead
    authenticator: Authenticator
    limiter: Limiter
    logbook: Logbook
    observer: Observes
    node: Node
    machines: int = 1
    now: Callable[[], int] = field(default=clock.now)
    monotonic: Callable[[], float] = field(default=monotonic)
