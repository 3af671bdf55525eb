"""Receipts as vendors write them, and as we do."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.smpp import receipts
from gateway.smpp.constants import ESM_UDHI, MessageState, Tag
from gateway.smpp.pdu import DataSm, DeliverSm
from gateway.smpp.receipts import DeliveryReceipt, is_receipt, parse

D = MessageState.DELIVERED


def micros(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp()) * 1_000_000  # type: ignore[misc,arg-type]


SENT = micros(2026, 11, 23, 6, 15)
DONE = micros(2026, 11, 23, 6, 16)
WHOLE = DeliveryReceipt("012", D, "000", SENT, DONE, "Hello")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            "id:012 sub:001 dlvrd:001 submit date:2611230615 done date:2611230616 stat:DELIVRD err:000 text:Hello",
            WHOLE,
            id="appendix B",
        ),
        pytest.param(
            "id:012 sub:001 dlvrd:001 submit date:2611230615 done date:2611230616 stat:DELIVRD err:000 Text:Hello",
            WHOLE,
            id="Text with a capital",
        ),
        pytest.param(
            "ID:012 SUB:001 DLVRD:001 SUBMIT DATE:2611230615 DONE DATE:2611230616 STAT:delivrd ERR:000 TEXT:Hello",
            WHOLE,
            id="the other case",
        ),
        pytest.param(
            "id:012 submit date:261123061500 done date:261123061600 stat:DELIVRD err:000 text:Hello",
            WHOLE,
            id="dates with seconds",
        ),
        pytest.param(
            "id:012 submit date:20261123061500 done date:20261123061600 stat:DELIVRD err:000 text:Hello",
            WHOLE,
            id="dates with century and seconds",
        ),
        pytest.param(
            "id:012 submit date:202611230615 done date:202611230616 stat:DELIVRD err:000 text:Hello",
            WHOLE,
            id="dates with century",
        ),
        pytest.param(
            "id:012 submit_date:2026-11-23 06:15:00 done_date:2026-11-23 06:16:00 stat:DELIVRD err:000 text:Hello",
            WHOLE,
            id="dates for people",
        ),
        pytest.param(
            "stat:DELIVRD err:000 done date:2611230616 id:012 submit date:2611230615 text:Hello",
            WHOLE,
            id="another order",
        ),
        pytest.param(
            "text:Hello id:012 stat:DELIVRD err:000 submit date:2611230615 done date:2611230616",
            WHOLE,
            id="text first",
        ),
        pytest.param(
            "id: 012, sub: 001, submit date: 2611230615, done date: 2611230616, stat: DELIVRD, err: 000, text:Hello",
            WHOLE,
            id="commas and spaces",
        ),
        pytest.param(
            "id:012\nsubmit date:2611230615\ndone date:2611230616\nstat:DELIVRD\nerr:000\ntext:Hello",
            WHOLE,
            id="lines",
        ),
        pytest.param("id:a1b2 stat:DELIVRD", DeliveryReceipt("a1b2", D), id="id and state alone"),
        pytest.param("id:a1b2", DeliveryReceipt("a1b2", MessageState.UNKNOWN), id="id alone"),
        pytest.param("stat:DELIVRD", DeliveryReceipt("", D), id="state alone"),
        pytest.param("id: stat:DELIVRD err:", DeliveryReceipt("", D), id="fields without values"),
        pytest.param("id:1 stat:FROBNICATED", DeliveryReceipt("1", MessageState.UNKNOWN), id="unknown word"),
        pytest.param(
            "id:1 submit date:0000000000 done date:2613450099 stat:DELIVRD",
            DeliveryReceipt("1", D),
            id="dates that there are not",
        ),
        pytest.param(
            "id:1 submit date:7 done date:202613450099 stat:DELIVRD",
            DeliveryReceipt("1", D),
            id="dates that are none",
        ),
        pytest.param(
            f"id:1 submit date:{'2611230615 ' * 9} stat:DELIVRD", DeliveryReceipt("1", D), id="a date without an end"
        ),
        pytest.param(
            "id:1 stat:UNDELIV err:27B text:id:9 stat:DELIVRD err:1",
            DeliveryReceipt("1", MessageState.UNDELIVERABLE, "27B", text="id:9 stat:DELIVRD err:1"),
            id="text that looks like a receipt",
        ),
        pytest.param("id:1 stat:DELIVRD id:2 stat:EXPIRED", DeliveryReceipt("1", D), id="fields twice"),
        pytest.param(
            "id:6f9619ff-8b86-d011-b42d-00cf4fc964ff stat:EXPIRED",
            DeliveryReceipt("6f9619ff-8b86-d011-b42d-00cf4fc964ff", MessageState.EXPIRED),
            id="id that is a UUID",
        ),
        pytest.param(
            "id:1 stat:DELIVRD text:\xe9\xff", DeliveryReceipt("1", D, text="\xe9\xff"), id="octets of any kind"
        ),
        pytest.param("Hello, are you there?", None, id="no receipt"),
        pytest.param("void:1 mystat:DELIVRD", None, id="words that end like fields"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_text_is_read(text: str, expected: DeliveryReceipt | None) -> None:
    assert parse(text.encode("latin-1"), {}) == expected
    assert parse(b"", {Tag.MESSAGE_PAYLOAD: text.encode("latin-1")}) == expected
    assert text == "" or not text.isascii() or parse(text.encode("utf-16-be"), {}) == expected


@pytest.mark.parametrize(
    ("word", "state"),
    [
        *((word, state) for state, word in receipts.WORDS.items()),
        ("DELIVERED", D),
        ("DELIVERD", D),
        ("EXPIRE", MessageState.EXPIRED),
        ("DELETE", MessageState.DELETED),
        ("CANCELLED", MessageState.DELETED),
        ("UNDELIVERABLE", MessageState.UNDELIVERABLE),
        ("UNDELIVERED", MessageState.UNDELIVERABLE),
        ("UNDELIVRD", MessageState.UNDELIVERABLE),
        ("FAILED", MessageState.UNDELIVERABLE),
        ("ACCEPTED", MessageState.ACCEPTED),
        ("ACCEPTD", MessageState.ACCEPTED),
        ("REJECTED", MessageState.REJECTED),
        ("BUFFRED", MessageState.ENROUTE),
        ("SCHEDULED", MessageState.ENROUTE),
        ("", MessageState.UNKNOWN),
    ],
)
def test_word_of_state(word: str, state: MessageState) -> None:
    for spelled in (word, word.lower(), word.title()):
        receipt = parse(f"id:1 stat:{spelled} err:000".encode(), {})
        assert receipt is not None and receipt.state is state


@pytest.mark.parametrize(
    ("text", "tlvs", "expected"),
    [
        pytest.param(
            b"",
            {Tag.RECEIPTED_MESSAGE_ID: b"abc\0", Tag.MESSAGE_STATE: b"\2"},
            DeliveryReceipt("abc", D),
            id="no text",
        ),
        pytest.param(
            b"id:9 stat:EXPIRED err:001",
            {Tag.RECEIPTED_MESSAGE_ID: b"abc\0", Tag.MESSAGE_STATE: b"\2"},
            DeliveryReceipt("abc", D, "001"),
            id="TLVs win",
        ),
        pytest.param(
            b"id:9 stat:EXPIRED",
            {Tag.RECEIPTED_MESSAGE_ID: b"abc"},
            DeliveryReceipt("abc", MessageState.EXPIRED),
            id="id without NUL",
        ),
        pytest.param(
            b"id:9 stat:EXPIRED",
            {Tag.MESSAGE_STATE: b"\x09"},
            DeliveryReceipt("9", MessageState.EXPIRED),
            id="no such state",
        ),
        pytest.param(
            b"id:9 stat:EXPIRED",
            {Tag.RECEIPTED_MESSAGE_ID: b"\0"},
            DeliveryReceipt("9", MessageState.EXPIRED),
            id="empty id",
        ),
        pytest.param(
            b"", {Tag.MESSAGE_STATE: b"\5"}, DeliveryReceipt("", MessageState.UNDELIVERABLE), id="state alone"
        ),
        pytest.param(
            b"",
            {Tag.RECEIPTED_MESSAGE_ID: b"7\0", Tag.NETWORK_ERROR_CODE: b"\3\0\x1b"},
            DeliveryReceipt("7", MessageState.UNKNOWN, "027"),
            id="network_error_code",
        ),
        pytest.param(
            b"id:7 err:012",
            {Tag.NETWORK_ERROR_CODE: b"\3\0\x1b"},
            DeliveryReceipt("7", MessageState.UNKNOWN, "012"),
            id="err before network_error_code",
        ),
        pytest.param(
            b"id:7",
            {Tag.NETWORK_ERROR_CODE: b"\3"},
            DeliveryReceipt("7", MessageState.UNKNOWN),
            id="network_error_code cut short",
        ),
        pytest.param(b"Hello", {}, None, id="neither"),
    ],
)
def test_tlvs_are_read(text: bytes, tlvs: dict[int, bytes], expected: DeliveryReceipt | None) -> None:
    assert parse(text, tlvs) == expected


PLAIN = b"id:123 sub:001 dlvrd:001 stat:DELIVRD err:000"


@pytest.mark.parametrize(
    ("pdu", "expected"),
    [
        pytest.param(DeliverSm(esm_class=0x04, short_message=PLAIN), True, id="esm_class says so"),
        pytest.param(DeliverSm(esm_class=0x04, short_message=b"ok"), True, id="esm_class says so of any text"),
        pytest.param(DeliverSm(esm_class=0x07, short_message=PLAIN), True, id="with a messaging mode"),
        pytest.param(DeliverSm(esm_class=0x20, short_message=PLAIN), True, id="intermediate notification"),
        pytest.param(DeliverSm(tlvs={Tag.RECEIPTED_MESSAGE_ID: b"1\0"}), True, id="TLV says so"),
        pytest.param(DeliverSm(short_message=PLAIN), True, id="plainly a receipt"),
        pytest.param(DeliverSm(short_message=PLAIN.upper()), True, id="plainly, in capitals"),
        pytest.param(DeliverSm(tlvs={Tag.MESSAGE_PAYLOAD: PLAIN}), True, id="plainly, in message_payload"),
        pytest.param(DataSm(tlvs={Tag.MESSAGE_PAYLOAD: PLAIN}), True, id="data_sm, plainly"),
        pytest.param(DataSm(esm_class=0x04), True, id="data_sm, esm_class"),
        pytest.param(DataSm(), False, id="data_sm, empty"),
        pytest.param(DeliverSm(), False, id="empty"),
        pytest.param(DeliverSm(short_message=b"Hello"), False, id="text"),
        pytest.param(DeliverSm(short_message=b"My receipt: " + PLAIN), False, id="text that quotes one"),
        pytest.param(DeliverSm(short_message=b"id:123 stat:DELIVRD"), False, id="too little to be plain"),
        pytest.param(DeliverSm(short_message=b"id: sub:001 stat:DELIVRD"), False, id="no id"),
        pytest.param(DeliverSm(short_message=b"id:1 sub:001 stat:fine"), False, id="no state"),
        pytest.param(DeliverSm(short_message=b"id:1 sub:001"), False, id="no stat"),
        pytest.param(DeliverSm(esm_class=ESM_UDHI, short_message=PLAIN), False, id="with a user data header"),
        pytest.param(DeliverSm(esm_class=0x08, short_message=PLAIN), False, id="acknowledgement by the recipient"),
    ],
)
def test_receipt_is_told_from_message(pdu: DeliverSm | DataSm, expected: bool) -> None:
    assert is_receipt(pdu) is expected


MINUTES = st.integers(micros(2000, 1, 1) // 60_000_000, micros(2099, 12, 31) // 60_000_000).map(
    lambda m: m * 60_000_000
)
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126))


@given(
    st.builds(
        DeliveryReceipt,
        st.text("0123456789abcdefABCDEFxyz-", min_size=1, max_size=65),
        st.sampled_from(MessageState),
        st.text("0123456789ABC", min_size=1, max_size=3),
        st.none() | MINUTES,
        st.none() | MINUTES,
        PRINTABLE.map(lambda text: text[:20]),
    )
)
@example(DeliveryReceipt("1", D, "000", text="id:2 stat:EXPIRED"))
def test_what_is_written_is_read(receipt: DeliveryReceipt) -> None:
    octets = receipts.format(receipt)
    assert parse(octets, {}) == receipt
    assert is_receipt(DeliverSm(short_message=octets))
    assert len(octets) <= 254


VALUE = st.text(st.characters(min_codepoint=33, max_codepoint=255), min_size=1, max_size=12)


@given(
    VALUE, st.text("0123456789", max_size=15), VALUE | st.sampled_from(sorted(receipts.WORDS.values())), VALUE, VALUE
)
def test_the_usual_form_is_read_like_any_other(identity: str, date: str, stat: str, err: str, text: str) -> None:
    usual = f"id:{identity} sub:001 dlvrd:001 submit date:{date} done date:{date} stat:{stat} err:{err} text:{text} x"
    other = usual.replace(" sub:001", "  sub:001", 1)
    assert parse(usual.encode("latin-1"), {}) == parse(other.encode("latin-1"), {})


def test_text_is_written_as_appendix_b_says() -> None:
    receipt = DeliveryReceipt("77", MessageState.UNDELIVERABLE, "", SENT, DONE, "Grüße aus Köln\nan alle dort")
    assert receipts.format(receipt) == (
        b"id:77 sub:001 dlvrd:000 submit date:2611230615 done date:2611230616 stat:UNDELIV err:000"
        b" text:Gr??e aus K?ln?an al"
    )


@given(st.binary(max_size=200), st.dictionaries(st.sampled_from([0x1E, 0x423, 0x424, 0x427]), st.binary(max_size=30)))
@example(b"id:1 done date:\xb2\xb2\xb2\xb2\xb2\xb2\xb2\xb2\xb2\xb2", {})
@example(b"\0i\0d\0", {})
@example(b"id:\x85 stat:\xa0 err:\x1c", {})
def test_nothing_raises(octets: bytes, tlvs: dict[int, bytes]) -> None:
    for text in (octets, b"id:" + octets, b"id:1 submit date:" + octets + b" stat:" + octets):
        parse(text, tlvs)
        is_receipt(DeliverSm(short_message=text, tlvs=tlvs))
