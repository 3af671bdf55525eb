"""A carrier belongs to one worker at a time.

The lease runs by the database's clock. Its epoch counts the owners; every write of an owner first checks that
the epoch is still its own, in the same transaction, so that one who was replaced can no longer change
anything. Before its bytes leave, the owner looks at its own clock instead (`dispatch.holder`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.storage.queries.dispatch.talk import Talk

_CLOCK = {
    # SQLite's is that of its only machine, in milliseconds.
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER)",
    "postgresql": "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)",
}


class StaleLease(Exception):
    """The carrier has another owner now: whoever gets this stops sending at once."""


@dataclass(frozen=True, slots=True)
class Lease:
    """An owner's hold on a carrier."""

    carrier_id: int
    owner: str
    epoch: int


def acquire(
    connection: Connection,
    carrier_id: int,
    owner: str,
    ttl: int,
    is_dead: Callable[[str], bool] = lambda owner: False,
) -> Lease | None:
    """Take the carrier for `ttl` microseconds; None while another owner has it.

    `is_dead` tells of an owner's name whether it is certain that it runs no more; it is then not waited for.
    """
    talk = Talk(connection)
    now = _now(talk)
    held = talk.select(f"SELECT owner, until FROM carrier_lease WHERE carrier_id = ?{talk.locking}", carrier_id)
    if held and held[0][0] != owner and held[0][1] > now and not is_dead(held[0][0]):
        return None
    taken = talk.select(
        "INSERT INTO carrier_lease (carrier_id, owner, epoch, until, down_since) VALUES (?, ?, 1, ?, ?)"
        " ON CONFLICT (carrier_id) DO UPDATE SET owner = excluded.owner, epoch = carrier_lease.epoch + 1,"
        " until = excluded.until, down_since = excluded.down_since"
        # Two who found no row at all both get here; the second must not win.
        " WHERE carrier_lease.owner = ? OR carrier_lease.until <= ? RETURNING epoch",
        carrier_id,
        owner,
        now + ttl,
        now,
        held[0][0] if held else owner,
        now,
    )
    return Lease(carrier_id, owner, taken[0][0]) if taken else None


def renew(connection: Connection, lease: Lease, ttl: int, up: bool = True) -> None:
    """Hold it for `ttl` microseconds from now; `up` tells others whether we can send. Raises StaleLease."""
    talk = Talk(connection)
    now = _now(talk)
    changed = talk.change(
        f"UPDATE carrier_lease SET until = ?, down_since = {'NULL' if up else 'coalesce(down_since, ?)'}"
        " WHERE carrier_id = ? AND owner = ? AND epoch = ?",
        now + ttl,
        *(() if up else (now,)),
        *_named(lease),
    )
    if not changed:
        raise _stale(lease)


def release(connection: Connection, lease: Lease) -> None:
    """Let go of it, so that the next owner need not wait; nothing happens if it was lost."""
    Talk(connection).change(
        "UPDATE carrier_lease SET owner = '', until = 0 WHERE carrier_id = ? AND owner = ? AND epoch = ?",
        *_named(lease),
    )


def check(talk: Talk, lease: Lease) -> None:
    """Make sure that the lease is still the owner's until the transaction ends. Raises StaleLease."""
    # Shared, so that a new owner's acquisition waits for this transaction.
    lock = "" if talk.dialect == "sqlite" else " FOR SHARE"
    if not talk.select(
        f"SELECT 1 FROM carrier_lease WHERE carrier_id = ? AND owner = ? AND epoch = ?{lock}", *_named(lease)
    ):
        raise _stale(lease)


def is_free(connection: Connection, carrier_id: int, is_dead: Callable[[str], bool]) -> bool:
    """Whether `acquire` is worth a transaction: nobody holds the carrier, or somebody dead."""
    talk = Talk(connection)
    held = talk.select("SELECT owner, until FROM carrier_lease WHERE carrier_id = ?", carrier_id)
    return not held or held[0][1] <= _now(talk) or is_dead(held[0][0])


def up(connection: Connection) -> frozenset[int]:
    """The carriers that somebody owns who can send to them."""
    return frozenset(carrier_id for carrier_id, since in down_since(connection).items() if since is None)


def down_since(connection: Connection) -> dict[int, int | None]:
    """Of the carriers that somebody owns: since when he cannot send to them (UTC microseconds), None if he can."""
    talk = Talk(connection)
    rows = talk.select("SELECT carrier_id, down_since FROM carrier_lease WHERE until > ?", _now(talk))
    return dict(rows)


def _now(talk: Talk) -> int:
    return int(talk.select(f"SELECT {_CLOCK[talk.dialect]}")[0][0])


def _named(lease: Lease) -> tuple[int, str, int]:
    return lease.carrier_id, lease.owner, lease.epoch


def _stale(lease: Lease) -> StaleLease:
    return StaleLease(f"The carrier {lease.carrier_id} has another owner than epoch {lease.epoch}.")
