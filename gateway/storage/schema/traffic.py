"""Messages on their way: batches, messages, segments, receipts, what comes in, what customers are yet to be told."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from gateway.storage.schema.base import Id, metadata, number, partitioned, where

batch = Table(
    "batch",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    number("account_id"),
    number("created_at"),
    number("opened_at", null=True),  # NULL while its messages are being staged
    number("fed_at", null=True),  # when the dispatcher had moved all of them to the queue
    Column("count", Integer, nullable=False),
    number("credits"),
    Index("ix_batch_unfed", "id", info=where("fed_at IS NULL")),
)

message = Table(
    "message",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    number("account_id"),
    number("access_id"),
    number("batch_id", null=True),
    Column("protocol", String(8), nullable=False),
    Column("reference", String(64)),  # the client's own, e.g. user_message_reference
    Column("source", String(21), nullable=False),
    Column("source_ton", SmallInteger),
    Column("source_npi", SmallInteger),
    Column("destination", String(21), nullable=False),
    Column("destination_ton", SmallInteger),
    Column("destination_npi", SmallInteger),
    Column("text", Text, nullable=False),
    Column("encoding", String(4), nullable=False),
    Column("data_coding", SmallInteger),
    Column("esm_class", SmallInteger),
    Column("payload", LargeBinary),  # short_message or message_payload as an SMPP client sent it
    Column("udh", LargeBinary),
    Column("registered_delivery", SmallInteger),
    Column("segments", SmallInteger, nullable=False),
    number("price"),  # of the whole message, fixed at acceptance
    number("refunded"),
    Column("state", SmallInteger, nullable=False),
    Column("hold_reason", String(16)),  # suspended, doubt, restored
    Column("error", String(64)),  # the carrier's or our word on a failure
    Column("assumed", Boolean, nullable=False, server_default=text("false")),  # no receipt ever came
    Column("possible_duplicate", Boolean, nullable=False, server_default=text("false")),
    number("carrier_id"),  # the one it waits for or was handed to
    Column("attempt", SmallInteger, nullable=False),
    Column("refusals", SmallInteger, nullable=False, server_default="0"),  # of attempts: refused for now
    number("accepted_at"),
    number("due_at"),
    number("expires_at"),
    number("sent_at", null=True),
    number("final_at", null=True),  # when the deciding receipt arrived
    Index("ix_message_account_id_id", "account_id", "id"),
    Index(
        "ix_message_batch_id_id",
        "batch_id",
        "id",
        info=where("batch_id IS NOT NULL"),
    ),
    Index(
        "ix_message_queue",
        "carrier_id",
        "due_at",
        "accepted_at",
        "id",
        info=where("state IN (1, 2)"),
    ),
    Index(
        "ix_message_sending",
        "carrier_id",
        "id",
        info=where("state IN (3, 5)"),
    ),
    Index(
        "ix_message_unfinished",
        "expires_at",
        info=where("state < 20"),
    ),
    info=partitioned("RANGE (id)"),
)

# One row per segment handed to a carrier: a long message has several ids and several receipts.
segment = Table(
    "segment",
    metadata,
    Column("message_id", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", SmallInteger, primary_key=True, autoincrement=False),  # from 1
    Column("attempt", SmallInteger, primary_key=True, autoincrement=False),
    number("carrier_id"),
    Column("carrier_ref", String(65)),  # the carrier's id of it, canonical
    Column("state", SmallInteger, nullable=False),
    Column("error", String(64)),
    number("sent_at", null=True),
    number("final_at", null=True),
    Index(
        "ix_segment_carrier_ref",
        "carrier_ref",
        "carrier_id",
        info=where("carrier_ref IS NOT NULL"),
    ),
    info=partitioned("RANGE (message_id)"),
)

# Receipts that changed nothing: late, repeated, or for a message that is not ours (yet).
stray_receipt = Table(
    "stray_receipt",
    metadata,
    Column("id", Id, primary_key=True),
    number("carrier_id"),
    Column("carrier_ref", String(65), nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("error", String(64)),
    number("at"),
    number("message_id", null=True),  # NULL: no segment carries that id (yet)
    Index(
        "ix_stray_receipt_unmatched",
        "carrier_ref",
        "carrier_id",
        info=where("message_id IS NULL"),
    ),
)

# What carriers deliver to us that is no receipt.
inbound = Table(
    "inbound",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    number("carrier_id"),
    number("account_id", null=True),
    Column("source", String(21), nullable=False),
    Column("destination", String(21), nullable=False),
    Column("text", Text, nullable=False),
    Column("data_coding", SmallInteger),
    Column("esm_class", SmallInteger),
    Column("payload", LargeBinary),
    number("received_at"),
    Index("ix_inbound_account_id_id", "account_id", "id"),
    Index("ix_inbound_source_id", "source", "id"),
)

# Parts of long messages that come in: until the others are there, then a while to know repeated ones.
inbound_part = Table(
    "inbound_part",
    metadata,
    Column("id", Id, primary_key=True),
    number("carrier_id"),
    Column("source", String(21), nullable=False),
    Column("destination", String(21), nullable=False),
    Column("reference", Integer, nullable=False),
    Column("total", SmallInteger, nullable=False),
    Column("seq", SmallInteger, nullable=False),  # from 1
    Column("source_ton", SmallInteger),
    Column("text", LargeBinary, nullable=False),  # UTF-16BE, since it may end within a character
    Column("data_coding", SmallInteger),
    Column("esm_class", SmallInteger),
    Column("payload", LargeBinary, nullable=False),
    number("received_at"),
    number("inbound_id", null=True),  # the message that it became a part of
    Index("ix_inbound_part_source_reference", "source", "reference"),
    Index("ix_inbound_part_received_at", "received_at"),
)

inbound_route = Table(
    "inbound_route",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("number", String(21), nullable=False),
    Column("keyword", String(40), nullable=False),
    UniqueConstraint("number", "keyword"),
)

# What a customer is still to be told: written with the state change, removed when acknowledged.
outbox = Table(
    "outbox",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(8), nullable=False),  # receipt, callback, inbound
    number("account_id"),
    number("access_id"),
    number("message_id"),
    Column("state", SmallInteger),
    number("at"),
    number("due_at"),
    number("expires_at"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    # access_id is 0 for what any access of the account may be told.
    Index("ix_outbox_waiting", "account_id", "access_id", "due_at", "id"),
    Index("ix_outbox_expires_at", "expires_at"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("key", String(128), primary_key=True),
    Column("fingerprint", String(64), nullable=False),  # of the operation and its parameters
    Column("answer", Text, nullable=False),  # JSON
    number("at"),
    Index("ix_idempotency_at", "at"),
)
