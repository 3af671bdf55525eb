"""Routes and prices: where messages go and what they cost. Prefixes are digits; "" is every destination."""

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, text

from gateway.messaging.routing import Route
from gateway.storage import versions
from gateway.storage.errors import Taken
from gateway.storage.schema import account, carrier, price, route

DEFAULT_LIST = 0
"""The account id under which the prices are kept that hold for everybody."""

_SET_PRICE = text(
    "INSERT INTO price (account_id, prefix, micro) VALUES (:account_id, :prefix, :micro)"
    " ON CONFLICT (account_id, prefix) DO UPDATE SET micro = excluded.micro"
)


def routes(connection: Connection) -> list[Route]:
    """Every route."""
    query = select(route.c.id, route.c.prefix, route.c.carrier_id, route.c.cost, route.c.priority)
    return [Route(*row) for row in connection.execute(query)]


def prices(connection: Connection) -> list[tuple[int | None, str, int]]:
    """Every price: account id (None for the default list), prefix, micro-credits a segment."""
    rows = connection.execute(select(price.c.account_id, price.c.prefix, price.c.micro))
    return [(account_id or None, prefix, micro) for account_id, prefix, micro in rows]


def named_routes(connection: Connection) -> Sequence[RowMapping]:
    """Every route with its carrier's name as `carrier`, by prefix in the order they are tried."""
    return (
        connection.execute(
            select(route, carrier.c.name.label("carrier"))
            .join(carrier, carrier.c.id == route.c.carrier_id)
            .order_by(route.c.prefix, route.c.priority, route.c.cost, route.c.id)
        )
        .mappings()
        .all()
    )


def named_prices(connection: Connection) -> Sequence[RowMapping]:
    """Every price with its account's e-mail as `account` (None: the default list), defaults first."""
    return (
        connection.execute(
            select(price, account.c.email.label("account"))
            .outerjoin(account, account.c.id == price.c.account_id)
            .order_by(price.c.account_id, price.c.prefix)
        )
        .mappings()
        .all()
    )


def add_route(connection: Connection, prefix: str, carrier_id: int, cost: int, priority: int) -> int:
    """Make a route (cost in micro-credits a segment); its id. Raises Taken when there is this one already."""
    same = select(route.c.id).where(route.c.prefix == prefix, route.c.carrier_id == carrier_id)
    if connection.execute(same).first() is not None:
        raise Taken(f"There is a route of the prefix {prefix!r} to this carrier already.")
    route_id = connection.execute(
        insert(route).values(prefix=prefix, carrier_id=carrier_id, cost=cost, priority=priority).returning(route.c.id)
    ).scalar_one()
    versions.bump(connection)
    return int(route_id)


def remove_route(connection: Connection, prefix: str, carrier_id: int) -> bool:
    """Delete a route; False when there is none."""
    gone = connection.execute(delete(route).where(route.c.prefix == prefix, route.c.carrier_id == carrier_id))
    if gone.rowcount:
        versions.bump(connection)
    return bool(gone.rowcount)


def set_price(connection: Connection, account_id: int, prefix: str, micro: int) -> None:
    """Set what a segment costs (micro-credits) in the account's own list, or in `DEFAULT_LIST`."""
    connection.execute(_SET_PRICE, {"account_id": account_id, "prefix": prefix, "micro": micro})
    versions.bump(connection)


def remove_price(connection: Connection, account_id: int, prefix: str) -> bool:
    """Delete a price; False when there is none."""
    gone = connection.execute(delete(price).where(price.c.account_id == account_id, price.c.prefix == prefix))
    if gone.rowcount:
        versions.bump(connection)
    return bool(gone.rowcount)


def counts(connection: Connection) -> tuple[int, int, int]:
    """How many carriers, routes and prices there are."""
    carriers, routes_, prices_ = (
        connection.execute(select(func.count()).select_from(table)).scalar_one() for table in (carrier, route, price)
    )
    return carriers, routes_, prices_
