"""The first schema, and what a new installation starts with."""

import time
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make every table, and what a new installation starts with."""
    _accounts()
    _accesses()
    _contents()
    _routing()
    _messages()
    _answers()
    _calls()
    _processes()
    if op.get_bind().dialect.name == "postgresql":
        _default_partitions()
    _first_rows()


def _where(condition: str) -> dict[str, Any]:
    """A partial index on either database."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def _default_partitions() -> None:
    """For rows of days that no partition was made for; `storage.partitions` makes those."""
    for table in ("message", "segment", "call_log"):
        op.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")


def _first_rows() -> None:
    """The counters, and a simulated carrier that serves every number at one credit a segment."""
    op.execute("INSERT INTO counter (name, next) VALUES ('id', 1)")
    op.execute("INSERT INTO config_version (name, version) VALUES ('config', 1)")
    op.execute(
        "INSERT INTO carrier (name, kind, options, created_at)"
        f" VALUES ('simulator', 'simulator', '{{}}', {time.time_ns() // 1000})"
    )
    op.execute("INSERT INTO route (prefix, carrier_id, cost, priority) SELECT '', id, 0, 0 FROM carrier")
    op.execute("INSERT INTO price (account_id, prefix, micro) VALUES (0, '', 1000000)")


def _accounts() -> None:
    """Customers and their money."""
    op.create_table(
        "account",
        sa.Column("id", ID, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("parent_id", ID, nullable=True),
        sa.Column("timezone", sa.String(length=64), server_default="UTC", nullable=False),
        sa.Column("country", sa.String(length=3), server_default="", nullable=False),
        sa.Column("sender", sa.String(length=16), server_default="", nullable=False),
        sa.Column("listed_senders", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("redact_text", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("profile", sa.Text(), server_default="{}", nullable=False),
        sa.Column("suspended_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["account.id"], name="fk_account_parent_id"),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("email", name="uq_account_email"),
    )
    op.create_index("ix_account_parent_id", "account", ["parent_id"])
    op.create_table(
        "balance",
        sa.Column("account_id", ID, autoincrement=False, nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_balance_account_id"),
        sa.PrimaryKeyConstraint("account_id", name="pk_balance"),
    )
    op.create_table(
        "ledger",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(length=200), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ledger"),
    )
    op.create_index("ix_ledger_account_id_id", "ledger", ["account_id", "id"])
    op.create_table(
        "account_sender",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("sender", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_account_sender_account_id"),
        sa.PrimaryKeyConstraint("account_id", "sender", name="pk_account_sender"),
    )


def _accesses() -> None:
    """Who may call, and with what."""
    op.create_table(
        "access",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("login", sa.String(length=254), nullable=False),
        sa.Column("secret", sa.String(length=200), nullable=False),
        sa.Column("protocols", sa.Text(), nullable=True),
        sa.Column("operations", sa.Text(), nullable=True),
        sa.Column("networks", sa.Text(), nullable=True),
        sa.Column("rate", sa.BigInteger(), nullable=True),
        sa.Column("bind_limit", sa.Integer(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("generation", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_access_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_access"),
        sa.UniqueConstraint("account_id", "name", name="uq_access_account_id_name"),
        sa.UniqueConstraint("login", name="uq_access_login"),
    )
    op.create_table(
        "access_key",
        sa.Column("id", ID, nullable=False),
        sa.Column("access_id", ID, nullable=False),
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("algorithm", sa.String(length=16), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["access_id"], ["access.id"], name="fk_access_key_access_id"),
        sa.PrimaryKeyConstraint("id", name="pk_access_key"),
        sa.UniqueConstraint("kid", name="uq_access_key_kid"),
    )
    op.create_index("ix_access_key_access_id", "access_key", ["access_id"])
    op.create_table(
        "signing_key",
        sa.Column("id", ID, nullable=False),
        sa.Column("kid", sa.String(length=64), nullable=False),
        sa.Column("algorithm", sa.String(length=16), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("retires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_signing_key"),
        sa.UniqueConstraint("kid", name="uq_signing_key_kid"),
    )
    op.create_table(
        "refresh_token",
        sa.Column("id", ID, nullable=False),
        sa.Column("access_id", ID, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("family", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["access_id"], ["access.id"], name="fk_refresh_token_access_id"),
        sa.PrimaryKeyConstraint("id", name="pk_refresh_token"),
        sa.UniqueConstraint("digest", name="uq_refresh_token_digest"),
    )
    op.create_index("ix_refresh_token_access_id", "refresh_token", ["access_id"])
    op.create_index("ix_refresh_token_family", "refresh_token", ["family"])
    op.create_index("ix_refresh_token_expires_at", "refresh_token", ["expires_at"])
    op.create_table(
        "revoked_token",
        sa.Column("access_id", ID, autoincrement=False, nullable=False),
        sa.Column("jti", sa.String(length=128), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["access_id"], ["access.id"], name="fk_revoked_token_access_id"),
        sa.PrimaryKeyConstraint("access_id", "jti", name="pk_revoked_token"),
    )
    op.create_index("ix_revoked_token_expires_at", "revoked_token", ["expires_at"])
    op.create_table(
        "operator",
        sa.Column("id", ID, nullable=False),
        sa.Column("login", sa.String(length=254), nullable=False),
        sa.Column("secret", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_operator"),
        sa.UniqueConstraint("login", name="uq_operator_login"),
    )


def _contents() -> None:
    """What customers keep here."""
    op.create_table(
        "template",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_template_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_template"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_template_account_id", "template", ["account_id"])
    op.create_table(
        "contact_group",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_contact_group_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_contact_group"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_contact_group_account_id", "contact_group", ["account_id"])
    op.create_index("ix_contact_group_removed", "contact_group", ["id"], **_where("removed_at IS NOT NULL"))
    op.create_table(
        "contact",
        sa.Column("id", ID, nullable=False),
        sa.Column("group_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("mobile", sa.String(length=32), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_contact_account_id"),
        sa.ForeignKeyConstraint(["group_id"], ["contact_group.id"], name="fk_contact_group_id"),
        sa.PrimaryKeyConstraint("id", name="pk_contact"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_contact_group_id_id", "contact", ["group_id", "id"])


def _routing() -> None:
    """Where messages go and what they cost."""
    op.create_table(
        "carrier",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("sealed_secrets", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_carrier"),
        sa.UniqueConstraint("name", name="uq_carrier_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "carrier_lease",
        sa.Column("carrier_id", ID, autoincrement=False, nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("down_since", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["carrier_id"], ["carrier.id"], name="fk_carrier_lease_carrier_id"),
        sa.PrimaryKeyConstraint("carrier_id", name="pk_carrier_lease"),
    )
    op.create_table(
        "route",
        sa.Column("id", ID, nullable=False),
        sa.Column("prefix", sa.String(length=15), nullable=False),
        sa.Column("carrier_id", ID, nullable=False),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["carrier_id"], ["carrier.id"], name="fk_route_carrier_id"),
        sa.PrimaryKeyConstraint("id", name="pk_route"),
        sa.UniqueConstraint("prefix", "carrier_id", name="uq_route_prefix_carrier_id"),
    )
    op.create_table(
        "price",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("prefix", sa.String(length=15), nullable=False),
        sa.Column("micro", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_price"),
        sa.UniqueConstraint("account_id", "prefix", name="uq_price_account_id_prefix"),
    )


def _messages() -> None:
    """Messages and what carriers say of them."""
    op.create_table(
        "batch",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=True),
        sa.Column("fed_at", sa.BigInteger(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_batch"),
    )
    op.create_index("ix_batch_unfed", "batch", ["id"], **_where("fed_at IS NULL"))
    op.create_table(
        "message",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("access_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.Column("protocol", sa.String(length=8), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=True),
        sa.Column("source", sa.String(length=21), nullable=False),
        sa.Column("source_ton", sa.SmallInteger(), nullable=True),
        sa.Column("source_npi", sa.SmallInteger(), nullable=True),
        sa.Column("destination", sa.String(length=21), nullable=False),
        sa.Column("destination_ton", sa.SmallInteger(), nullable=True),
        sa.Column("destination_npi", sa.SmallInteger(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("encoding", sa.String(length=4), nullable=False),
        sa.Column("data_coding", sa.SmallInteger(), nullable=True),
        sa.Column("esm_class", sa.SmallInteger(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("udh", sa.LargeBinary(), nullable=True),
        sa.Column("registered_delivery", sa.SmallInteger(), nullable=True),
        sa.Column("segments", sa.SmallInteger(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("refunded", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("hold_reason", sa.String(length=16), nullable=True),
        sa.Column("error", sa.String(length=64), nullable=True),
        sa.Column("assumed", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("possible_duplicate", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("carrier_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt", sa.SmallInteger(), nullable=False),
        sa.Column("refusals", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("accepted_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("final_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
        postgresql_partition_by="RANGE (id)",
    )
    op.create_index("ix_message_account_id_id", "message", ["account_id", "id"])
    op.create_index("ix_message_batch_id_id", "message", ["batch_id", "id"], **_where("batch_id IS NOT NULL"))
    op.create_index(
        "ix_message_queue", "message", ["carrier_id", "due_at", "accepted_at", "id"], **_where("state IN (1, 2)")
    )
    op.create_index("ix_message_sending", "message", ["carrier_id", "id"], **_where("state IN (3, 5)"))
    op.create_index("ix_message_unfinished", "message", ["expires_at"], **_where("state < 20"))
    op.create_table(
        "segment",
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("carrier_id", sa.BigInteger(), nullable=False),
        sa.Column("carrier_ref", sa.String(length=65), nullable=True),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("error", sa.String(length=64), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("final_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("message_id", "seq", "attempt", name="pk_segment"),
        postgresql_partition_by="RANGE (message_id)",
    )
    op.create_index(
        "ix_segment_carrier_ref", "segment", ["carrier_ref", "carrier_id"], **_where("carrier_ref IS NOT NULL")
    )
    op.create_table(
        "stray_receipt",
        sa.Column("id", ID, nullable=False),
        sa.Column("carrier_id", sa.BigInteger(), nullable=False),
        sa.Column("carrier_ref", sa.String(length=65), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("error", sa.String(length=64), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_stray_receipt"),
    )
    op.create_index(
        "ix_stray_receipt_unmatched", "stray_receipt", ["carrier_ref", "carrier_id"], **_where("message_id IS NULL")
    )


def _answers() -> None:
    """What comes from carriers and what customers are still to be told."""
    op.create_table(
        "inbound",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("carrier_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.String(length=21), nullable=False),
        sa.Column("destination", sa.String(length=21), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("data_coding", sa.SmallInteger(), nullable=True),
        sa.Column("esm_class", sa.SmallInteger(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_inbound"),
    )
    op.create_index("ix_inbound_account_id_id", "inbound", ["account_id", "id"])
    op.create_index("ix_inbound_source_id", "inbound", ["source", "id"])
    op.create_table(
        "inbound_part",
        sa.Column("id", ID, nullable=False),
        sa.Column("carrier_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=21), nullable=False),
        sa.Column("destination", sa.String(length=21), nullable=False),
        sa.Column("reference", sa.Integer(), nullable=False),
        sa.Column("total", sa.SmallInteger(), nullable=False),
        sa.Column("seq", sa.SmallInteger(), nullable=False),
        sa.Column("source_ton", sa.SmallInteger(), nullable=True),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("data_coding", sa.SmallInteger(), nullable=True),
        sa.Column("esm_class", sa.SmallInteger(), nullable=True),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("inbound_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_inbound_part"),
    )
    op.create_index("ix_inbound_part_source_reference", "inbound_part", ["source", "reference"])
    op.create_index("ix_inbound_part_received_at", "inbound_part", ["received_at"])
    op.create_table(
        "inbound_route",
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("number", sa.String(length=21), nullable=False),
        sa.Column("keyword", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_inbound_route_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_inbound_route"),
        sa.UniqueConstraint("number", "keyword", name="uq_inbound_route_number_keyword"),
    )
    op.create_index("ix_inbound_route_account_id", "inbound_route", ["account_id"])
    op.create_table(
        "opt_out",
        sa.Column("account_id", ID, nullable=False),
        sa.Column("destination", sa.String(length=21), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_opt_out_account_id"),
        sa.PrimaryKeyConstraint("account_id", "destination", name="pk_opt_out"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("access_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_index("ix_outbox_waiting", "outbox", ["account_id", "access_id", "due_at", "id"])
    op.create_index("ix_outbox_expires_at", "outbox", ["expires_at"])


def _calls() -> None:
    """What was called."""
    op.create_table(
        "idempotency",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "key", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_at", "idempotency", ["at"])
    op.create_table(
        "call_log",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("access_id", sa.BigInteger(), nullable=True),
        sa.Column("login", sa.String(length=254), nullable=True),
        sa.Column("source_ip", sa.String(length=45), nullable=False),
        sa.Column("protocol", sa.String(length=8), nullable=False),
        sa.Column("class", sa.String(length=64), nullable=True),
        sa.Column("method", sa.String(length=64), nullable=True),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("response", sa.Text(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("http_status", sa.SmallInteger(), nullable=True),
        sa.Column("duration_us", sa.Integer(), nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), server_default="1", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_call_log"),
        postgresql_partition_by="RANGE (id)",
    )
    op.create_index("ix_call_log_access_id_id", "call_log", ["access_id", "id"])
    op.create_index("ix_call_log_account_id_id", "call_log", ["account_id", "id"])


def _processes() -> None:
    """What processes share."""
    op.create_table(
        "counter",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counter"),
    )
    op.create_table(
        "config_version",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_config_version"),
    )
    op.create_table(
        "node",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("machine", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_node"),
    )
    op.create_table(
        "smpp_bind",
        sa.Column("id", ID, nullable=False, autoincrement=False),
        sa.Column("node", sa.String(length=64), nullable=False),
        sa.Column("access_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_smpp_bind"),
    )
    op.create_index("ix_smpp_bind_access_id", "smpp_bind", ["access_id"])
    op.create_index("ix_smpp_bind_node", "smpp_bind", ["node"])
    op.create_table(
        "commit_token",
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token", name="pk_commit_token"),
    )
    op.create_index("ix_commit_token_at", "commit_token", ["at"])
