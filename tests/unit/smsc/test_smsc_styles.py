"""Every style of receipts: what differs, and that it is still a receipt."""

import pytest

from gateway.smpp import receipts
from gateway.smpp.codec import decode, encode
from gateway.smpp.constants import MessageState, Tag
from gateway.smpp.pdu import DataSm, DeliverSm
from gateway.smsc.styles import IDS, STYLES, Style, Taken, receipt, style

NUMBER = 1_763_878_500_123_451
AT = 1_795_414_500_000_000  # 2026-11-23 06:15:00
DONE = AT + 60_000_000
TAKEN = Taken(NUMBER, "shop", (5, 0, "Shop"), (1, 1, "34600111222"), AT, "Hello")


def made(names: str, state: MessageState = MessageState.DELIVERED, err: str = "000") -> DeliverSm | DataSm:
    pdu = decode(encode(receipt(style(names), TAKEN, state, err, DONE)))
    assert isinstance(pdu, DeliverSm | DataSm)
    return pdu


def octets(pdu: DeliverSm | DataSm) -> bytes:
    return pdu.short_message if isinstance(pdu, DeliverSm) else pdu.tlvs[Tag.MESSAGE_PAYLOAD]


@pytest.mark.parametrize("name", STYLES)
def test_receipt_of_any_style_can_be_read(name: str) -> None:
    pdu = made(name, MessageState.UNDELIVERABLE, "027")
    assert (pdu.source_addr, pdu.destination_addr) == ("34600111222", "Shop")
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.dest_addr_ton, pdu.dest_addr_npi) == (1, 1, 5, 0)
    assert receipts.is_receipt(pdu)
    text = pdu.short_message if isinstance(pdu, DeliverSm) else b""
    told = receipts.parse(text, pdu.tlvs)
    assert told is not None and told.state is MessageState.UNDELIVERABLE
    wanted = IDS[style(name).receipt](NUMBER)
    assert told.id == (wanted.lower() if name == "lower-text" else wanted)
    if name not in ("tlv-only", "short"):
        assert (told.err, told.submitted_at, told.done_at, told.text.lower()) == ("027", AT, DONE, "hello")


def test_canonical_is_as_we_write_receipts_ourselves() -> None:
    own = receipts.DeliveryReceipt(str(NUMBER), MessageState.DELIVERED, "000", AT, DONE, "Hello")
    assert octets(made("canonical")) == receipts.format(own)


@pytest.mark.parametrize(
    ("name", "answer", "told"),
    [
        ("canonical", "1763878500123451", "1763878500123451"),
        ("hex", "6443cf76d433b", "6443cf76d433b"),
        ("hex-decimal", "6443cf76d433b", "1763878500123451"),
        ("decimal-hex", "1763878500123451", "6443cf76d433b"),
        ("padded", "1763878500123451", "00001763878500123451"),
        ("stripped", "00001763878500123451", "1763878500123451"),
        ("upper", "6443cf76d433b", "6443CF76D433B"),
        ("lower", "6443CF76D433B", "6443cf76d433b"),
        ("uuid", "00000000-0000-0000-0006-443cf76d433b", "00000000-0000-0000-0006-443cf76d433b"),
    ],
)
def test_ids(name: str, answer: str, told: str) -> None:
    assert (IDS[style(name).answer](NUMBER), IDS[style(name).receipt](NUMBER)) == (answer, told)
    assert made(name).tlvs[Tag.RECEIPTED_MESSAGE_ID] == told.encode() + b"\0"
    assert f"id:{told} ".encode() in octets(made(name))


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("seconds", b"submit date:261123061500 done date:261123061600"),
        ("century", b"submit date:20261123061500 done date:20261123061600"),
        ("words", b"stat:DELIVERED"),
        ("lower-text", b"stat:delivrd err:000 text:hello"),
        ("canonical", b"submit date:2611230615 done date:2611230616 stat:DELIVRD err:000 text:Hello"),
    ],
)
def test_text(name: str, part: bytes) -> None:
    assert part in octets(made(name))


def test_where_it_stands() -> None:
    assert made("text-only").tlvs == {}
    assert octets(made("tlv-only")) == b"" and len(made("tlv-only").tlvs) == 2
    assert made("short") == made("short") and octets(made("short")) == f"id:{NUMBER} stat:DELIVRD".encode()
    assert made("unmarked").esm_class == 0 and made("canonical").esm_class == 0x04
    payload = made("payload")
    assert octets(payload) == b"" and payload.tlvs[Tag.MESSAGE_PAYLOAD] == octets(made("canonical"))
    assert isinstance(made("data-sm"), DataSm)
    assert made("progress", MessageState.ENROUTE).esm_class == 0x20


def test_styles_can_be_joined() -> None:
    assert style("hex-decimal, seconds,text-only") == Style(answer="hex", tlvs=False, dates="%y%m%d%H%M%S")
    assert style("canonical") == Style()


@pytest.mark.parametrize("names", ["hex,uuid", "upper,decimal-hex", "text-only,tlv-only", "seconds,century"])
def test_styles_that_contradict_each_other(names: str) -> None:
    first, second = names.split(",")
    with pytest.raises(ValueError, match=rf"^{first} and {second} contradict each other\.$"):
        style(names)


@pytest.mark.parametrize("names", ["", "hex;upper", "canonical,", "Hex"])
def test_style_that_there_is_not(names: str) -> None:
    with pytest.raises(ValueError, match=r"is no style of receipts; there are canonical, hex, .*\.$"):
        style(names)
