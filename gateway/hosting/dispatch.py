"""The dispatch process: opens what dispatch needs, and ends cleanly on SIGTERM and Ctrl-C."""

import asyncio
import gc
import signal

import uvloop

from gateway import clock, logs, metrics
from gateway.dispatch import dispatcher
from gateway.dispatch.host import Host
from gateway.hosting.folder import metrics_folder
from gateway.hosting.unlogged import log_row_refused
from gateway.messaging.optout import Words
from gateway.settings import Settings
from gateway.storage.database import Database
from gateway.storage.directory import Directory
from gateway.storage.hosts import AsyncHost
from gateway.storage.keyfile import KEY_FILE, Sealer
from gateway.storage.queries.dispatch.arrivals import Policy
from gateway.storage.writer import Writer

# Rows come and go by the thousand and make no cycles: the collector need not look so often.
_COLLECT_AFTER = 50_000


def run(settings: Settings) -> None:
    """Dispatch until SIGTERM or Ctrl-C. Raises `Unavailable` when the database is away at the start."""
    logs.start("dispatch", settings.log_level, settings.log_format)
    metrics.start(metrics_folder(settings.data))
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 20)
    uvloop.run(_run(settings))


def _inbound(settings: Settings) -> Policy:
    words = Words(settings.optout_languages, settings.optout_words, settings.optin_words)
    return Policy(words, settings.inbound_repeat_seconds * clock.SECOND)


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    database = Database.open(settings.url)
    try:
        writer = Writer(
            database,
            queue_limit=settings.writer_queue,
            batch_limit=settings.writer_batch,
            observe=metrics.commit,
            refused=log_row_refused,
        )
        committing = AsyncHost(writer, database.dialect)
        try:
            host = Host(database, committing, Directory(database), metrics, inbound=_inbound(settings))
            await dispatcher.run(host, settings, stop, Sealer(settings.data / KEY_FILE))
        finally:
            await committing.close()
    finally:
        database.close()
