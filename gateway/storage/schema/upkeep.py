"""What the gateway keeps for itself: the log of calls, counters, versions, signs of life."""

from sqlalchemy import Column, Index, Integer, SmallInteger, String, Table, Text

from gateway.storage.schema.base import Id, metadata, number, partitioned

call_log = Table(
    "call_log",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    number("at"),
    number("account_id", null=True),  # NULL: nobody we know
    number("access_id", null=True),
    Column("login", String(254)),
    Column("source_ip", String(45), nullable=False),
    Column("protocol", String(8), nullable=False),
    Column("class", String(64)),
    Column("method", String(64)),
    Column("parameters", Text, nullable=False),  # JSON, redacted; the text of a sent message is its row's
    Column("outcome", String(32), nullable=False),  # SUCCESS or the error code
    Column("response", Text, nullable=False),  # JSON
    number("message_id", null=True),
    Column("http_status", SmallInteger),
    Column("duration_us", Integer, nullable=False),  # until handed to the disk
    Column("user_agent", String(200)),
    Column("request_id", String(64), nullable=False),
    Column("count", Integer, nullable=False, server_default="1"),  # above 1: a stranger's, summed up
    Index("ix_call_log_account_id_id", "account_id", "id"),
    Index("ix_call_log_access_id_id", "access_id", "id"),
    info=partitioned("RANGE (id)"),
)

# Next free number of each kind of id; a process takes a block at a time.
counter = Table(
    "counter",
    metadata,
    Column("name", String(32), primary_key=True),
    number("next"),
)

# Bumped in the transaction that changes accesses, routes, prices or carriers; every process polls it.
config_version = Table(
    "config_version",
    metadata,
    Column("name", String(32), primary_key=True),
    number("version"),
)

# What is running: for readiness and for dividing rates among machines.
node = Table(
    "node",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("machine", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("pid", Integer, nullable=False),
    number("started_at"),
    number("seen_at"),
)

# The sessions of SMPP customers, on whatever machine: what bind limits are counted over. A row counts as long as
# its node lives.
smpp_bind = Table(
    "smpp_bind",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("node", String(64), nullable=False),
    number("access_id"),
    number("at"),
    Index("ix_smpp_bind_access_id", "access_id"),
    Index("ix_smpp_bind_node", "node"),
)

# A committed batch of the writer, so that a lost answer to COMMIT is never guessed at.
commit_token = Table(
    "commit_token",
    metadata,
    Column("token", String(32), primary_key=True),
    number("at"),
    Index("ix_commit_token_at", "at"),
)
