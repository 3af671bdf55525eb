"""Where messages go and what they cost: carriers, routes, prices."""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from gateway.storage.schema.base import Id, metadata, number

carrier = Table(
    "carrier",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("options", Text, nullable=False),  # JSON object of what is no secret
    Column("sealed_secrets", LargeBinary),  # encrypted with the key file
    number("created_at"),
    # Receipts find their segments by the carrier's number: a new carrier must not inherit those of a removed one.
    sqlite_autoincrement=True,
)

# A carrier belongs to one worker at a time; every write of the owner names its epoch.
carrier_lease = Table(
    "carrier_lease",
    metadata,
    Column("carrier_id", ForeignKey("carrier.id"), primary_key=True, autoincrement=False),
    Column("owner", String(64), nullable=False),
    number("epoch"),
    number("until"),
    number("down_since", null=True),  # since when the owner cannot send; NULL while it can
)

route = Table(
    "route",
    metadata,
    Column("id", Id, primary_key=True),
    Column("prefix", String(15), nullable=False),
    Column("carrier_id", ForeignKey("carrier.id"), nullable=False),
    number("cost"),
    Column("priority", Integer, nullable=False),
    UniqueConstraint("prefix", "carrier_id"),
)

# An account of 0 is the default list: NULL would escape the unique constraint.
price = Table(
    "price",
    metadata,
    Column("id", Id, primary_key=True),
    number("account_id"),
    Column("prefix", String(15), nullable=False),
    number("micro"),
    UniqueConstraint("account_id", "prefix"),
)
