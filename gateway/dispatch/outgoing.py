"""From a claimed message's row to the segments that a carrier is handed."""

from collections.abc import Sequence
from typing import Any

from gateway.carriers.base import Outgoing
from gateway.messaging.content import DATA, cut
from gateway.messaging.text import Encoding, split
from gateway.storage.queries.dispatch.claims import CLAIM_COLUMNS

_TOTAL = CLAIM_COLUMNS.index("segments")
_TEXT = CLAIM_COLUMNS.index("text")
_ENCODING = CLAIM_COLUMNS.index("encoding")
_PAYLOAD = CLAIM_COLUMNS.index("payload")

_ENCODINGS = {encoding.value: encoding for encoding in Encoding}


def segments(row: Sequence[Any], parts: Sequence[int] | None = None) -> list[Outgoing]:
    """The segments of a row in `claims.CLAIM_COLUMNS` order; of these only `parts` (numbers from 1), if given.

    Raises `messaging.text.TextError` for text that its encoding cannot hold, ValueError when it does not make
    the segments that were charged.
    """
    payloads = _payloads(row)
    if len(payloads) != row[_TOTAL]:
        raise ValueError(f"it makes {len(payloads)} segments instead of {row[_TOTAL]}")
    return _made(row, parts, payloads)


def _payloads(row: Sequence[Any]) -> list[bytes]:
    payload, encoding = row[_PAYLOAD], row[_ENCODING]
    if payload is None:
        return split(row[_TEXT], _ENCODINGS[encoding])
    return cut(payload) if encoding == DATA and row[_TOTAL] > 1 else [payload]


def unfit(row: Sequence[Any], parts: Sequence[int] | None = None) -> list[Outgoing]:
    """The segments of a row that cannot be sent, to be answered for: without their payload."""
    return _made(row, parts, [b""] * row[_TOTAL])


def _made(row: Sequence[Any], parts: Sequence[int] | None, payloads: Sequence[bytes]) -> list[Outgoing]:
    (
        message_id,
        _,
        total,
        attempt,
        expires_at,
        possible_duplicate,
        source,
        source_ton,
        source_npi,
        destination,
        destination_ton,
        destination_npi,
        _,
        encoding,
        data_coding,
        esm_class,
        _,
        udh,
        registered_delivery,
        refusals,
    ) = row
    return [
        Outgoing(
            message_id,
            seq,
            total,
            attempt,
            source,
            source_ton,
            source_npi,
            destination,
            destination_ton,
            destination_npi,
            encoding,
            payloads[seq - 1],
            udh,
            message_id & 0xFFFF,
            data_coding,
            esm_class,
            registered_delivery,
            expires_at,
            bool(possible_duplicate),
            refusals,
        )
        for seq in (parts or range(1, total + 1))
    ]
