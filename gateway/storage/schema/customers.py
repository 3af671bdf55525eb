"""Who uses the gateway: accounts and their money, accesses and their keys, templates, groups, operators."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from gateway.storage.schema.base import Id, metadata, number, where

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
    number("suspended_at", null=True),
    number("created_at"),
)

# Apart from `account`: this row changes with every commit of its owner, that one hardly ever.
balance = Table(
    "balance",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True, autoincrement=False),
    number("credits"),
)

ledger = Table(
    "ledger",
    metadata,
    Column("id", Id, primary_key=True),
    number("account_id"),
    number("at"),
    Column("kind", String(8), nullable=False),  # grant, debit, refund, move
    number("amount"),  # signed: what the balance changed by
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
    number("rate", null=True),  # calls per 1,000 seconds; NULL is unlimited
    Column("bind_limit", Integer),
    number("expires_at", null=True),
    number("revoked_at", null=True),
    number("created_at"),
    Column("generation", Integer, nullable=False, server_default="0"),  # tokens of another one are void
    UniqueConstraint("account_id", "name"),
)

# What customers sign tokens of their own with; a removed key stays until another takes its kid.
access_key = Table(
    "access_key",
    metadata,
    Column("id", Id, primary_key=True),
    Column("access_id", ForeignKey("access.id"), nullable=False, index=True),
    Column("kid", String(64), nullable=False, unique=True),
    Column("algorithm", String(16), nullable=False),
    Column("public_key", Text, nullable=False),  # PEM
    number("created_at"),
    number("revoked_at", null=True),
)

signing_key = Table(
    "signing_key",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kid", String(64), nullable=False, unique=True),
    Column("algorithm", String(16), nullable=False),
    Column("sealed_key", LargeBinary, nullable=False),  # encrypted with the key file
    Column("public_key", Text, nullable=False),  # PEM
    number("created_at"),
    number("retires_at", null=True),  # NULL: the one that signs
)

refresh_token = Table(
    "refresh_token",
    metadata,
    Column("id", Id, primary_key=True),
    Column("access_id", ForeignKey("access.id"), nullable=False, index=True),
    Column("generation", Integer, nullable=False),  # the access's when the family began
    Column("family", String(32), nullable=False, index=True),  # of one log-in; its access tokens' sid
    Column("digest", String(64), nullable=False, unique=True),  # SHA-256
    number("created_at"),
    number("expires_at"),
    number("used_at", null=True),
    number("revoked_at", null=True),
    Index("ix_refresh_token_expires_at", "expires_at"),
)

# `jti` is a token's id, or the family of all that came from one log-in. Customers choose ids of their own.
revoked_token = Table(
    "revoked_token",
    metadata,
    Column("access_id", ForeignKey("access.id"), primary_key=True, autoincrement=False),
    Column("jti", String(128), primary_key=True),
    number("expires_at"),
    Index("ix_revoked_token_expires_at", "expires_at"),
)

operator = Table(
    "operator",
    metadata,
    Column("id", Id, primary_key=True),
    Column("login", String(254), nullable=False, unique=True),
    Column("secret", String(200), nullable=False),
    number("created_at"),
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
    number("created_at"),
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
    number("created_at"),
    # Removed for its owner at once; the row follows when its contacts were purged.
    number("removed_at", null=True),
    Index(
        "ix_contact_group_removed",
        "id",
        info=where("removed_at IS NOT NULL"),
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
    number("created_at"),
    Index("ix_contact_group_id_id", "group_id", "id"),
    sqlite_autoincrement=True,
)

opt_out = Table(
    "opt_out",
    metadata,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    Column("destination", String(21), primary_key=True),
    number("created_at"),
)
