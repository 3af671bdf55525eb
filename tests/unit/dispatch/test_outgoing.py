from typing import Any

import pytest

from gateway.dispatch import outgoing
from gateway.messaging.text import TextError, split
from gateway.storage.queries.dispatch.claims import CLAIM_COLUMNS


def row(**values: Any) -> tuple[Any, ...]:
    """A claimed message's row."""
    defaults = dict.fromkeys(CLAIM_COLUMNS)
    defaults |= {
        "id": 0x12345,
        "account_id": 1,
        "segments": 1,
        "attempt": 2,
        "expires_at": 99,
        "possible_duplicate": 1,
        "source": "Shop",
        "destination": "34600111222",
        "text": "Hello",
        "encoding": "GSM7",
    }
    return tuple((defaults | values).values())


def test_a_short_message_is_one_segment() -> None:
    [item] = outgoing.segments(row())
    assert (item.message_id, item.seq, item.total, item.attempt) == (0x12345, 1, 1, 2)
    assert (item.source, item.destination, item.encoding, item.payload) == ("Shop", "34600111222", "GSM7", b"Hello")
    assert (item.expires_at, item.possible_duplicate, item.udh) == (99, True, None)


@pytest.mark.parametrize(("text", "encoding"), [("x" * 400, "GSM7"), ("я" * 200, "UCS2")])
def test_a_long_message_is_cut_as_it_was_charged(text: str, encoding: str) -> None:
    items = outgoing.segments(row(text=text, encoding=encoding, segments=3))
    assert [item.payload for item in items] == split(text)
    assert [(item.seq, item.total) for item in items] == [(1, 3), (2, 3), (3, 3)]
    assert {item.reference for item in items} == {0x2345}


def test_only_the_parts_that_are_missing() -> None:
    whole = outgoing.segments(row(text="x" * 400, segments=3))
    assert outgoing.segments(row(text="x" * 400, segments=3), [2, 3]) == whole[1:]


def test_what_an_smpp_client_sent_passes_through() -> None:
    [item] = outgoing.segments(
        row(payload=b"\x00\xff", udh=b"\x05\x00\x03\x07\x02\x01", esm_class=0x40, data_coding=4, source_ton=5)
    )
    assert (item.payload, item.udh) == (b"\x00\xff", b"\x05\x00\x03\x07\x02\x01")
    assert (item.esm_class, item.data_coding, item.source_ton, item.source_npi) == (0x40, 4, 5, None)


def test_octets_that_no_client_cut_are_cut_as_they_were_charged() -> None:
    octets = bytes(range(256)) + bytes(100)
    items = outgoing.segments(row(payload=octets, encoding="DATA", data_coding=4, segments=3))
    assert [item.payload for item in items] == [octets[:134], octets[134:268], octets[268:]]
    assert {(item.encoding, item.udh, item.data_coding) for item in items} == {("DATA", None, 4)}
    [item] = outgoing.segments(row(payload=octets[:140], encoding="DATA", data_coding=4))
    assert item.payload == octets[:140]


def test_text_that_its_encoding_cannot_hold_is_an_error() -> None:
    with pytest.raises(TextError):
        outgoing.segments(row(text="я"))


def test_a_count_other_than_what_was_charged_is_an_error() -> None:
    with pytest.raises(ValueError, match="makes 1 segments instead of 2"):
        outgoing.segments(row(segments=2))


def test_segments_that_cannot_be_sent_can_be_answered_for() -> None:
    items = outgoing.unfit(row(text="я" * 5, segments=2))
    assert [(item.seq, item.payload) for item in items] == [(1, b""), (2, b"")]
