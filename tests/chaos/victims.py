"""Who is killed, and when: at a random moment, or exactly at a chosen system call."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL

import psycopg

from tests.support import strace
from tests.support.gateway import Gateway, children, descendants, kill, lives
from tests.support.postgresql import Server
from tests.support.wait import until

# Connections from which on a worker is worth killing.
BUSY = 8


@dataclass
class Scene:
    """A gateway under load. `server` and `database` (its name) on PostgreSQL only."""

    gateway: Gateway
    journal: Path
    server: Server | None = None
    database: str = ""
    chance: random.Random = field(default_factory=random.Random)

    @property
    def log(self) -> str:
        """SQLite's write-ahead log."""
        return str(self.gateway.data / "trunkline.db-wal")

    def worker(self) -> int:
        """One of the web server's workers, which has customers."""

        def busy() -> list[int]:
            found = children(self.gateway.roles()["web"])
            return [pid for pid in found if len(self.customers(pid)) >= BUSY]

        return self.chance.choice(until(busy, 30, "a worker with customers"))

    def customers(self, pid: int) -> list[str]:
        """A worker's connections to customers."""
        return _links(pid, f"tcp:{self.gateway.port}")

    def dispatcher(self) -> int:
        return self.gateway.roles()["dispatch"]

    def die(self, pid: int, call: str, most: int, paths: list[str]) -> None:
        """Have a process die as it enters one of its next calls on these paths."""
        assert paths, f"process {pid} has none of the files or links at which it is to die"
        strace.kill_at(pid, call, self.chance.randint(1, most), paths)


def _links(pid: int, kind: str) -> list[str]:
    return [name for name, what in strace.sockets(pid).items() if what == kind]


def _end(pid: int) -> None:
    kill(pid)
    until(lambda: not lives(pid), what=f"the end of {pid}")


def worker(scene: Scene) -> None:
    _end(scene.worker())


def worker_before_commit(scene: Scene) -> None:
    """While it writes its transaction: nothing of that may be left."""
    pid = scene.worker()
    if scene.server is None:
        scene.die(pid, "pwrite64", 60, [scene.log])
    else:
        scene.die(pid, "sendto", 30, _links(pid, "unix"))


def worker_at_sync(scene: Scene) -> None:
    """The transaction is written whole, and not synced."""
    scene.die(scene.worker(), "fdatasync", 5, [scene.log])


def worker_before_reply(scene: Scene) -> None:
    """The transaction is committed, and its caller (or some of them) is not told."""
    pid = scene.worker()
    scene.die(pid, "sendto", 60, scene.customers(pid))


def master(scene: Scene) -> None:
    _end(scene.gateway.roles()["web"])


def dispatcher(scene: Scene) -> None:
    _end(scene.dispatcher())


def dispatcher_before_leaving(scene: Scene) -> None:
    """Messages are marked as on their way, and the carrier does not have them."""
    scene.die(scene.dispatcher(), "write", 5, [str(scene.journal)])


def dispatcher_after_taken(scene: Scene) -> None:
    """The carrier has messages, and nothing of it is recorded."""
    pid = scene.dispatcher()
    if scene.server is None:
        scene.die(pid, "pwrite64", 60, [scene.log])
    else:
        scene.die(pid, "sendto", 30, _links(pid, "unix"))


def supervisor(scene: Scene) -> None:
    """Its processes end by themselves, and the next one waits for that."""
    scene.gateway.stop(SIGKILL)


def everything(scene: Scene) -> None:
    pids = [scene.gateway.pid, *descendants(scene.gateway.pid)]
    scene.chance.shuffle(pids)
    for pid in pids:
        kill(pid)
    until(lambda: not any(lives(pid) for pid in pids), what="their end")
    scene.gateway.stop(SIGKILL)


def link(scene: Scene) -> None:
    """The server ends the link of a writer in the middle of its transaction."""
    assert scene.server is not None
    query = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = %s AND application_name = 'trunkline' AND backend_xid IS NOT NULL LIMIT 1"
    )
    with psycopg.connect(scene.server.url("postgres"), autocommit=True) as connection:
        until(lambda: connection.execute(query, (scene.database,)).fetchone(), what="a transaction")


def backend_at_sync(scene: Scene) -> None:
    """A process of the database dies at the sync of a COMMIT: PostgreSQL cuts every link and recovers."""
    assert scene.server is not None
    query = (
        "SELECT pid FROM pg_stat_activity"
        " WHERE datname = %s AND application_name = 'trunkline' AND backend_xid IS NOT NULL LIMIT 1"
    )
    with psycopg.connect(scene.server.url("postgres"), autocommit=True) as connection:
        (pid,) = until(lambda: connection.execute(query, (scene.database,)).fetchone(), what="a transaction")
    strace.kill_at(pid, "fdatasync", scene.chance.randint(1, 3))


def server(scene: Scene) -> None:
    assert scene.server is not None
    scene.server.crash()


@dataclass(frozen=True)
class Victim:
    """`kill` returns when the victim is dead. `stopped`: the gateway has to be started again; `owner`: the
    carrier's owner dies; `of`: the database, where not both."""

    kill: Callable[[Scene], None]
    stopped: bool = False
    owner: bool = False
    of: str = ""

    @property
    def name(self) -> str:
        return self.kill.__name__.replace("_", " ")


# In the order in which they are killed: the first few are what the shortest run has.
VICTIMS = (
    Victim(worker_before_commit),
    Victim(worker_before_reply),
    Victim(dispatcher_after_taken, owner=True),
    Victim(everything, stopped=True, owner=True),
    Victim(supervisor, stopped=True, of="sqlite"),
    Victim(server, of="postgresql"),
    Victim(worker),
    Victim(dispatcher_before_leaving, owner=True),
    Victim(worker_at_sync, of="sqlite"),
    Victim(link, of="postgresql"),
    Victim(master),
    Victim(dispatcher, owner=True),
    Victim(backend_at_sync, of="postgresql"),
    Victim(supervisor, stopped=True, of="postgresql"),
)
