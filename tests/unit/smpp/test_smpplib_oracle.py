"""The codec against smpplib: each writes what the other reads, and both write the same octets."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smpplib import command, command_codes, consts, smpp
from smpplib.exceptions import UnknownCommandError

from gateway.smpp.codec import decode, encode
from gateway.smpp.constants import CommandId, CommandStatus, MessageState, Tag
from gateway.smpp.layouts import BODILESS_ON_ERROR, LAYOUTS
from gateway.smpp.pdu import DataSm, DeliverSm, Pdu, SubmitSm
from tests.support.smpp_pdus import KINDS, octets, words

# smpplib knows their command_id, but neither reads nor writes them: npm's smpp stands in for it in tests/interop.
UNKNOWN_TO_SMPPLIB = {
    CommandId.SUBMIT_MULTI,
    CommandId.SUBMIT_MULTI_RESP,
    CommandId.CANCEL_SM,
    CommandId.CANCEL_SM_RESP,
    CommandId.REPLACE_SM,
    CommandId.REPLACE_SM_RESP,
    CommandId.OUTBIND,
}
KNOWN = [kind for kind in KINDS if kind.command_id not in UNKNOWN_TO_SMPPLIB]
UNKNOWN = [kind for kind in KINDS if kind.command_id in UNKNOWN_TO_SMPPLIB]


def name_of(kind: type[Pdu]) -> str:
    return CommandId(kind.command_id).name.lower()


def theirs_of(pdu: Pdu, **tlvs: Any) -> command.Command:
    values = {name: getattr(pdu, name) for name, _ in LAYOUTS[type(pdu)]}
    theirs = command.factory(name_of(type(pdu)), sequence=0, status=pdu.command_status, **values, **tlvs)
    theirs.sequence = pdu.sequence_number
    return theirs


def read_by_them(frame: bytes) -> command.Command:
    return smpp.parse_pdu(frame, sequence=0)


@st.composite
def shared_pdus(draw: st.DrawFn, kind: type[Pdu]) -> Pdu:
    """PDUs that smpplib can say too: strings within its limits, interface_version 3.4, no TLVs."""
    params = command.factory(name_of(kind), sequence=0).params
    values: dict[str, Any] = {}
    for name, _ in LAYOUTS[kind]:
        if name == "short_message":
            values[name] = draw(st.binary(max_size=254))
        elif name == "interface_version":
            values[name] = 0x34
        elif params[name].type is str:
            letters = st.characters(min_codepoint=1, max_codepoint=0xFF)
            # smpplib sends no query_sm without a message_id.
            least = 1 if name == "message_id" else 0
            values[name] = draw(st.text(letters, min_size=least, max_size=params[name].max - 1))
        else:
            values[name] = draw(octets)
    return kind(**values, sequence_number=draw(words), command_status=draw(words))


@pytest.mark.parametrize("kind", KNOWN, ids=name_of)
@given(data=st.data())
def test_smpplib_reads_what_we_write(kind: type[Pdu], data: st.DataObject) -> None:
    pdu = data.draw(shared_pdus(kind))
    theirs = read_by_them(encode(pdu))
    assert theirs.command == name_of(kind)
    assert (theirs.sequence, theirs.status) == (pdu.sequence_number, pdu.command_status)
    for name, _ in LAYOUTS[kind]:
        ours = getattr(pdu, name)
        # smpplib gives strings as octets, and None for those of a body that is not there.
        expected = ours.encode("latin-1") if isinstance(ours, str) else ours
        assert (getattr(theirs, name) or type(expected)()) == expected, name


@pytest.mark.parametrize("kind", KNOWN, ids=name_of)
@given(data=st.data())
def test_we_read_what_smpplib_writes(kind: type[Pdu], data: st.DataObject) -> None:
    pdu = data.draw(shared_pdus(kind))
    frame = theirs_of(pdu).generate()
    assert decode(frame) == pdu
    if kind in BODILESS_ON_ERROR and pdu.command_status and frame[16:] == b"\0":
        # smpplib sends a body of nulls, which the standard has not returned with an error.
        assert encode(pdu)[16:] == b""
    else:
        assert encode(pdu) == frame


@pytest.mark.parametrize("kind", UNKNOWN, ids=name_of)
def test_smpplib_cannot(kind: type[Pdu]) -> None:
    with pytest.raises(UnknownCommandError):
        read_by_them(encode(kind()))
    with pytest.raises(UnknownCommandError):
        command.factory(name_of(kind), sequence=0)


@pytest.mark.parametrize(
    ("pdu", "tlvs"),
    [
        pytest.param(
            SubmitSm(tlvs={Tag.USER_MESSAGE_REFERENCE: b"\x01\x02", Tag.SAR_MSG_REF_NUM: b"\x00\x09"}),
            {"user_message_reference": 0x0102, "sar_msg_ref_num": 9},
            id="integers",
        ),
        pytest.param(
            SubmitSm(tlvs={Tag.SAR_TOTAL_SEGMENTS: b"\x03", Tag.SAR_SEGMENT_SEQNUM: b"\x01"}),
            {"sar_total_segments": 3, "sar_segment_seqnum": 1},
            id="sar",
        ),
        pytest.param(
            SubmitSm(tlvs={Tag.MESSAGE_PAYLOAD: bytes(range(256)) * 8}),
            {"message_payload": bytes(range(256)) * 8},
            id="message_payload",
        ),
        pytest.param(
            DeliverSm(short_message=b"id:7", tlvs={Tag.MESSAGE_STATE: b"\x02", Tag.RECEIPTED_MESSAGE_ID: b"7f\0"}),
            {"message_state": 2, "receipted_message_id": "7f"},
            id="receipt",
        ),
        pytest.param(DataSm(tlvs={Tag.MESSAGE_PAYLOAD: b"abc"}), {"message_payload": b"abc"}, id="data_sm"),
    ],
)
def test_optional_parameters(pdu: Pdu, tlvs: dict[str, Any]) -> None:
    assert theirs_of(pdu, **tlvs).generate() == encode(pdu)
    theirs = read_by_them(encode(pdu))
    for name, value in tlvs.items():
        found = getattr(theirs, name)
        assert (found.decode() if isinstance(value, str) else found) == value, name


def test_numbers_have_the_same_names() -> None:
    theirs = vars(consts)
    prefix = "SMPP_"
    assert dict(CommandStatus.__members__) == {
        name.removeprefix(prefix): value for name, value in theirs.items() if name.startswith("SMPP_ESME_")
    }
    assert {tag.name.lower(): tag for tag in Tag} == consts.OPTIONAL_PARAMS
    assert {one.name.lower(): one for one in CommandId} == command_codes.commands
    assert {one.name: one for one in MessageState} == {
        name.removeprefix("SMPP_MESSAGE_STATE_"): value
        for name, value in theirs.items()
        if name.startswith("SMPP_MESSAGE_STATE_")
    }
