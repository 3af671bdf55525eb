"""Holding a carrier's lease, and knowing by one's own clock when to stop sending."""

import asyncio
import os
import socket
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from gateway import clock, logs
from gateway.dispatch.host import Host
from gateway.storage.errors import Unavailable
from gateway.storage.queries.dispatch import leases
from gateway.storage.queries.dispatch.leases import Lease, StaleLease

TTL = 10 * clock.SECOND
"""How long a lease holds after each renewal, in microseconds."""


class Holder:
    """An owner's lease on one carrier."""

    def __init__(self, host: Host, lease: Lease, acquired: float, ttl: int = TTL) -> None:
        self.lease = lease
        self._host = host
        self._ttl = ttl
        self._renewed = acquired
        self._lost = False
        self.up = False
        """Whether we can send to the carrier; others hear of it with the next renewal."""

    @property
    def lost(self) -> bool:
        """Whether the carrier has another owner, for all we know."""
        return self._lost

    def lose(self) -> None:
        """Take note that a write was refused."""
        self._lost = True

    def fresh(self) -> bool:
        """Whether bytes may leave: less than half of the lease has gone by unrenewed."""
        return not self._lost and self._host.monotonic() - self._renewed < self._ttl / clock.SECOND / 2

    async def renew(self) -> None:
        """Renew once. Raises StaleLease; a database that is away is left for the next time."""
        # Counted from before the question, so that it ends for us before it ends for others.
        asked = self._host.monotonic()
        try:
            await self._host.writer.transact(partial(leases.renew, lease=self.lease, ttl=self._ttl, up=self.up))
        except Unavailable:
            return
        except StaleLease:
            self._lost = True
            raise
        self._renewed = asked

    async def keep(self) -> None:
        """Renew five times a lease, until it is lost."""
        while True:
            await asyncio.sleep(self._ttl / clock.SECOND / 5)
            try:
                await self.renew()
            except StaleLease:
                return
            except Exception as error:  # noqa: BLE001 - who no longer renews never sends again, nor lets go
                logs.failure("lease cannot be renewed", error, carrier_id=self.lease.carrier_id)

    async def release(self) -> None:
        """Let go, so that the next owner need not wait."""
        try:
            await self._host.writer.transact(partial(leases.release, lease=self.lease))
        except Unavailable:
            return


async def acquire(
    host: Host, carrier_id: int, owner: str, is_dead: Callable[[str], bool], ttl: int = TTL
) -> Holder | None:
    """Take a carrier's lease; None while somebody else holds it. Raises Unavailable."""
    asked = host.monotonic()
    lease = await host.writer.transact(
        partial(leases.acquire, carrier_id=carrier_id, owner=owner, ttl=ttl, is_dead=is_dead)
    )
    return Holder(host, lease, asked, ttl) if lease is not None else None


class Processes:
    """Names of owners that tell, on the same machine, whether their process still runs.

    A name is machine, process id and the time that process started. The machine is its host name, its boot and
    its space of process ids, so that a container is never taken for another.
    """

    def __init__(self) -> None:
        self.machine = f"{zlib.crc32(_place().encode()):08x}"
        self.me = f"{self.machine}-{os.getpid()}-{_started(os.getpid())}"

    def is_dead(self, owner: str) -> bool:
        """Whether the owner of that name was a process of this machine, and is certainly gone."""
        machine, _, rest = owner.partition("-")
        pid, _, started = rest.partition("-")
        return machine == self.machine and pid.isdecimal() and _started(int(pid)) != started


def _place() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        boot, space = "", ""
    return f"{socket.gethostname()} {boot} {space}"


def _started(pid: int) -> str:
    """When a process started, in the kernel's ticks since boot; empty when there is none (or no /proc)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("latin-1")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    # proc(5): after the name come field 3, the state, and so on to field 22, the start time.
    return "" if fields[0] in ("Z", "X") else fields[19]
