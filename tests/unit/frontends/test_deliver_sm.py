"""What a customer is told, and what his answer means: the tables of receipts, statuses, texts."""

from dataclasses import replace
from typing import Any

import pytest

from gateway import clock
from gateway.frontends.smpp import deliver_sm
from gateway.frontends.smpp.deliver_sm import Fate
from gateway.frontends.smpp.deliveries import LONGEST_PAUSE, pause
from gateway.messaging.content import Alphabet
from gateway.messaging.states import FINAL, State
from gateway.messaging.text import decode_gsm
from gateway.smpp import udh
from gateway.smpp.codec import decode, encode
from gateway.smpp.constants import CommandStatus, MessageState, Tag
from gateway.smpp.pdu import DeliverSm, DeliverSmResp, GenericNack
from gateway.storage.queries.outbox import Entry, Incoming, Outcome

AT = 1_795_415_400 * clock.SECOND  # 2026-11-23 06:30 UTC
NUMBER = 98_765_432_101_234

TOLD = Outcome(
    source="Shop",
    source_ton=5,
    source_npi=0,
    destination="34600111222",
    destination_ton=1,
    destination_npi=1,
    head="Your parcel has arri",
    accepted_at=AT,
    error=None,
    reference=None,
    state=int(State.DELIVERED),
    at=AT + 2 * clock.MINUTE,
)
CAME = Incoming("34600111222", "7373", "Hi", 0, 0, None)


def entry(what: Outcome | Incoming | None, number: int = NUMBER) -> Entry:
    return Entry(1, (2, 3), number, 1, what)


def receipt(**values: Any) -> DeliverSm:
    [pdu] = deliver_sm.make(entry(replace(TOLD, **values)))
    return pdu


@pytest.mark.parametrize(
    ("state", "error", "number", "text"),
    [
        (State.DELIVERED, None, 2, "dlvrd:001 {dates} stat:DELIVRD err:000"),
        (State.UNDELIVERED, "11", 5, "dlvrd:000 {dates} stat:UNDELIV err:011"),
        (State.EXPIRED, None, 3, "dlvrd:000 {dates} stat:EXPIRED err:000"),
        (State.REJECTED, "0x0B no such number", 8, "dlvrd:000 {dates} stat:REJECTD err:000"),
        (State.CANCELLED, None, 4, "dlvrd:000 {dates} stat:DELETED err:000"),
    ],
    ids=lambda value: value.name if isinstance(value, State) else "",
)
def test_text_and_tlvs_of_each_final_state(state: State, error: str | None, number: int, text: str) -> None:
    pdu = receipt(state=int(state), error=error)
    dates = "submit date:2611230630 done date:2611230632"
    rest = text.format(dates=dates)
    assert pdu.short_message.decode() == f"id:98765432101234 sub:001 {rest} text:Your parcel has arri"
    assert pdu.tlvs == {Tag.RECEIPTED_MESSAGE_ID: b"98765432101234\0", Tag.MESSAGE_STATE: bytes([number])}


def test_every_final_state_has_a_receipt_and_no_other() -> None:
    assert deliver_sm.MESSAGE_STATES.keys() == FINAL
    for state in set(State) - FINAL:
        with pytest.raises(ValueError, match="not final"):
            receipt(state=int(state))


def test_a_receipt_goes_the_other_way() -> None:
    pdu = receipt()
    assert (pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr) == (1, 1, "34600111222")
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == (5, 0, "Shop")
    assert (pdu.esm_class, pdu.data_coding, pdu.registered_delivery, pdu.service_type) == (4, 0, 0, "")
    assert decode(encode(replace(pdu, sequence_number=1))) == replace(pdu, sequence_number=1)


@pytest.mark.parametrize(
    ("address", "plan"),
    [
        ("34600111222", (1, 1)),
        ("7373", (0, 1)),
        ("Shop", (5, 0)),
        ("٣٤٦٠٠١", (5, 0)),
        ("", (5, 0)),
    ],
)
def test_ton_and_npi_that_nobody_gave(address: str, plan: tuple[int, int]) -> None:
    pdu = receipt(source=address, source_ton=None, source_npi=None)
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi) == plan


def test_sender_that_a_c_octet_string_cannot_carry_loses_nothing() -> None:
    pdu = decode(encode(receipt(source="€uro ΔΩ", source_ton=None, source_npi=None)))
    assert isinstance(pdu, DeliverSm)
    assert (pdu.destination_addr, pdu.dest_addr_ton) == ("?uro ??", 5)
    [came] = deliver_sm.make(entry(replace(CAME, source="€uro")))
    assert decode(encode(came)).source_addr == "?uro"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("reference", "octets"),
    [
        ("0", b"\0\0"),
        ("65535", b"\xff\xff"),
        ("513", b"\x02\x01"),
        ("65536", None),
        ("123456789", None),
        ("order 7", None),
        ("", None),
        ("٣", None),
        (None, None),
    ],
)
def test_user_message_reference(reference: str | None, octets: bytes | None) -> None:
    assert receipt(reference=reference).tlvs.get(Tag.USER_MESSAGE_REFERENCE) == octets


@pytest.mark.parametrize(
    ("state", "error", "code"),
    [
        (MessageState.DELIVERED, "11", "000"),
        (MessageState.UNDELIVERABLE, None, "000"),
        (MessageState.UNDELIVERABLE, "", "000"),
        (MessageState.UNDELIVERABLE, "7", "007"),
        (MessageState.UNDELIVERABLE, "12a", "12a"),
        (MessageState.UNDELIVERABLE, "1234", "000"),
        (MessageState.EXPIRED, "no answer", "000"),
        (MessageState.REJECTED, "ñ", "000"),
    ],
)
def test_error_code(state: MessageState, error: str | None, code: str) -> None:
    assert deliver_sm.error_code(state, error) == code


def test_text_that_a_receipt_cannot_carry_is_marked() -> None:
    assert receipt(head="Ολα\r\ncafé id:7").short_message.endswith(b" text:?????caf? id:7")


@pytest.mark.parametrize(
    ("response", "fate"),
    [
        (DeliverSmResp(command_status=CommandStatus.ESME_ROK), Fate.DONE),
        (DeliverSmResp(command_status=CommandStatus.ESME_RX_P_APPN), Fate.DROPPED),
        (DeliverSmResp(command_status=CommandStatus.ESME_RX_R_APPN), Fate.DROPPED),
        (DeliverSmResp(command_status=CommandStatus.ESME_RX_T_APPN), Fate.AGAIN),
        (DeliverSmResp(command_status=0x0400), Fate.AGAIN),
        (GenericNack(command_status=CommandStatus.ESME_RINVCMDID), Fate.AGAIN),
        (GenericNack(command_status=0), Fate.AGAIN),
        (None, Fate.AGAIN),
    ],
    ids=lambda value: (
        "" if isinstance(value, Fate) else f"{type(value).__name__} {getattr(value, 'command_status', '')}"
    ),
)
def test_what_an_answer_means(response: DeliverSmResp | GenericNack | None, fate: Fate) -> None:
    assert deliver_sm.fate(response) is fate


@pytest.mark.parametrize("status", CommandStatus)
def test_only_three_statuses_end_a_delivery(status: CommandStatus) -> None:
    ends = {CommandStatus.ESME_ROK, CommandStatus.ESME_RX_P_APPN, CommandStatus.ESME_RX_R_APPN}
    assert (deliver_sm.fate(DeliverSmResp(command_status=status)) is not Fate.AGAIN) == (status in ends)


@pytest.mark.parametrize(
    ("text", "alphabet", "data_coding", "octets"),
    [
        ("a@b€", Alphabet.GSM, 0, b"a\0b\x1be"),
        ("a@bé", Alphabet.LATIN1, 0, b"a@b\xe9"),
        ("a@b€", Alphabet.LATIN1, 8, "a@b€".encode("utf-16-be")),
        ("a@b€", Alphabet.UTF8, 0, "a@b€".encode()),
        ("Ж", Alphabet.GSM, 8, b"\x04\x16"),
        ("Ж", Alphabet.UTF8, 8, b"\x04\x16"),
        ("😀", Alphabet.GSM, 8, b"\xd8\x3d\xde\x00"),
        ("", Alphabet.GSM, 0, b""),
    ],
)
def test_text_that_came_in(text: str, alphabet: Alphabet, data_coding: int, octets: bytes) -> None:
    [pdu] = deliver_sm.make(entry(replace(CAME, text=text)), alphabet)
    assert (pdu.esm_class, pdu.data_coding, pdu.short_message) == (0, data_coding, octets)
    assert (pdu.source_addr, pdu.destination_addr) == ("34600111222", "7373")


@pytest.mark.parametrize(
    ("text", "alphabet", "parts"),
    [
        ("x" * 160, Alphabet.GSM, 1),
        ("x" * 161, Alphabet.GSM, 2),
        ("x" * 161, Alphabet.UTF8, 2),
        ("é" * 306, Alphabet.LATIN1, 2),
        ("Ж" * 70, Alphabet.GSM, 1),
        ("Ж" * 71, Alphabet.GSM, 2),
        ("😀" * 67, Alphabet.GSM, 3),
    ],
)
def test_long_text_that_came_in(text: str, alphabet: Alphabet, parts: int) -> None:
    pdus = deliver_sm.make(entry(replace(CAME, text=text), number=0x1FF), alphabet)
    assert len(pdus) == parts
    decoders = {
        8: lambda octets: octets.decode("utf-16-be"),
        0: decode_gsm if alphabet is Alphabet.GSM else lambda octets: octets.decode(alphabet.value),
    }
    pieces = []
    for place, pdu in enumerate(pdus, 1):
        octets = pdu.short_message
        if parts > 1:
            header, octets = udh.split_udh(octets)
            assert udh.concatenation(header) == udh.Concatenation(0xFF, parts, place)
        assert pdu.esm_class == (0x40 if parts > 1 else 0)
        pieces.append(decoders[pdu.data_coding](octets))
    assert "".join(pieces) == text


@pytest.mark.parametrize(
    ("text", "data_coding", "payload", "told"),
    [
        ("00ff", 4, b"\0\xff", (4, b"\0\xff")),
        ("00ff", 0xF5, b"\0\xff", (0xF5, b"\0\xff")),
        ("", 0, b"\0", (0, b"\0")),
        ("Hi", 0, b"Hi", (0, b"Hi")),
        ("Hi", 4, None, (0, b"Hi")),
        ("x", None, b"x", (0, b"x")),
    ],
)
def test_data_that_came_in(
    text: str, data_coding: int | None, payload: bytes | None, told: tuple[int, bytes]
) -> None:
    [pdu] = deliver_sm.make(entry(replace(CAME, text=text, data_coding=data_coding, payload=payload)))
    assert (pdu.data_coding, pdu.short_message) == told


def test_long_data_that_came_in_is_a_payload() -> None:
    data = bytes(300)
    [pdu] = deliver_sm.make(entry(replace(CAME, data_coding=4, payload=data)))
    assert (pdu.short_message, pdu.tlvs) == (b"", {Tag.MESSAGE_PAYLOAD: data})
    deliver_sm.strip(pdu)
    assert pdu.tlvs == {Tag.MESSAGE_PAYLOAD: data}


def test_what_is_not_stored_any_more_is_not_told() -> None:
    with pytest.raises(ValueError, match="not stored"):
        deliver_sm.make(entry(None))


def test_pauses_double_up_to_a_limit() -> None:
    assert [pause(attempt) // clock.SECOND for attempt in (1, 2, 3, 4, 9)] == [1, 2, 4, 8, 256]
    assert pause(10) == pause(1_000_000) == LONGEST_PAUSE
