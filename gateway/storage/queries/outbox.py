"""What customers are still to be told over SMPP: claiming rows of the outbox, putting them off, removing them.

Several servers may share one database. A claim moves `due_at` a lease ahead, so that nobody else finds the row;
its holder renews it, and when the holder dies the row is due again by itself. `attempts` counts the claims and
tells a holder whether the row is still his.

These run for whatever access is bound: the account and the access of each are named in every statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.storage.queries.dispatch.talk import Talk, Update
from gateway.storage.submission import Row

Key = tuple[int, int]
"""An account and one of its accesses, or 0 for what any of them may be told."""

HEAD = 20
"""Characters of a message's text that its receipt repeats (SMPP 3.4, appendix B)."""


@dataclass(slots=True)
class Outcome:
    """What a receipt tells: the message as it was accepted, and what became of it. Times in UTC microseconds."""

    source: str
    source_ton: int | None
    source_npi: int | None
    destination: str
    destination_ton: int | None
    destination_npi: int | None
    head: str
    accepted_at: int
    error: str | None
    reference: str | None
    state: int
    at: int


@dataclass(slots=True)
class Incoming:
    """A message for the customer, as a carrier delivered it."""

    source: str
    destination: str
    text: str
    data_coding: int | None
    esm_class: int | None
    payload: bytes | None


@dataclass(slots=True)
class Entry:
    """A claimed row; `attempt` is the claim's number. Without `what` the message is there no more."""

    id: int
    key: Key
    message_id: int
    attempt: int
    what: Outcome | Incoming | None


_CLAIMED = "id, kind, account_id, access_id, message_id, state, at, attempts"
_DUE = "account_id = {account} AND access_id = {access} AND due_at <= ? AND expires_at > ? AND kind <> 'callback'"

# The order is the index's own; asking for the first of it keeps PostgreSQL from joining with the whole table.
_ORDER = "ORDER BY account_id, access_id, due_at, id LIMIT"
_ANY_DUE = {
    "sqlite": "SELECT w.key FROM json_each(?) AS w WHERE EXISTS (SELECT 1 FROM outbox WHERE "
    + _DUE.format(account="json_extract(w.value, '$[0]')", access="json_extract(w.value, '$[1]')")
    + ")",
    "postgresql": "SELECT w.key - 1 FROM unnest(?::bigint[], ?::bigint[]) WITH ORDINALITY AS w(account, access, key)"
    f" WHERE (SELECT 1 FROM outbox WHERE {_DUE.format(account='w.account', access='w.access')} {_ORDER} 1) = 1",
}
_TAKE = "UPDATE outbox SET due_at = ?, attempts = attempts + 1 WHERE id"
_CLAIM = {
    "sqlite": f"{_TAKE} IN (SELECT id FROM outbox WHERE {_DUE.format(account='?', access='?')} {_ORDER} ?)"
    f" RETURNING {_CLAIMED}",
    # The array is found first, by the index; a join might read the whole table.
    "postgresql": f"{_TAKE} = ANY(ARRAY(SELECT r.id FROM unnest(?::bigint[], ?::bigint[], ?::int[])"
    " AS w(account, access, most) CROSS JOIN LATERAL (SELECT id FROM outbox"
    f" WHERE {_DUE.format(account='w.account', access='w.access')} {_ORDER} w.most FOR UPDATE SKIP LOCKED) AS r"
    f" LIMIT ?)) RETURNING {_CLAIMED}",
}
_MESSAGES = (
    "SELECT id, account_id, source, source_ton, source_npi, destination, destination_ton, destination_npi,"
    f" substr(text, 1, {HEAD}), accepted_at, error, reference FROM message WHERE id IN {{}}"
)
_INBOUND = (
    "SELECT id, account_id, source, destination, text, data_coding, esm_class, payload FROM inbound WHERE id IN {}"
)

_PUT_OFF = Update("outbox", {"due_at": "bigint"}, {"id": "bigint", "message_id": "bigint", "attempts": "int"})
_REMOVE = {
    "sqlite": "DELETE FROM outbox WHERE id = ? AND message_id = ?",
    "postgresql": "DELETE FROM outbox USING unnest(?::bigint[], ?::bigint[]) AS v(v_id, v_message)"
    " WHERE id = v_id AND message_id = v_message",
}


def newest(talk: Talk) -> tuple[int, int] | None:
    """Tell one state of the outbox from another: the id and the message of its newest row, None of an empty one.

    Where this has not changed, hardly anything can have been added: cheap enough to ask ten times a second.
    """
    rows = talk.all("SELECT id, message_id FROM outbox ORDER BY id DESC LIMIT 1")
    return (rows[0][0], rows[0][1]) if rows else None


def waiting(talk: Talk, keys: Sequence[Key], now: int) -> list[Key]:
    """Those of the keys for which something is due."""
    if talk.dialect == "sqlite":
        rows = talk.select(_ANY_DUE["sqlite"], [list(key) for key in keys], now, now)
    else:
        rows = talk.all(_ANY_DUE["postgresql"], *_columns(keys, 2), now, now)
    return [keys[row[0]] for row in rows]


def claim(talk: Talk, wanted: Sequence[tuple[int, int, int]], now: int, until: int, most: int) -> list[Entry]:
    """Take what is due, oldest first, until `until`; `wanted` are accounts, accesses, and how many of each at most.

    It ends at `most` in all: then the last of `wanted` get nothing. A row that another server takes at this moment
    is left out.
    """
    if talk.dialect == "sqlite":
        rows = _claim_in_turn(talk, wanted, now, until, most)
    else:
        rows = talk.all(_CLAIM["postgresql"], until, *_columns(wanted, 3), now, now, most)
    rows.sort()
    kinds: dict[str, list[int]] = {}
    for row in rows:
        kinds.setdefault(row[1], []).append(row[4])
    messages = {row[:2]: row[2:] for row in _found(talk, _MESSAGES, kinds.get("receipt"))}
    inbound = {row[:2]: row[2:] for row in _found(talk, _INBOUND, kinds.get("inbound"))}
    return [_entry(row, messages if row[1] == "receipt" else inbound) for row in rows]


def put_off(talk: Talk, entries: Sequence[tuple[Entry, int]]) -> None:
    """Make claimed rows due at the moments given (renew the claim, try again later), unless another has them now."""
    talk.update(_PUT_OFF, [(due_at, entry.id, entry.message_id, entry.attempt) for entry, due_at in entries])


def remove(talk: Talk, entries: Sequence[Entry]) -> None:
    """Forget what the customer has acknowledged, whoever holds it."""
    # SQLite uses the numbers of removed rows again; the message tells them apart.
    rows: list[Row] = [(entry.id, entry.message_id) for entry in entries]
    if talk.dialect == "sqlite":
        talk.many(_REMOVE["sqlite"], rows)
    elif rows:
        talk.run(_REMOVE["postgresql"], *_columns(rows, 2))


def _claim_in_turn(
    talk: Talk, wanted: Sequence[tuple[int, int, int]], now: int, until: int, most: int
) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for account_id, access_id, limit in wanted:
        room = min(limit, most - len(rows))
        if room <= 0:
            break
        rows += talk.all(_CLAIM["sqlite"], until, account_id, access_id, now, now, room)
    return rows


def _found(talk: Talk, query: str, message_ids: list[int] | None) -> list[tuple[Any, ...]]:
    return talk.select(query, message_ids) if message_ids else []


def _entry(row: tuple[Any, ...], found: dict[tuple[Any, ...], tuple[Any, ...]]) -> Entry:
    number, kind, account_id, access_id, message_id, state, at, attempt = row
    values = found.get((message_id, account_id))
    what: Outcome | Incoming | None = None
    if values is not None:
        what = Outcome(*(*values, state, at)) if kind == "receipt" else Incoming(*values)
    return Entry(number, (account_id, access_id), message_id, attempt, what)


def _columns(rows: Sequence[Sequence[int]], width: int) -> list[list[int]]:
    return [[row[column] for row in rows] for column in range(width)]
