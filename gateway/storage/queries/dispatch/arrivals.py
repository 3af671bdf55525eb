"""Storing what comes in: for whom it is, whether its sender wants no more, and what SMPP customers are handed.

A message goes to the account that has the number and the message's first word as a keyword, else to the one that
has the number; what nobody has is kept without an account for the operator to see. A carrier that lost our answer
sends a message again: the same one from the same sender within `Policy.repeat` is stored once.

STOP and its like, as a whole message, count for every account that is reached under the number, since its sender
cannot know that there are several; with a keyword before or after it they count for that keyword's account.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from gateway import clock
from gateway.messaging.inbound import Inbound, address, folded, sender, split_keyword
from gateway.messaging.optout import Wish, Words
from gateway.storage import ids
from gateway.storage.queries import optouts
from gateway.storage.queries.dispatch import leases, parts
from gateway.storage.queries.dispatch.leases import Lease
from gateway.storage.queries.dispatch.parts import LENGTH, Parts, Whole
from gateway.storage.queries.dispatch.talk import Talk
from gateway.storage.submission import Row

LIFE = 7 * clock.DAY
"""How long a message waits for an SMPP customer to fetch it, in microseconds."""

ANY_ACCESS = 0
"""The access of an outbox row that any access of the account may be told of."""

_INBOUND = (
    *("id", "carrier_id", "account_id", "source", "destination", "text", "data_coding", "esm_class", "payload"),
    "received_at",
)
_OUTBOX = ("kind", "account_id", "access_id", "message_id", "at", "due_at", "expires_at", "attempts")


@dataclass(frozen=True, slots=True)
class Policy:
    """The words that stop and start, and for how long (microseconds) a repeated message is known again."""

    words: Words = field(default_factory=Words)
    repeat: int = clock.MINUTE


@dataclass(frozen=True, slots=True)
class Recipient:
    """An account and the calling code of its country."""

    account_id: int
    country: str


@dataclass(slots=True)
class _Matched:
    """A message with whose it is, and who sent it in that account's reading."""

    whole: Whole
    recipient: Recipient | None
    source: str
    destination: str
    repeated: bool = False


def store(connection: Connection, lease: Lease, messages: Sequence[Inbound], now: int, policy: Policy) -> int:
    """Store what a carrier delivered, all or nothing; how many messages it made. Raises StaleLease."""
    talk = Talk(connection)
    leases.check(talk, lease)
    known = Parts(talk, lease.carrier_id, messages, policy.repeat)
    wholes = [whole for message in messages if (whole := known.take(message)) is not None]
    stored = _file(talk, wholes, now, policy)
    known.keep()
    return stored


def end_waiting(connection: Connection, now: int, policy: Policy) -> int:
    """Store messages whose other parts never came, as they are: some of them; how many."""
    talk = Talk(connection)
    wholes = parts.overdue(talk, now - parts.WAIT)
    _file(talk, wholes, now, policy)
    return len(wholes)


def _file(talk: Talk, wholes: Sequence[Whole], now: int, policy: Policy) -> int:
    if not wholes:
        return 0
    routes = _Routes(talk, [whole.message for whole in wholes])
    matched = [_match(whole, routes) for whole in wholes]
    _mark_repeated(talk, matched, now, policy.repeat)
    _heed(talk, routes, matched, now, policy.words)
    matched = [item for item in matched if not item.repeated]
    if not matched:
        return 0
    served = _smpp_accounts(talk, {item.recipient.account_id for item in matched if item.recipient is not None})
    # As late as can be: who takes ids elsewhere waits for this transaction, and sees ids in the order of commits.
    block = ids.take_block(talk.connection, len(matched), now)
    numbered = dict(zip(block, matched, strict=True))
    talk.insert("inbound", _INBOUND, [_row(number, item) for number, item in numbered.items()])
    talk.insert(
        "outbox",
        _OUTBOX,
        [
            ("inbound", item.recipient.account_id, ANY_ACCESS, number, now, now, now + LIFE, 0)
            for number, item in numbered.items()
            if item.recipient is not None and item.recipient.account_id in served
        ],
    )
    parts.mark(talk, {number: item.whole for number, item in numbered.items()})
    return len(matched)


def _row(number: int, item: _Matched) -> Row:
    message = item.whole.message
    return (
        *(number, item.whole.carrier_id, item.recipient and item.recipient.account_id, item.source),
        *(item.destination, message.text, message.data_coding, message.esm_class, message.payload, message.at),
    )


class _Routes:
    """Who has the numbers and the keywords that some messages name."""

    def __init__(self, talk: Talk, messages: Sequence[Inbound]) -> None:
        self._talk = talk
        words = {word for message in messages for word in folded(message.text).split(" ")[:2]}
        rows = talk.select(
            "SELECT r.number, r.keyword, r.account_id, a.country FROM inbound_route r"
            " JOIN account a ON a.id = r.account_id WHERE r.number IN {} AND r.keyword IN {}",
            sorted({address(message.destination)[:LENGTH] for message in messages}),
            sorted(words | {""}),
        )
        self._found = {(row[0], row[1]): Recipient(row[2], row[3]) for row in rows}

    def keyword(self, number: str, word: str) -> Recipient | None:
        """Who has the keyword under the number."""
        return self._found.get((number, word)) if word else None

    def best(self, number: str, word: str) -> Recipient | None:
        """Whose a message to the number is that begins with the word."""
        return self.keyword(number, word) or self._found.get((number, ""))

    def everyone(self, number: str) -> list[Recipient]:
        """All that are reached under the number."""
        rows = self._talk.select(
            "SELECT DISTINCT r.account_id, a.country FROM inbound_route r JOIN account a ON a.id = r.account_id"
            " WHERE r.number = ? ORDER BY r.account_id",
            number,
        )
        return [Recipient(*row) for row in rows]


def _match(whole: Whole, routes: _Routes) -> _Matched:
    message = whole.message
    number = address(message.destination)[:LENGTH]
    recipient = routes.best(number, split_keyword(message.text)[0])
    source = sender(message.source, message.source_ton, recipient.country if recipient else "")
    return _Matched(whole, recipient, source[:LENGTH], number)


def _mark_repeated(talk: Talk, matched: Sequence[_Matched], now: int, repeat: int) -> None:
    """Find what was stored before; of parts that was seen when they came."""
    single = {item.source for item in matched if not item.whole.pieces}
    if not repeat or not single:
        return
    found = talk.select(
        "SELECT carrier_id, source, destination, data_coding, payload, received_at FROM inbound"
        " WHERE source IN {} AND id >= ? ORDER BY id",
        sorted(single),
        ids.first(now - repeat),
    )
    seen = {(*row[:4], bytes(row[4])): row[5] for row in found}
    for item in matched:
        message = item.whole.message
        mark = (item.whole.carrier_id, item.source, item.destination, message.data_coding, message.payload)
        before = seen.get(mark)
        item.repeated = not item.whole.pieces and before is not None and abs(message.at - before) < repeat
        if not item.repeated:
            seen[mark] = message.at


def _heed(talk: Talk, routes: _Routes, matched: Iterable[_Matched], now: int, words: Words) -> None:
    """Put those who want no more on the opt-out lists, and take off who wants to start again.

    A message that seems to be repeated may have been said again after another: then a stop counts, a start does not.
    """
    wishes: dict[tuple[int, str], Wish] = {}
    for item in matched:
        wish, recipients = _wished(item, routes, words)
        if item.repeated and wish is Wish.IN:
            continue
        for recipient in recipients:
            message = item.whole.message
            number = sender(message.source, message.source_ton, recipient.country)
            if wish is not None and number.isascii() and number.isdigit():
                wishes[recipient.account_id, number] = wish
    # In one order, so that two carriers' workers do not wait for each other.
    for (account_id, number), wish in sorted(wishes.items(), key=lambda wished: wished[0]):
        if wish is Wish.OUT:
            optouts.add(talk.connection, account_id, number, now)
        else:
            optouts.remove(talk.connection, account_id, number)


def _wished(item: _Matched, routes: _Routes, words: Words) -> tuple[Wish | None, list[Recipient]]:
    text = item.whole.message.text
    if wish := words.wish(text):
        return wish, routes.everyone(item.destination)
    first, rest = split_keyword(text)
    # PIZZA STOP, and STOP PIZZA.
    for keyword, word in ((first, rest), (rest, first)):
        recipient = routes.keyword(item.destination, keyword)
        if recipient is not None and (wish := words.wish(word)):
            return wish, [recipient]
    return None, []


def _smpp_accounts(talk: Talk, account_ids: set[int]) -> set[int]:
    """Of these accounts those with an access that may use SMPP: for the others nothing has to wait."""
    if not account_ids:
        return set()
    rows = talk.select(
        "SELECT DISTINCT account_id FROM access WHERE account_id IN {} AND revoked_at IS NULL"
        " AND (protocols IS NULL OR protocols LIKE ?)",
        sorted(account_ids),
        '%"smpp"%',
    )
    return {row[0] for row in rows}
