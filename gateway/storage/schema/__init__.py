"""Every table, declared once; the migrations are checked against this page.

Conventions: times are UTC microseconds since the epoch, money is micro-credits (`messaging.money`), numbers
are E.164 digits, ids follow time (`storage.ids`). The tables with the most rows (`message`, `segment`,
`call_log`) are partitioned by id on PostgreSQL, which is by time, and carry no foreign keys: what they point
to is only ever marked as gone, never deleted before them.
"""

from gateway.storage.schema.base import Id, complete, metadata
from gateway.storage.schema.carriers import carrier, carrier_lease, price, route
from gateway.storage.schema.customers import (
    access,
    access_key,
    account,
    account_sender,
    balance,
    contact,
    contact_group,
    ledger,
    operator,
    opt_out,
    refresh_token,
    revoked_token,
    signing_key,
    template,
)
from gateway.storage.schema.traffic import (
    batch,
    idempotency,
    inbound,
    inbound_part,
    inbound_route,
    message,
    outbox,
    segment,
    stray_receipt,
)
from gateway.storage.schema.upkeep import call_log, commit_token, config_version, counter, node, smpp_bind

__all__ = [
    "Id",
    "access",
    "access_key",
    "account",
    "account_sender",
    "balance",
    "batch",
    "call_log",
    "carrier",
    "carrier_lease",
    "commit_token",
    "complete",
    "config_version",
    "contact",
    "contact_group",
    "counter",
    "idempotency",
    "inbound",
    "inbound_part",
    "inbound_route",
    "ledger",
    "message",
    "metadata",
    "node",
    "operator",
    "opt_out",
    "outbox",
    "price",
    "refresh_token",
    "revoked_token",
    "route",
    "segment",
    "signing_key",
    "smpp_bind",
    "stray_receipt",
    "template",
]
