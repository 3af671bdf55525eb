"""Every table, declared once; the migrations are checked against this page.

Conventions: times are UTC microseconds since the epoch, money is micro-credits (`messaging.money`), numbers
are E.164 digits, ids follow time (`storage.ids`). The tables with the most rows (`message`, `segment`,
`call_log`) are partitioned by id on PostgreSQL, which is by time, and carry no foreign keys: what they point
to is only ever marked as gone, never deleted before them.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only in an INTEGER PRIMARY KEY.
Id = BigInteger().with_variant(Integer, "sqlite")


def _number(name: str, *rest: object, null: bool = False) -> Column[int]:
    return Column(name, BigInteger, *rest, nullable=null)  # type: ignore[arg-type]


account = Table(
    "account",
    metadata,
    Column("id", Id, primary_key=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("parent_id", ForeignKey("account.id"), index=True),
    Column("timezone", String(64), nullable=False, server_default="UTC"),
    Column("country", String(3), nullable=False, server_default=""),  # default calling code, digits
    Column("sender", String(16), nullable=False, server_default=""),
    Column("listed_senders", Boolean, nullable=False, server_default=text("false")),
    Column("redact_text", Boolean, nullable=False, server_default=text("false")),
    Column("profile", Text, nullable=False, server_default="{}"),  # JSON: name, company, address
    _number("suspended_at", null=True),
    _number("created_at"),
)

# Apart from `account`: this row changes with every commit of its owner, that one hardly ever.
balance = Table(
    "balance",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True, autoincrement=False),
    _number("credits"),
)

ledger = Table(
    "ledger",
    metadata,
    Column("id", Id, primary_key=True),
    _number("account_id"),
    _number("at"),
    Column("kind", String(8), nullable=False),  # grant, debit, refund, move
    _number("amount"),  # signed: what the balance changed by
    Column("note", String(200), nullable=False, server_default=""),
    Index("ix_ledger_account_id_id", "account_id", "id"),
)

account_sender = Table(
    "account_sender",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("sender", String(16), primary_key=True),
)

# An account's own e-mail and password are an access too: the one whose login is the e-mail.
access = Table(
    "access",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("login", String(254), nullable=False, unique=True),
    Column("secret", String(200), nullable=False),  # argon2id of a chosen one, "sha256$hex" of ours
    Column("protocols", Text),  # JSON list; NULL is all
    Column("operations", Text),  # JSON list; NULL is all
    Column("networks", Text),  # JSON list of CIDR; NULL is anywhere
    _number("rate", null=True),  # calls per 1,000 seconds; NULL is unlimited
    Column("bind_limit", Integer),
    _number("expires_at", null=True),
    _number("revoked_at", null=True),
    _number("created_at"),
    UniqueConstraint("account_id", "name"),
)

access_key = Table(
    "access_key",
    metadata,
    Column("id", Id, primary_key=True),
    Column("access_id", ForeignKey("access.id"), nullable=False, index=True),
    Column("kid", String(64), nullable=False, unique=True),
    Column("algorithm", String(16), nullable=False),
    Column("public_key", Text, nullable=False),
    _number("created_at"),
    _number("revoked_at", null=True),
)

signing_key = Table(
    "signing_key",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kid", String(64), nullable=False, unique=True),
    Column("algorithm", String(16), nullable=False),
    Column("sealed_key", LargeBinary, nullable=False),  # encrypted with the key file
    Column("public_key", Text, nullable=False),
    _number("created_at"),
    _number("retires_at", null=True),
)

refresh_token = Table(
    "refresh_token",
    metadata,
    Column("id", Id, primary_key=True),
    Column("access_id", ForeignKey("access.id"), nullable=False, index=True),
    Column("family", String(32), nullable=False, index=True),
    Column("digest", String(64), nullable=False, unique=True),
    _number("created_at"),
    _number("expires_at"),
    _number("used_at", null=True),
    _number("revoked_at", null=True),
)

revoked_token = Table(
    "revoked_token",
    metadata,
    Column("jti", String(64), primary_key=True),
    _number("expires_at"),
)

operator = Table(
    "operator",
    metadata,
    Column("id", Id, primary_key=True),
    Column("login", String(254), nullable=False, unique=True),
    Column("secret", String(200), nullable=False),
    _number("created_at"),
)

# Customers keep the ids of templates, groups and contacts: SQLite must not hand out a removed one's again.
template = Table(
    "template",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("title", String(100), nullable=False),
    Column("message", Text, nullable=False),
    Column("type", String(16), nullable=False),
    _number("created_at"),
    sqlite_autoincrement=True,
)

contact_group = Table(
    "contact_group",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    Column("name", String(100), nullable=False),
    Column("type", String(16), nullable=False),
    Column("fields", Text, nullable=False),  # JSON list of names
    _number("created_at"),
    # Removed for its owner at once; the row follows when its contacts were purged.
    _number("removed_at", null=True),
    Index(
        "ix_contact_group_removed",
        "id",
        sqlite_where=text("removed_at IS NOT NULL"),
        postgresql_where=text("removed_at IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)

contact = Table(
    "contact",
    metadata,
    Column("id", Id, primary_key=True),
    Column("group_id", ForeignKey("contact_group.id"), nullable=False),
    Column("account_id", ForeignKey("account.id"), nullable=False),
    Column("mobile", String(32), nullable=False),
    Column("fields", Text, nullable=False),  # JSON object, name: value
    _number("created_at"),
    Index("ix_contact_group_id_id", "group_id", "id"),
    sqlite_autoincrement=True,
)

carrier = Table(
    "carrier",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("options", Text, nullable=False),  # JSON object of what is no secret
    Column("sealed_secrets", LargeBinary),  # encrypted with the key file
    _number("created_at"),
)

# A carrier belongs to one worker at a time; every write of the owner names its epoch.
carrier_lease = Table(
    "carrier_lease",
    metadata,
    Column("carrier_id", ForeignKey("carrier.id"), primary_key=True, autoincrement=False),
    Column("owner", String(64), nullable=False),
    _number("epoch"),
    _number("until"),
)

route = Table(
    "route",
    metadata,
    Column("id", Id, primary_key=True),
    Column("prefix", String(15), nullable=False),
    Column("carrier_id", ForeignKey("carrier.id"), nullable=False),
    _number("cost"),
    Column("priority", Integer, nullable=False),
    UniqueConstraint("prefix", "carrier_id"),
)

# An account of 0 is the default list: NULL would escape the unique constraint.
price = Table(
    "price",
    metadata,
    Column("id", Id, primary_key=True),
    _number("account_id"),
    Column("prefix", String(15), nullable=False),
    _number("micro"),
    UniqueConstraint("account_id", "prefix"),
)

batch = Table(
    "batch",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    _number("account_id"),
    _number("created_at"),
    _number("opened_at", null=True),  # NULL while its messages are being staged
    _number("fed_at", null=True),  # when the dispatcher had moved all of them to the queue
    Column("count", Integer, nullable=False),
    _number("credits"),
    Index("ix_batch_unfed", "id", sqlite_where=text("fed_at IS NULL"), postgresql_where=text("fed_at IS NULL")),
)

message = Table(
    "message",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    _number("account_id"),
    _number("access_id"),
    _number("batch_id", null=True),
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
    _number("price"),  # of the whole message, fixed at acceptance
    _number("refunded"),
    Column("state", SmallInteger, nullable=False),
    Column("hold_reason", String(16)),  # suspended, doubt, restored
    Column("error", String(64)),  # the carrier's or our word on a failure
    Column("assumed", Boolean, nullable=False, server_default=text("false")),  # no receipt ever came
    Column("possible_duplicate", Boolean, nullable=False, server_default=text("false")),
    _number("carrier_id"),  # the one it waits for or was handed to
    Column("attempt", SmallInteger, nullable=False),
    _number("accepted_at"),
    _number("due_at"),
    _number("expires_at"),
    _number("sent_at", null=True),
    _number("final_at", null=True),  # when the deciding receipt arrived
    Index("ix_message_account_id_id", "account_id", "id"),
    Index(
        "ix_message_batch_id_id",
        "batch_id",
        "id",
        sqlite_where=text("batch_id IS NOT NULL"),
        postgresql_where=text("batch_id IS NOT NULL"),
    ),
    Index(
        "ix_message_queue",
        "carrier_id",
        "due_at",
        "accepted_at",
        "id",
        sqlite_where=text("state IN (1, 2)"),
        postgresql_where=text("state IN (1, 2)"),
    ),
    Index(
        "ix_message_sending",
        "carrier_id",
        "id",
        sqlite_where=text("state IN (3, 5)"),
        postgresql_where=text("state IN (3, 5)"),
    ),
    Index(
        "ix_message_unfinished",
        "expires_at",
        sqlite_where=text("state < 20"),
        postgresql_where=text("state < 20"),
    ),
    postgresql_partition_by="RANGE (id)",
)

# One row per segment handed to a carrier: a long message has several ids and several receipts.
segment = Table(
    "segment",
    metadata,
    Column("message_id", BigInteger, primary_key=True, autoincrement=False),
    Column("seq", SmallInteger, primary_key=True, autoincrement=False),  # from 1
    Column("attempt", SmallInteger, primary_key=True, autoincrement=False),
    _number("carrier_id"),
    Column("carrier_ref", String(65)),  # the carrier's id of it, canonical
    Column("state", SmallInteger, nullable=False),
    Column("error", String(64)),
    _number("sent_at", null=True),
    _number("final_at", null=True),
    Index(
        "ix_segment_carrier_ref",
        "carrier_ref",
        "carrier_id",
        sqlite_where=text("carrier_ref IS NOT NULL"),
        postgresql_where=text("carrier_ref IS NOT NULL"),
    ),
    postgresql_partition_by="RANGE (message_id)",
)

# Receipts that changed nothing: late, repeated, or for a message that is not ours (yet).
stray_receipt = Table(
    "stray_receipt",
    metadata,
    Column("id", Id, primary_key=True),
    _number("carrier_id"),
    Column("carrier_ref", String(65), nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("error", String(64)),
    _number("at"),
    _number("message_id", null=True),  # NULL: no segment carries that id (yet)
    Index(
        "ix_stray_receipt_unmatched",
        "carrier_ref",
        "carrier_id",
        sqlite_where=text("message_id IS NULL"),
        postgresql_where=text("message_id IS NULL"),
    ),
)

# What carriers deliver to us that is no receipt.
inbound = Table(
    "inbound",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    _number("carrier_id"),
    _number("account_id", null=True),
    Column("source", String(21), nullable=False),
    Column("destination", String(21), nullable=False),
    Column("text", Text, nullable=False),
    Column("data_coding", SmallInteger),
    Column("esm_class", SmallInteger),
    Column("payload", LargeBinary),
    _number("received_at"),
    Index("ix_inbound_account_id_id", "account_id", "id"),
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

opt_out = Table(
    "opt_out",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("destination", String(21), primary_key=True),
    _number("created_at"),
)

# What a customer is still to be told: written with the state change, removed when acknowledged.
outbox = Table(
    "outbox",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(8), nullable=False),  # receipt, callback, inbound
    _number("account_id"),
    _number("access_id"),
    _number("message_id"),
    Column("state", SmallInteger),
    _number("at"),
    _number("due_at"),
    _number("expires_at"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Index("ix_outbox_access_id_due_at", "access_id", "due_at"),
    Index("ix_outbox_expires_at", "expires_at"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("account_id", BigInteger, primary_key=True, autoincrement=False),
    Column("key", String(128), primary_key=True),
    Column("fingerprint", String(64), nullable=False),  # of the operation and its parameters
    Column("answer", Text, nullable=False),  # JSON
    _number("at"),
    Index("ix_idempotency_at", "at"),
)

call_log = Table(
    "call_log",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    _number("at"),
    _number("account_id", null=True),  # NULL: nobody we know
    _number("access_id", null=True),
    Column("login", String(254)),
    Column("source_ip", String(45), nullable=False),
    Column("protocol", String(8), nullable=False),
    Column("class", String(64)),
    Column("method", String(64)),
    Column("parameters", Text, nullable=False),  # JSON, redacted; the text of a sent message is its row's
    Column("outcome", String(32), nullable=False),  # SUCCESS or the error code
    Column("response", Text, nullable=False),  # JSON
    _number("message_id", null=True),
    Column("http_status", SmallInteger),
    Column("duration_us", Integer, nullable=False),  # until handed to the disk
    Column("user_agent", String(200)),
    Column("request_id", String(64), nullable=False),
    Column("count", Integer, nullable=False, server_default="1"),  # above 1: a stranger's, summed up
    Index("ix_call_log_account_id_id", "account_id", "id"),
    Index("ix_call_log_access_id_id", "access_id", "id"),
    postgresql_partition_by="RANGE (id)",
)

# Next free number of each kind of id; a process takes a block at a time.
counter = Table(
    "counter",
    metadata,
    Column("name", String(32), primary_key=True),
    _number("next"),
)

# Bumped in the transaction that changes accesses, routes, prices or carriers; every process polls it.
config_version = Table(
    "config_version",
    metadata,
    Column("name", String(32), primary_key=True),
    _number("version"),
)

# What is running: for readiness and for dividing rates among machines.
node = Table(
    "node",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("machine", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("pid", Integer, nullable=False),
    _number("started_at"),
    _number("seen_at"),
)

# A committed batch of the writer, so that a lost answer to COMMIT is never guessed at.
commit_token = Table(
    "commit_token",
    metadata,
    Column("token", String(32), primary_key=True),
    _number("at"),
    Index("ix_commit_token_at", "at"),
)
