"""Searching the log of calls: newest first, page by page, never without bound.

Ids follow time, so a range of time is a range of the primary key, up to a minute wider at its ends, where the
row's own time decides. A page looks at no more than `SCANNED` rows of the account, the access or the time range;
where filters leave few of them it ends early and says where to go on.
"""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from gateway.storage import ids
from gateway.storage.schema import account, call_log, message

SCANNED = 20_000
LONGEST = 1000

_REDACTED = "[redacted]"


class Page(NamedTuple):
    """Some entries, newest first, and the `after` of the next page, or None where there is none."""

    entries: list[dict[str, Any]]
    next: int | None


def search(
    connection: Connection,
    account_id: int | None = None,
    *,
    access_id: int | None = None,
    since: int | None = None,
    until: int | None = None,
    method: str | None = None,
    source_ip: str | None = None,
    outcome: str | None = None,
    after: int | None = None,
    limit: int = 100,
) -> Page:
    """Give the calls of an account, of an access, or (for operators) of everybody in a range of time.

    `since` (inclusive) and `until` (exclusive) are UTC microseconds; `method` is a method or `class.method`,
    `outcome` SUCCESS or an error's code, `after` the `next` of the page before, `limit` 1 to 1,000. Entries
    have the columns of `call_log`, `parameters` and `response` as objects; a parameter that refers to the
    message's text is that text, or null once the message is purged. Raises `ValueError`, a sentence, where
    neither account nor access nor `since` is given.
    """
    if account_id is None and access_id is None and since is None:
        raise ValueError("Searching everybody's calls needs a time to search from: give since.")
    scope = _scope(account_id, access_id, since, until, after)
    newest = select(call_log).where(*scope).order_by(call_log.c.id.desc())
    limit = max(1, min(limit, LONGEST))
    scanned = newest.limit(SCANNED).subquery()
    filters = _filters(scanned.c, method, source_ip, outcome)
    query = select(scanned).where(*filters).order_by(scanned.c.id.desc()) if filters else newest
    entries = [_entry(dict(row)) for row in connection.execute(query.limit(limit)).mappings()]
    _join_texts(connection, entries)
    if len(entries) == limit:
        return Page(entries, entries[-1]["id"])
    return Page(entries, _last_scanned(connection, scope) if filters else None)


def _scope(
    account_id: int | None, access_id: int | None, since: int | None, until: int | None, after: int | None
) -> list[ColumnElement[bool]]:
    scope: list[ColumnElement[bool]] = []
    if account_id is not None:
        scope.append(call_log.c.account_id == account_id)
    if access_id is not None:
        scope.append(call_log.c.access_id == access_id)
    if since is not None:
        scope += [call_log.c.id >= ids.floor(since), call_log.c.at >= since]
    if until is not None:
        scope += [call_log.c.id < ids.ceiling(until), call_log.c.at < until]
    if after is not None:
        scope.append(call_log.c.id < after)
    return scope


def _filters(
    columns: ReadOnlyColumnCollection[str, Any], method: str | None, source_ip: str | None, outcome: str | None
) -> list[ColumnElement[bool]]:
    filters: list[ColumnElement[bool]] = []
    if method is not None:
        class_name, _, name = method.lower().rpartition(".")
        filters.append(columns.method == name)
        if class_name:
            filters.append(columns["class"] == class_name)
    if source_ip is not None:
        filters.append(columns.source_ip == source_ip)
    if outcome is not None:
        filters.append(columns.outcome == outcome.upper())
    return filters


def _last_scanned(connection: Connection, scope: Iterable[ColumnElement[bool]]) -> int | None:
    """Where the next page starts if this one ended because enough was looked at."""
    looked_at = select(call_log.c.id).where(*scope).order_by(call_log.c.id.desc()).limit(SCANNED).subquery()
    count, last = connection.execute(select(func.count(), func.min(looked_at.c.id))).one()
    return last if count == SCANNED else None


def _entry(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "parameters": json.loads(row["parameters"]), "response": json.loads(row["response"])}


def _join_texts(connection: Connection, entries: list[dict[str, Any]]) -> None:
    """Put the messages' texts where parameters refer to them."""
    referring = [
        (entry, name, int(value["message"]))
        for entry in entries
        for name, value in entry["parameters"].items()
        if isinstance(value, dict)
    ]
    if not referring:
        return
    texts = {
        row.id: (row.account_id, _REDACTED if row.redact_text else row.text)
        for row in connection.execute(
            select(message.c.id, message.c.account_id, message.c.text, account.c.redact_text)
            .join(account, account.c.id == message.c.account_id)
            .where(message.c.id.in_({number for _, _, number in referring}))
        )
    }
    for entry, name, number in referring:
        owner, text = texts.get(number, (None, None))
        entry["parameters"][name] = text if owner == entry["account_id"] else None
