"""Which processes are alive: each says so every second, and is forgotten when it stops or falls silent."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, select

from gateway.clock import MINUTE, SECOND
from gateway.storage.schema import node
from gateway.storage.statements import Statements

ALIVE = 5 * SECOND
"""Who was silent for longer counts as gone."""

# Roles that take calls from customers: a rate is divided among the machines that run them.
_DOORS = ("web", "smpp")


@dataclass(frozen=True, slots=True)
class Node:
    """A process: `machine` is the same for all processes of a machine, `started_at` in UTC microseconds."""

    id: str
    machine: str
    role: str
    pid: int
    started_at: int


def beat(connection: Connection, me: Node, now: int) -> int:
    """Say that a process is alive; how many machines have an open door, at least 1."""
    Statements(connection, connection.dialect.name).run(
        "INSERT INTO node (id, machine, role, pid, started_at, seen_at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at",
        me.id,
        me.machine,
        me.role,
        me.pid,
        me.started_at,
        now,
    )
    query = select(func.count(node.c.machine.distinct())).where(node.c.role.in_(_DOORS), node.c.seen_at > now - ALIVE)
    return max(1, connection.execute(query).scalar_one())


def leave(connection: Connection, me: Node) -> None:
    """Take a process off the list."""
    connection.execute(delete(node).where(node.c.id == me.id))


def forget(connection: Connection, now: int) -> None:
    """Drop processes that have been silent for a minute: they were killed."""
    connection.execute(delete(node).where(node.c.seen_at < now - MINUTE))


def alive(connection: Connection, now: int) -> tuple[str, str, int] | None:
    """The role, machine and process id of a process that is alive, or None where none is."""
    query = select(node.c.role, node.c.machine, node.c.pid).where(node.c.seen_at > now - ALIVE).limit(1)
    row = connection.execute(query).first()
    return (row.role, row.machine, row.pid) if row is not None else None


def last_seen(connection: Connection, role: str) -> int | None:
    """When a process of this role was last known to live, or None where there is none."""
    seen: int | None = connection.execute(select(func.max(node.c.seen_at)).where(node.c.role == role)).scalar_one()
    return seen
