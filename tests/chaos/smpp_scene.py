"""What a gateway between SMPP customers and SMSCs has to live through, and when."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway import clock
from tests.chaos.victims import everything, server, supervisor
from tests.support import strace
from tests.support.gateway import Gateway, kill, lives
from tests.support.postgresql import Server
from tests.support.relay import Relay
from tests.support.smsc import Smsc
from tests.support.wait import until

FLOWS = 60.0
"""Seconds until all is well again after a fault, at most."""


@dataclass
class Upstream:
    """A carrier: its id, its SMSC, what its links go through, and when it last died (UTC microseconds)."""

    carrier_id: int
    smsc: Smsc
    relay: Relay
    policy: str
    died_at: int = 0


@dataclass
class Scene:
    """A gateway under load; `server` on PostgreSQL only. `doors` are what customers connect to.

    `some_time` returns when a random number of submits more was acknowledged.
    """

    gateway: Gateway
    upstreams: Sequence[Upstream]
    doors: Sequence[Relay]
    chance: random.Random
    some_time: Callable[[], None]
    server: Server | None = None

    def role(self, name: str) -> int:
        """The process id of a role, once it runs."""
        return until(lambda: self.gateway.roles().get(name), 30, f"the role {name}")  # type: ignore[return-value]

    def end(self, name: str) -> None:
        """kill -9 a role."""
        pid = self.role(name)
        kill(pid)
        until(lambda: not lives(pid), what=f"the end of {name}")


def smpp(scene: Scene) -> None:
    scene.end("smpp")


def smpp_before_commit(scene: Scene) -> None:
    """While it writes its transaction: nothing of that may be left."""
    _die(scene, "smpp", "pwrite64", 60)


def smpp_at_sync(scene: Scene) -> None:
    """The transaction is written whole, and nobody was answered."""
    pid = scene.role("smpp")
    strace.kill_at(pid, "fdatasync", scene.chance.randint(1, 5), [_log(scene)])


def dispatch(scene: Scene) -> None:
    scene.end("dispatch")


def dispatch_before_commit(scene: Scene) -> None:
    """SMSCs have messages, or have reported of them, and nothing of it is recorded."""
    _die(scene, "dispatch", "pwrite64", 60)


def web(scene: Scene) -> None:
    scene.end("web")


def smsc_killed(scene: Scene) -> None:
    """It forgets what it was to report."""
    upstream = scene.chance.choice(scene.upstreams)
    upstream.smsc.kill()
    _come_back(upstream)


def smsc_stopped(scene: Scene) -> None:
    upstream = scene.chance.choice(scene.upstreams)
    assert upstream.smsc.stop() == 0
    _come_back(upstream)


def customers_cut(scene: Scene) -> None:
    scene.chance.choice(scene.doors).cut()


def carriers_cut(scene: Scene) -> None:
    for upstream in scene.upstreams:
        upstream.relay.cut()


def customers_silent(scene: Scene) -> None:
    _silence(scene, scene.chance.choice(scene.doors))


def carrier_silent(scene: Scene) -> None:
    _silence(scene, scene.chance.choice(scene.upstreams).relay)


def _silence(scene: Scene, relay: Relay) -> None:
    relay.fall_silent()
    # Also for longer than the gateway waits for an answer.
    for _ in range(scene.chance.randint(1, 6)):
        scene.some_time()
    relay.speak()


def _come_back(upstream: Upstream) -> None:
    taken = upstream.smsc.size()
    upstream.smsc.start()
    # What it had answered before it died was recorded before anything left for it again.
    until(lambda: upstream.smsc.size() > taken, FLOWS, "messages at the SMSC")
    upstream.died_at = clock.now()


def _die(scene: Scene, role: str, call: str, most: int) -> None:
    """Have a role die as it enters one of its next calls on its way to the database."""
    pid = scene.role(role)
    if scene.server is None:
        paths = [_log(scene)]
    else:
        call = "sendto"
        paths = until(
            lambda: [name for name, what in strace.sockets(pid).items() if what == "unix"], 30, "a link to the server"
        )
    strace.kill_at(pid, call, scene.chance.randint(1, most), paths)


def _log(scene: Scene) -> str:
    return str(scene.gateway.data / "trunkline.db-wal")


@dataclass(frozen=True)
class Fault:
    """`bring` returns when the fault is over. `stopped`: the gateway has to be started again; `of`: the database."""

    bring: Callable[[Scene], None]
    stopped: bool = False
    of: str = ""

    @property
    def name(self) -> str:
        return self.bring.__name__.replace("_", " ")


# In the order in which they come, for each database from another place: the few of the shortest run are not the same.
FAULTS = (
    Fault(smpp_before_commit),
    Fault(dispatch),
    Fault(carriers_cut),
    Fault(smsc_killed),
    Fault(everything, stopped=True),
    Fault(customers_cut),
    Fault(smpp),
    Fault(dispatch_before_commit),
    Fault(carrier_silent),
    Fault(supervisor, stopped=True),
    Fault(server, of="postgresql"),
    Fault(smpp_at_sync, of="sqlite"),
    Fault(smsc_stopped),
    Fault(customers_silent),
    Fault(web),
)
START = {"sqlite": 0, "postgresql": 5}
