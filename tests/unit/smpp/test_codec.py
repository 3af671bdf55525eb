"""PDUs in octets written by hand after the standard, round trips of everything, and what is no PDU."""

import struct
from dataclasses import fields
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.smpp import codec
from gateway.smpp.codec import DecodeError, EncodeError, decode, encode
from gateway.smpp.constants import RESPONSE_BIT, CommandId, CommandStatus, Tag
from gateway.smpp.layouts import LAYOUTS
from gateway.smpp.pdu import (
    PDUS,
    RESPONSES,
    AlertNotification,
    BindReceiver,
    BindReceiverResp,
    BindTransceiver,
    BindTransceiverResp,
    BindTransmitter,
    BindTransmitterResp,
    CancelSm,
    CancelSmResp,
    DataSm,
    DataSmResp,
    DeliverSm,
    DeliverSmResp,
    DistributionList,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Outbind,
    Pdu,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    ReplaceSmResp,
    SmeAddress,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    UnsuccessSme,
    response_of,
)
from tests.support.smpp_pdus import KINDS, any_pdus, pdus

QUICK = (SubmitSm, SubmitSmResp, DeliverSm, DeliverSmResp)


def frame(command_id: int, body: bytes = b"", status: int = 0, sequence_number: int = 7) -> bytes:
    """A PDU by hand."""
    return struct.pack(">IIII", 16 + len(body), command_id, status, sequence_number) + body


def by_reference(octets: bytes) -> Pdu:
    """What the description of the PDUs reads, without the functions for the frequent ones."""
    with patch.dict(codec._QUICK_DECODERS, clear=True):
        return decode(octets)


def written_by_reference(pdu: Pdu) -> bytes:
    with patch.dict(codec._QUICK_ENCODERS, clear=True):
        return encode(pdu)


def outcome(octets: bytes) -> Pdu | tuple[int, int, int, str]:
    """The PDU, or what the error says."""
    try:
        return decode(octets)
    except DecodeError as error:
        assert str(error) == error.reason
        return error.command_status, error.command_id, error.sequence_number, error.reason


# The standard's own example of a bind_transmitter (3.2.3), and every other PDU written by its table in section 4.
ON_THE_WIRE = [
    pytest.param(
        bytes.fromhex(
            "0000002f 00000002 00000000 00000001"
            "534d50503354455354 00 7365637265743038 00 5355424d495431 00 00 01 01 00"
        ),
        BindTransmitter("SMPP3TEST", "secret08", "SUBMIT1", 0, 1, 1, "", sequence_number=1),
        id="bind_transmitter",
    ),
    pytest.param(
        frame(0x80000002, b"smsc\0" + b"\x02\x10\x00\x01\x34"),
        BindTransmitterResp("smsc", tlvs={Tag.SC_INTERFACE_VERSION: b"\x34"}, sequence_number=7),
        id="bind_transmitter_resp",
    ),
    pytest.param(
        frame(0x00000001, b"a@b.example\0p\0\0\x34\x00\x00^34\0"),
        BindReceiver("a@b.example", "p", address_range="^34", sequence_number=7),
        id="bind_receiver",
    ),
    pytest.param(frame(0x80000001, b"\0"), BindReceiverResp(sequence_number=7), id="bind_receiver_resp"),
    pytest.param(
        frame(0x00000009, b"u\0p\0t\0\x33\x05\x08\0"),
        BindTransceiver("u", "p", "t", 0x33, 5, 8, sequence_number=7),
        id="bind_transceiver",
    ),
    pytest.param(frame(0x80000009, b"s\0"), BindTransceiverResp("s", sequence_number=7), id="bind_transceiver_resp"),
    pytest.param(frame(0x0000000B, b"s\0p\0"), Outbind("s", "p", sequence_number=7), id="outbind"),
    pytest.param(frame(0x00000006), Unbind(sequence_number=7), id="unbind"),
    pytest.param(frame(0x80000006), UnbindResp(sequence_number=7), id="unbind_resp"),
    pytest.param(
        frame(
            0x00000004,
            b"CMT\0\x05\x00Trunkline\0\x01\x0134600123456\0\x40\x7f\x03"
            b"260101120000000+\0"
            b"000002000000000R\0"
            b"\x11\x01\xf1\x02\x05hello\x02\x04\x00\x02\x00\x09",
        ),
        SubmitSm(
            "CMT",
            5,
            0,
            "Trunkline",
            1,
            1,
            "34600123456",
            0x40,
            0x7F,
            3,
            "260101120000000+",
            "000002000000000R",
            0x11,
            1,
            0xF1,
            2,
            b"hello",
            tlvs={Tag.USER_MESSAGE_REFERENCE: b"\x00\x09"},
            sequence_number=7,
        ),
        id="submit_sm",
    ),
    pytest.param(frame(0x80000004, b"123\0"), SubmitSmResp("123", sequence_number=7), id="submit_sm_resp"),
    pytest.param(
        frame(0x80000004, b"", 0x58),
        SubmitSmResp(sequence_number=7, command_status=0x58),
        id="submit_sm_resp-refused",
    ),
    pytest.param(
        frame(
            0x00000021,
            b"\0\x01\x01336\0\x02\x01\x01\x0134600\0\x02friends\0\x00\x00\x00\0\0\x01\x00\x08\x00\x02\x04\x36",
        ),
        SubmitMulti(
            "",
            1,
            1,
            "336",
            [SmeAddress(1, 1, "34600"), DistributionList("friends")],
            registered_delivery=1,
            data_coding=8,
            short_message=b"\x04\x36",
            sequence_number=7,
        ),
        id="submit_multi",
    ),
    pytest.param(
        frame(0x80000021, b"9\0\x01\x01\x0134600\0\x00\x00\x00\x0b"),
        SubmitMultiResp("9", [UnsuccessSme(1, 1, "34600", 0x0B)], sequence_number=7),
        id="submit_multi_resp",
    ),
    pytest.param(
        frame(0x00000005, b"\0\x01\x0134600\0\x05\x00Acme\0\x04\x00\x00\0\0\x00\x00\x03\x00\x04id:1"),
        DeliverSm("", 1, 1, "34600", 5, 0, "Acme", 4, data_coding=3, short_message=b"id:1", sequence_number=7),
        id="deliver_sm",
    ),
    pytest.param(frame(0x80000005, b"\0"), DeliverSmResp(sequence_number=7), id="deliver_sm_resp"),
    pytest.param(
        frame(0x80000005, b"\0", 0x64),
        DeliverSmResp(sequence_number=7, command_status=0x64),
        id="deliver_sm_resp-refused",
    ),
    pytest.param(
        frame(0x00000103, b"\0\x01\x021\0\x03\x042\0\x05\x06\x07\x04\x24\x00\x03abc"),
        DataSm("", 1, 2, "1", 3, 4, "2", 5, 6, 7, tlvs={Tag.MESSAGE_PAYLOAD: b"abc"}, sequence_number=7),
        id="data_sm",
    ),
    pytest.param(frame(0x80000103, b"5\0"), DataSmResp("5", sequence_number=7), id="data_sm_resp"),
    pytest.param(frame(0x00000003, b"77\0\x01\x0234\0"), QuerySm("77", 1, 2, "34", sequence_number=7), id="query_sm"),
    pytest.param(
        frame(0x80000003, b"77\x00260101120000000+\0\x02\x0f"),
        QuerySmResp("77", "260101120000000+", 2, 15, sequence_number=7),
        id="query_sm_resp",
    ),
    pytest.param(
        frame(0x00000008, b"CMT\0" + b"08\0\x01\x021\0\x03\x042\0"),
        CancelSm("CMT", "08", 1, 2, "1", 3, 4, "2", sequence_number=7),
        id="cancel_sm",
    ),
    pytest.param(frame(0x80000008), CancelSmResp(sequence_number=7), id="cancel_sm_resp"),
    pytest.param(
        frame(0x00000007, b"8\0\x01\x021\0\0\0\x01\x02\x03new"),
        ReplaceSm("8", 1, 2, "1", "", "", 1, 2, b"new", sequence_number=7),
        id="replace_sm",
    ),
    pytest.param(frame(0x80000007), ReplaceSmResp(sequence_number=7), id="replace_sm_resp"),
    pytest.param(frame(0x00000015), EnquireLink(sequence_number=7), id="enquire_link"),
    pytest.param(frame(0x80000015), EnquireLinkResp(sequence_number=7), id="enquire_link_resp"),
    pytest.param(
        frame(0x00000102, b"\x01\x02345\0\x03\x04678\0\x04\x22\x00\x01\x00"),
        AlertNotification(1, 2, "345", 3, 4, "678", tlvs={Tag.MS_AVAILABILITY_STATUS: b"\0"}, sequence_number=7),
        id="alert_notification",
    ),
    pytest.param(frame(0x80000000, b"", 3), GenericNack(sequence_number=7, command_status=3), id="generic_nack"),
]


@pytest.mark.parametrize(("octets", "pdu"), ON_THE_WIRE)
def test_pdu_on_the_wire(octets: bytes, pdu: Pdu) -> None:
    assert decode(octets) == pdu
    assert encode(pdu) == octets


def test_every_command_of_the_standard_is_on_the_wire() -> None:
    assert {type(case.values[1]) for case in ON_THE_WIRE} == set(KINDS)
    assert set(PDUS) == {int(one) for one in CommandId}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_fields_are_described_in_the_order_of_the_dataclass(kind: type[Pdu]) -> None:
    common = {"tlvs", "sequence_number", "command_status"}
    assert [name for name, _ in LAYOUTS[kind]] == [one.name for one in fields(kind) if one.name not in common]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_round_trip(kind: type[Pdu], data: st.DataObject) -> None:
    pdu = data.draw(pdus(kind))
    octets = encode(pdu)
    assert decode(octets) == pdu
    assert by_reference(octets) == pdu
    assert written_by_reference(pdu) == octets


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_null_defaults_round_trip(kind: type[Pdu]) -> None:
    assert decode(encode(kind())) == kind()


def test_longest_pdu_round_trips() -> None:
    pdu = SubmitMulti(
        dest_addresses=[SmeAddress(1, 1, "3" * 20)] * 254,
        short_message=b"x" * 254,
        tlvs={Tag.MESSAGE_PAYLOAD: bytes(0xFFFF)},
    )
    assert decode(encode(pdu)) == pdu


_LONG = b"x" * 65 + b"\0"
_SM_TAIL = b"\x01\x00\x00\x00"


@pytest.mark.parametrize(
    ("octets", "status", "named"),
    [
        pytest.param(b"", "ESME_RINVCMDLEN", "0 octets", id="nothing"),
        pytest.param(frame(4)[:15], "ESME_RINVCMDLEN", "15 octets", id="less-than-a-header"),
        pytest.param(frame(0x15) + b"x", "ESME_RINVCMDLEN", "17 octets", id="longer-than-its-length"),
        pytest.param(frame(4, b"123")[:-1], "ESME_RINVCMDLEN", "18 octets", id="shorter-than-its-length"),
        pytest.param(frame(0x0A), "ESME_RINVCMDID", "0x0000000A", id="reserved-command"),
        pytest.param(frame(0x111), "ESME_RINVCMDID", "0x00000111", id="command-of-version-5"),
        pytest.param(frame(0x8000000B), "ESME_RINVCMDID", "0x8000000B", id="answer-to-outbind"),
        pytest.param(frame(4), "ESME_RINVCMDLEN", "service_type", id="submit_sm-without-body"),
        pytest.param(frame(4, b"\0"), "ESME_RINVCMDLEN", "source_addr_ton", id="submit_sm-ends-before-ton"),
        pytest.param(frame(4, b"\0\x01\x0134"), "ESME_RINVCMDLEN", "source_addr", id="submit_sm-ends-in-source"),
        pytest.param(frame(4, _LONG), "ESME_RINVSERTYP", "service_type", id="service_type"),
        pytest.param(frame(4, b"\0\x01\x01" + _LONG), "ESME_RINVSRCADR", "source_addr", id="source_addr"),
        pytest.param(
            frame(4, b"\0\x01\x01\0\x01\x01" + _LONG), "ESME_RINVDSTADR", "destination_addr", id="destination_addr"
        ),
        pytest.param(
            frame(4, b"\0\x01\x01\0\x01\x01\0\0\0\0" + _LONG + b"\0" + _SM_TAIL + b"\0"),
            "ESME_RINVSCHED",
            "schedule_delivery_time",
            id="schedule_delivery_time",
        ),
        pytest.param(
            frame(4, b"\0\x01\x01\0\x01\x01\0\0\0\0\0" + _LONG + _SM_TAIL + b"\0"),
            "ESME_RINVEXPIRY",
            "validity_period",
            id="validity_period",
        ),
        pytest.param(
            frame(5, b"\0\x01\x01\0\x01\x01\0\0\0\0\0\0" + _SM_TAIL + b"\x03ab"),
            "ESME_RINVMSGLEN",
            "sm_length is 3, but 2",
            id="message-shorter-than-sm_length",
        ),
        pytest.param(
            frame(5, b"\0\x01\x01\0\x01\x01\0\0\0\0\0\0" + _SM_TAIL + b"\xff" + b"x" * 255),
            "ESME_RINVMSGLEN",
            "sm_length is 255",
            id="message-of-255",
        ),
        pytest.param(
            frame(5, b"\0\x01\x01\0\x01\x01\0\0\0\0\0\0" + _SM_TAIL),
            "ESME_RINVCMDLEN",
            "sm_length",
            id="no-sm_length",
        ),
        pytest.param(
            frame(5, b"\0\x01\x01\0\x01\x01\0\0\0\0\0\0" + _SM_TAIL + b"\0\x04\x24\x00\x03ab"),
            "ESME_RINVOPTPARSTREAM",
            "last 6 octets",
            id="tlv-breaks-off",
        ),
        pytest.param(
            frame(5, b"\0\x01\x01\0\x01\x01\0\0\0\0\0\0" + _SM_TAIL + b"\0\x02\x04\x00\x01a\x04"),
            "ESME_RINVOPTPARSTREAM",
            "last 1 octets",
            id="tlv-header-breaks-off",
        ),
        pytest.param(frame(2, b"x" * 255 + b"\0"), "ESME_RINVSYSID", "system_id", id="system_id"),
        pytest.param(frame(2, b"u\0" + b"x" * 255 + b"\0"), "ESME_RINVPASWD", "password", id="password"),
        pytest.param(frame(2, b"u\0p\0" + _LONG), "ESME_RINVSYSTYP", "system_type", id="system_type"),
        pytest.param(frame(9, b"u\0p\0\0\x34\0\0" + _LONG), "ESME_RBINDFAIL", "address_range", id="address_range"),
        pytest.param(frame(9, b"u\0p"), "ESME_RINVCMDLEN", "password", id="bind-breaks-off"),
        pytest.param(frame(3, _LONG), "ESME_RINVMSGID", "message_id", id="message_id"),
        pytest.param(
            frame(0x21, b"\0\x01\x01\0\xff"), "ESME_RINVNUMDESTS", "number_of_dests is 255", id="number_of_dests"
        ),
        pytest.param(frame(0x21, b"\0\x01\x01\0\x01\x03"), "ESME_RINVDESTFLAG", "dest_flag 1 is 3", id="dest_flag"),
        pytest.param(
            frame(0x21, b"\0\x01\x01\0\x02\x02a\0\x02" + _LONG), "ESME_RINVDLNAME", "dl_name 2", id="dl_name"
        ),
        pytest.param(
            frame(0x21, b"\0\x01\x01\0\x02\x01\x01\x011\0\x01\x01\x01" + _LONG),
            "ESME_RINVDSTADR",
            "destination_addr 2",
            id="destination-of-multi",
        ),
        pytest.param(
            frame(0x21, b"\0\x01\x01\0\x02\x02a\0"), "ESME_RINVCMDLEN", "dest_flag 2", id="multi-breaks-off"
        ),
    ],
)
def test_no_pdu(octets: bytes, status: str, named: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(octets)
    error = caught.value
    assert CommandStatus(error.command_status).name == status
    assert named in error.reason
    whole = len(octets) >= 16
    assert error.command_id == (int.from_bytes(octets[4:8], "big") if whole else 0)
    assert error.sequence_number == (7 if whole else 0)


def test_error_quotes_nothing() -> None:
    with pytest.raises(DecodeError) as caught:
        decode(frame(2, b"user\0" + b"secret" * 60))
    assert "secret" not in caught.value.reason


def test_password_is_in_no_repr() -> None:
    assert "secret" not in repr(BindTransceiver("u", "secret")) + repr(Outbind("u", "secret"))


@pytest.mark.parametrize(
    ("octets", "pdu"),
    [
        pytest.param(frame(0x80000004), SubmitSmResp(), id="submit_sm_resp-without-body"),
        pytest.param(frame(0x80000004, b"12"), SubmitSmResp("12"), id="id-without-nul"),
        pytest.param(frame(0x80000004, b"12\0\0"), SubmitSmResp("12"), id="octet-after-the-id"),
        pytest.param(
            frame(0x80000004, b"12\0\x04\x25\x00\x01\x02\x04"),
            SubmitSmResp("12", tlvs={Tag.DELIVERY_FAILURE_REASON: b"\x02"}),
            id="octet-after-the-tlvs",
        ),
        pytest.param(frame(0x80000004, b"a" * 300 + b"\0"), SubmitSmResp("a" * 300), id="long-id"),
        pytest.param(frame(0x80000005), DeliverSmResp(), id="deliver_sm_resp-without-body"),
        pytest.param(frame(0x80000009), BindTransceiverResp(), id="bind_resp-without-body"),
        pytest.param(frame(0x80000009, b"smsc"), BindTransceiverResp("smsc"), id="system_id-without-nul"),
        pytest.param(frame(0x80000003, b"7\0\0"), QuerySmResp("7"), id="query_sm_resp-breaks-off"),
        pytest.param(
            frame(0x80000021, b"7\0\x02\x01\x01346\0\0\0\0\x0b"),
            SubmitMultiResp("7", [UnsuccessSme(1, 1, "346", 0x0B)]),
            id="fewer-destinations-than-counted",
        ),
        pytest.param(
            frame(0x80000021, b"7\0\x02\x01\x01346\0\0\0"),
            SubmitMultiResp("7", [UnsuccessSme(1, 1, "346", 0)]),
            id="submit_multi_resp-breaks-off",
        ),
        pytest.param(frame(0x80000008, b"\0"), CancelSmResp(), id="cancel_sm_resp-with-body"),
        pytest.param(frame(0x00000015, b"\0\0"), EnquireLink(), id="enquire_link-with-body"),
        pytest.param(frame(0x00000006, b"\0"), Unbind(), id="unbind-with-body"),
        pytest.param(frame(0x80000000, b"sorry"), GenericNack(), id="generic_nack-with-body"),
    ],
)
def test_what_nobody_can_answer_is_read_as_far_as_it_goes(octets: bytes, pdu: Pdu) -> None:
    pdu.sequence_number = 7
    assert decode(octets) == pdu


@given(st.sampled_from(sorted(RESPONSES.values(), key=str)), st.binary(max_size=200), st.integers(0, 0xFFFFFFFF))
def test_body_of_a_response_never_fails(kind: type[Pdu], body: bytes, status: int) -> None:
    pdu = decode(frame(kind.command_id, body, status))
    assert type(pdu) is kind
    assert (pdu.sequence_number, pdu.command_status) == (7, status)


def test_of_a_tag_that_comes_twice_the_last_counts() -> None:
    pdu = decode(frame(0x80000004, b"1\0\x04\x27\x00\x01\x01\x04\x27\x00\x01\x02"))
    assert pdu.tlvs == {Tag.MESSAGE_STATE: b"\x02"}


@given(st.binary(max_size=200))
def test_octets_are_a_pdu_or_a_decode_error(octets: bytes) -> None:
    outcome(octets)


@given(st.sampled_from(KINDS), st.binary(max_size=200))
def test_body_is_a_pdu_or_a_decode_error(kind: type[Pdu], body: bytes) -> None:
    outcome(frame(kind.command_id, body))


@given(any_pdus, st.data())
def test_mutated_pdu_is_a_pdu_or_a_decode_error_and_quick_as_slow(pdu: Pdu, data: st.DataObject) -> None:
    octets = bytearray(encode(pdu))
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(16, len(octets) - 1)) if len(octets) > 16 else 0] = data.draw(
            st.integers(0, 255)
        )
    del octets[data.draw(st.integers(4, len(octets))) :]
    octets[:4] = len(octets).to_bytes(4, "big")
    found = outcome(bytes(octets))
    with patch.dict(codec._QUICK_DECODERS, clear=True):
        assert outcome(bytes(octets)) == found
    if isinstance(found, Pdu):
        # What was read can be written, and is then read as the same.
        assert decode(encode(found)) == found


@pytest.mark.parametrize("kind", [SubmitSm, DeliverSm], ids=["submit_sm", "deliver_sm"])
@given(body=st.binary(max_size=120))
@example(b"\0" * 17)
@example(b"\0" * 16 + b"\x01")
@example(b"\0" * 300)
def test_quick_decoder_agrees_with_the_description(kind: type[Pdu], body: bytes) -> None:
    octets = frame(kind.command_id, body)
    found = outcome(octets)
    with patch.dict(codec._QUICK_DECODERS, clear=True):
        assert outcome(octets) == found


@pytest.mark.parametrize(
    ("pdu", "named"),
    [
        pytest.param(SubmitSm(source_addr="a\0b"), "source_addr has a NUL at position 2", id="nul"),
        pytest.param(SubmitSm(destination_addr="ж"), "destination_addr has a character", id="beyond-latin-1"),
        pytest.param(SubmitSm(dest_addr_ton=256), "dest_addr_ton is 256", id="octet-over"),
        pytest.param(DeliverSm(esm_class=-1), "esm_class is -1", id="octet-under"),
        pytest.param(SubmitSm(short_message=b"x" * 255), "255 octets, more than 254: use the TLV", id="message"),
        pytest.param(SubmitSm(tlvs={0x10000: b""}), "65536 has a tag", id="tag-over"),
        pytest.param(SubmitSm(tlvs={-1: b""}), "-1 has a tag", id="tag-under"),
        pytest.param(SubmitSm(tlvs={0x424: b"x" * 0x10000}), "0x0424 has 65536 octets", id="tlv-value"),
        pytest.param(SubmitSmResp("a\0"), "message_id has a NUL at position 2", id="nul-in-id"),
        pytest.param(SubmitSmResp("€"), "message_id has a character", id="id-beyond-latin-1"),
        pytest.param(DeliverSmResp("€", command_status=1), "message_id has a character", id="refused-id"),
        pytest.param(EnquireLink(sequence_number=1 << 32), "sequence_number", id="sequence_number"),
        pytest.param(SubmitSmResp(command_status=-1), "command_status", id="command_status"),
        pytest.param(SubmitMulti(dest_addresses=[SmeAddress()] * 255), "255 destinations", id="destinations"),
        pytest.param(
            SubmitMulti(dest_addresses=[SmeAddress(), DistributionList("\0")]), "dl_name 2 has a NUL", id="dl_name"
        ),
        pytest.param(SubmitMultiResp("", [UnsuccessSme()] * 256), "256 destinations", id="unsuccess"),
        pytest.param(
            SubmitMultiResp("", [UnsuccessSme(error_status_code=1 << 32)]), "error_status_code 1", id="error-code"
        ),
        pytest.param(BindReceiver("u", "se\0cret"), "password has a NUL at position 3", id="password"),
    ],
)
def test_cannot_be_written(pdu: Pdu, named: str) -> None:
    with pytest.raises(EncodeError) as caught:
        encode(pdu)
    assert named in str(caught.value)
    assert "cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("pdu", "body"),
    [
        pytest.param(SubmitSmResp(command_status=8), b"", id="submit_sm_resp"),
        pytest.param(SubmitSmResp("1", command_status=8), b"1\0", id="submit_sm_resp-with-id"),
        pytest.param(
            SubmitSmResp(command_status=8, tlvs={1: b"a"}), b"\0\0\x01\0\x01a", id="submit_sm_resp-with-tlv"
        ),
        pytest.param(SubmitMultiResp(command_status=8), b"", id="submit_multi_resp"),
        pytest.param(BindTransmitterResp(command_status=8), b"", id="bind_transmitter_resp"),
        pytest.param(BindReceiverResp(command_status=8), b"", id="bind_receiver_resp"),
        pytest.param(BindTransceiverResp("s", command_status=8), b"s\0", id="bind_transceiver_resp-with-id"),
        pytest.param(DeliverSmResp(command_status=8), b"\0", id="deliver_sm_resp"),
        pytest.param(DataSmResp(command_status=8), b"\0", id="data_sm_resp"),
        pytest.param(QuerySmResp(command_status=8), b"\0\0\0\0", id="query_sm_resp"),
    ],
)
def test_body_of_a_refusal(pdu: Pdu, body: bytes) -> None:
    assert encode(pdu)[16:] == body


@pytest.mark.parametrize("kind", RESPONSES, ids=lambda kind: kind.__name__)
def test_response_of_each_request(kind: type[Pdu]) -> None:
    response = response_of(kind(sequence_number=9), 0x58)
    assert response.command_id == kind.command_id | RESPONSE_BIT
    assert (response.sequence_number, response.command_status) == (9, 0x58)


def test_response_takes_its_own_fields() -> None:
    assert response_of(SubmitSm(sequence_number=3), message_id="4") == SubmitSmResp("4", sequence_number=3)
    with pytest.raises(TypeError, match="message_id"):
        response_of(Unbind(), message_id="4")


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(RESPONSES), key=str), ids=lambda kind: kind.__name__)
def test_others_have_no_response(kind: type[Pdu]) -> None:
    with pytest.raises(TypeError, match=f"{kind.__name__} has no response"):
        response_of(kind())
