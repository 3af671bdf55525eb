"""Long messages that come in: their parts wait in `inbound_part` until the others are there.

Parts belong together by carrier, source, destination, reference and total (3GPP TS 23.040, 9.2.3.24.1). They come in
any order. One that the carrier sends again is known by its payload, for as long as its message is incomplete, and
for a while after; the same part with another payload begins a new message, as phones use references again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gateway import clock
from gateway.messaging.inbound import Inbound, Part, address, clean, is_part, joined
from gateway.storage.queries.dispatch.talk import Talk
from gateway.storage.submission import Row

WAIT = 6 * clock.HOUR
"""How long a message waits for its other parts, in microseconds; then it is delivered without them."""

STEP = 200
"""Incomplete messages that one transaction ends."""

LENGTH = 21
"""Most characters of a source or destination that are stored."""

_COLUMNS = (
    *("carrier_id", "source", "destination", "reference", "total", "seq", "source_ton", "text", "data_coding"),
    *("esm_class", "payload", "received_at", "inbound_id"),
)
_LISTED = f"id, {', '.join(_COLUMNS)}"


@dataclass(frozen=True, slots=True)
class Key:
    """What the parts of a message have in common."""

    carrier_id: int
    source: str
    destination: str
    reference: int
    total: int


@dataclass(slots=True)
class Piece:
    """A part as it is stored; `id` is None until it is."""

    id: int | None
    key: Key
    seq: int
    ton: int | None
    text: str
    data_coding: int
    esm_class: int
    payload: bytes
    at: int
    inbound_id: int | None = None

    def repeats(self, other: "Piece") -> bool:
        """Whether the carrier may have sent the other one again."""
        return (self.seq, self.payload, self.data_coding) == (other.seq, other.payload, other.data_coding)


@dataclass(slots=True)
class Whole:
    """A message to be stored, with the pieces that it was joined from."""

    carrier_id: int
    message: Inbound
    pieces: Sequence[Piece] = ()


@dataclass(slots=True)
class _Waiting:
    """What is known of one key: the parts of an incomplete message, and those of complete ones."""

    open: dict[int, Piece] = field(default_factory=dict)
    done: list[Piece] = field(default_factory=list)

    def put(self, piece: Piece, repeat: int) -> list[Piece] | None:
        """Take a part in; the parts of a message that is over now, if one is.

        `repeat` is for how long (microseconds) a part of a complete message is known again.
        """
        if any(piece.repeats(other) and other.at > piece.at - repeat for other in self.done):
            return None
        before = self.open.get(piece.seq)
        if before is not None and piece.repeats(before):
            return None
        over = self._close() if before is not None else None
        self.open[piece.seq] = piece
        return over or (self._close() if len(self.open) == piece.key.total else None)

    def _close(self) -> list[Piece]:
        over = list(self.open.values())
        self.open = {}
        self.done += over
        return over


class Parts:
    """The parts of one transaction, with those that were there before."""

    def __init__(self, talk: Talk, carrier_id: int, messages: Iterable[Inbound], repeat: int) -> None:
        self._talk = talk
        self._carrier_id = carrier_id
        self._repeat = repeat
        self._known: dict[Key, _Waiting] = {}
        self._fresh: list[Piece] = []
        keys = {self._key(message, message.part) for message in messages if is_part(message) and message.part}
        if keys:
            self._load(keys)

    def take(self, message: Inbound) -> Whole | None:
        """Take in a message or a part; what is now to be stored as a message, None when there is nothing."""
        if not is_part(message) or message.part is None:
            return Whole(self._carrier_id, replace(message, text=clean(message.text)))
        piece = self._piece(message, message.part)
        waiting = self._known[piece.key]
        over = waiting.put(piece, self._repeat)
        # Else it is one that was there before.
        if any(piece is other for other in (*waiting.open.values(), *waiting.done)):
            self._fresh.append(piece)
        return whole(over) if over else None

    def keep(self) -> None:
        """Store what is new; to be called when the messages have their ids."""
        self._talk.insert("inbound_part", _COLUMNS, [_row(piece) for piece in self._fresh])

    def _key(self, message: Inbound, part: Part) -> Key:
        source, destination = address(message.source)[:LENGTH], address(message.destination)[:LENGTH]
        return Key(self._carrier_id, source, destination, part.reference, part.total)

    def _piece(self, message: Inbound, part: Part) -> Piece:
        key = self._key(message, part)
        return Piece(
            *(None, key, part.seq, message.source_ton, message.text),
            *(message.data_coding, message.esm_class, message.payload, message.at),
        )

    def _load(self, keys: set[Key]) -> None:
        self._known = {key: _Waiting() for key in keys}
        found = self._talk.select(
            f"SELECT {_LISTED} FROM inbound_part WHERE source IN {{}} AND reference IN {{}} AND carrier_id = ?"
            f" ORDER BY id{self._talk.locking}",
            sorted({key.source for key in keys}),
            sorted({key.reference for key in keys}),
            self._carrier_id,
        )
        for row in found:
            piece = _stored(row)
            waiting = self._known.get(piece.key)
            if waiting is None:
                continue
            if piece.inbound_id is None:
                waiting.open[piece.seq] = piece
            else:
                waiting.done.append(piece)


def mark(talk: Talk, messages: Mapping[int, Whole]) -> None:
    """Note on the parts which message, by its id, they became."""
    for inbound_id, message in messages.items():
        for piece in message.pieces:
            piece.inbound_id = inbound_id
        listed = [piece.id for piece in message.pieces if piece.id is not None]
        if listed:
            talk.change("UPDATE inbound_part SET inbound_id = ? WHERE id IN {}", inbound_id, listed)


def overdue(talk: Talk, before: int) -> list[Whole]:
    """Take out what has waited since `before` (UTC microseconds) for parts that never came: a piece of it."""
    keys = talk.select(
        "SELECT DISTINCT carrier_id, source, destination, reference, total FROM inbound_part"
        " WHERE received_at < ? AND inbound_id IS NULL LIMIT ?",
        before,
        STEP,
    )
    found = []
    for key in sorted(keys):
        rows = talk.select(
            "DELETE FROM inbound_part WHERE carrier_id = ? AND source = ? AND destination = ? AND reference = ?"
            f" AND total = ? AND inbound_id IS NULL RETURNING {_LISTED}",
            *key,
        )
        # Nothing is left where another process was faster.
        if rows:
            found.append(whole([_stored(row) for row in rows]))
    return found


def whole(pieces: Sequence[Piece]) -> Whole:
    """The message that these parts make; what is missing shows in its text."""
    listed = sorted(pieces, key=lambda piece: piece.seq)
    first = listed[0]
    message = Inbound(
        source=first.key.source,
        destination=first.key.destination,
        text=joined({piece.seq: piece.text for piece in listed}, first.key.total),
        data_coding=first.data_coding,
        esm_class=first.esm_class,
        payload=b"".join(piece.payload for piece in listed),
        at=max(piece.at for piece in listed),
        source_ton=first.ton,
    )
    return Whole(first.key.carrier_id, message, listed)


def _row(piece: Piece) -> Row:
    key = piece.key
    text = piece.text.encode("utf-16-be", "surrogatepass")
    return (
        *(key.carrier_id, key.source, key.destination, key.reference, key.total, piece.seq, piece.ton, text),
        *(piece.data_coding, piece.esm_class, piece.payload, piece.at, piece.inbound_id),
    )


def _stored(row: Sequence[Any]) -> Piece:
    id_, *key, seq, ton, text, data_coding, esm_class, payload, at, inbound_id = row
    said = bytes(text).decode("utf-16-be", "surrogatepass")
    return Piece(id_, Key(*key), seq, ton, said, data_coding, esm_class, bytes(payload), at, inbound_id)
