"""Carriers: the upstream SMSCs, their options, and their secrets (sealed by `storage.keyfile`)."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Boolean, Connection, Row, delete, func, insert, literal_column, select

from gateway.messaging.states import State
from gateway.storage import versions
from gateway.storage.errors import Conflict, Taken
from gateway.storage.records import Carrier
from gateway.storage.schema import carrier, carrier_lease, message, route


def add(
    connection: Connection,
    name: str,
    kind: str,
    options: Mapping[str, str],
    sealed_secrets: bytes | None,
    now: int,
) -> int:
    """Make a carrier; its id. Raises Taken when the name is taken."""
    if find(connection, name) is not None:
        raise Taken(f"There is a carrier {name!r} already.")
    carrier_id = connection.execute(
        insert(carrier)
        .values(
            name=name, kind=kind, options=json.dumps(dict(options)), sealed_secrets=sealed_secrets, created_at=now
        )
        .returning(carrier.c.id)
    ).scalar_one()
    versions.bump(connection)
    return int(carrier_id)


def find(connection: Connection, name: str) -> Carrier | None:
    """The carrier of this name."""
    row = connection.execute(select(carrier).where(carrier.c.name == name)).one_or_none()
    return _record(row) if row is not None else None


def list_(connection: Connection) -> list[Carrier]:
    """All carriers in the order they were made."""
    return [_record(row) for row in connection.execute(select(carrier).order_by(carrier.c.id))]


def uses(connection: Connection, carrier_id: int) -> tuple[int, int]:
    """How many routes lead to the carrier, and how many unsent messages wait for it."""
    routes = connection.execute(select(func.count()).where(route.c.carrier_id == carrier_id)).scalar_one()
    unsent = connection.execute(
        select(func.count()).where(
            message.c.carrier_id == carrier_id,
            message.c.state < State.SENT.value,
            literal_column("message.state < 20", Boolean),  # in the words of the index of unfinished messages
        )
    ).scalar_one()
    return routes, unsent


def remove(connection: Connection, carrier_id: int) -> None:
    """Delete a carrier that nothing points at. Raises Conflict, saying how many do."""
    routes, unsent = uses(connection, carrier_id)
    if routes or unsent:
        raise Conflict(
            f"It is still needed by {routes} route{'' if routes == 1 else 's'}"
            f" and {unsent} unsent message{'' if unsent == 1 else 's'}."
        )
    connection.execute(delete(carrier_lease).where(carrier_lease.c.carrier_id == carrier_id))
    connection.execute(delete(carrier).where(carrier.c.id == carrier_id))
    versions.bump(connection)


def _record(row: Row[Any]) -> Carrier:
    return Carrier(row.id, row.name, row.kind, json.loads(row.options), row.sealed_secrets)
