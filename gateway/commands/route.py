"""`trunkline route`: where destinations go."""

import click

from gateway.commands import output
from gateway.commands.carrier import carrier_of
from gateway.commands.framework import BadInput, Group, session
from gateway.commands.parameters import AMOUNT, PREFIX
from gateway.storage.queries import tariff


@click.group(cls=Group)
def route() -> None:
    """Where destinations go: the longest prefix, then the lowest priority number, then the lowest cost."""


@route.command("add")
@click.argument("prefix", type=PREFIX)
@click.argument("carrier")
@click.option("--cost", type=AMOUNT, default="0", help="Credits a segment costs us.")
@click.option("--priority", type=click.IntRange(0, 1_000_000), default=0, help="The lowest is tried first.")
def add(prefix: str, carrier: str, cost: int, priority: int) -> None:
    """Send destinations that begin with PREFIX ("" for all) to CARRIER."""
    with session().database() as database, database.transaction() as connection:
        to = carrier_of(connection, carrier)
        route_id = tariff.add_route(connection, prefix, to.id, cost, priority)
    fields = {
        "id": str(route_id),
        "prefix": prefix,
        "carrier": carrier,
        "cost": output.Credits(cost),
        "priority": priority,
    }
    output.done(f'Added route "{prefix}" to {carrier}.', fields)


@route.command("list")
def list_() -> None:
    """List the routes."""
    with session().database() as database, database.read() as connection:
        rows = tariff.named_routes(connection)
    output.listing(
        [
            {
                "id": str(row["id"]),
                "prefix": row["prefix"],
                "carrier": row["carrier"],
                "cost": output.Credits(row["cost"]),
                "priority": row["priority"],
            }
            for row in rows
        ]
    )


@route.command("remove")
@click.argument("prefix", type=PREFIX)
@click.argument("carrier")
def remove(prefix: str, carrier: str) -> None:
    """Remove a route; messages that wait for its carrier still go there."""
    with session().database() as database, database.transaction() as connection:
        if not tariff.remove_route(connection, prefix, carrier_of(connection, carrier).id):
            raise BadInput(f'there is no route "{prefix}" to {carrier}')
    output.done(f'Removed route "{prefix}" to {carrier}.', {"prefix": prefix, "carrier": carrier})
