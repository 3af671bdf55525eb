"""The codec against the npm package smpp: each reads what the other writes, for every PDU of SMPP 3.4."""

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest

from gateway.smpp.codec import decode, encode
from gateway.smpp.constants import CommandId, Tag
from gateway.smpp.layouts import LAYOUTS
from gateway.smpp.pdu import (
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
)
from tests.interop import outside
from tests.support.smpp_pdus import KINDS

SCRIPT = Path(__file__).with_name("pdu_oracle.js")
NOON, AFTER = "260201120000700+", "260202120000000+"
# npm's smpp reads times into dates.
MOMENTS = {NOON: "2026-02-01T12:00:00.700Z", AFTER: "2026-02-02T12:00:00.000Z"}
# data_coding 4: npm's smpp hands the octets of other codings out as text.
BINARY = 4
MESSAGE = bytes(range(254))
# How it names and types optional parameters.
TYPED: dict[int, tuple[str, Callable[[bytes], Any]]] = {
    Tag.SC_INTERFACE_VERSION: ("sc_interface_version", lambda octets: octets[0]),
    Tag.USER_MESSAGE_REFERENCE: ("user_message_reference", lambda octets: int.from_bytes(octets, "big")),
    Tag.SAR_MSG_REF_NUM: ("sar_msg_ref_num", lambda octets: int.from_bytes(octets, "big")),
    Tag.SAR_TOTAL_SEGMENTS: ("sar_total_segments", lambda octets: octets[0]),
    Tag.SAR_SEGMENT_SEQNUM: ("sar_segment_seqnum", lambda octets: octets[0]),
    Tag.MESSAGE_STATE: ("message_state", lambda octets: octets[0]),
    Tag.MS_AVAILABILITY_STATUS: ("ms_availability_status", lambda octets: octets[0]),
    Tag.RECEIPTED_MESSAGE_ID: ("receipted_message_id", lambda octets: octets[:-1].decode()),
    Tag.NETWORK_ERROR_CODE: ("network_error_code", lambda octets: {"hex": octets.hex()}),
    Tag.MESSAGE_PAYLOAD: ("message_payload", lambda octets: {"hex": octets.hex()}),
}

FULL: list[Pdu] = [
    BindTransmitter("user@example.com", "a long password", "type", 0x34, 1, 2, "^34"),
    BindTransmitterResp("smsc", tlvs={Tag.SC_INTERFACE_VERSION: b"\x34"}),
    BindReceiver("user", "secret", "type", 0x33, 1, 2, "^34"),
    BindReceiverResp("smsc", tlvs={Tag.SC_INTERFACE_VERSION: b"\x34"}),
    BindTransceiver("user", "secret", "type", 0x34, 5, 8, "^34"),
    BindTransceiverResp("smsc", tlvs={Tag.SC_INTERFACE_VERSION: b"\x50"}),
    Outbind("smsc", "secret"),
    Unbind(),
    UnbindResp(),
    SubmitSm(
        *("CMT", 5, 0, "Trunkline", 1, 1, "34600123456", 3, 0x7F, 3, NOON, AFTER, 0x11, 1, BINARY, 2, MESSAGE),
        tlvs={
            Tag.USER_MESSAGE_REFERENCE: b"\x01\x02",
            Tag.SAR_MSG_REF_NUM: b"\xff\x09",
            Tag.SAR_TOTAL_SEGMENTS: b"\x03",
            Tag.SAR_SEGMENT_SEQNUM: b"\x01",
        },
    ),
    SubmitSmResp("0123456789abcdef"),
    SubmitMulti(
        *("CMT", 5, 0, "Trunkline"),
        [SmeAddress(1, 1, "34600123456"), DistributionList("friends"), SmeAddress(2, 8, "600123456")],
        *(3, 0x7F, 3, NOON, AFTER, 0x11, 1, BINARY, 2, MESSAGE),
        tlvs={Tag.USER_MESSAGE_REFERENCE: b"\x01\x02"},
    ),
    SubmitMultiResp("77", [UnsuccessSme(1, 1, "34600123456", 0x0B), UnsuccessSme(2, 8, "600", 0xFFFFFFFF)]),
    DeliverSm(
        *("", 1, 1, "34600123456", 5, 0, "Trunkline", 4, 0, 0, "", "", 0, 0, BINARY, 0, b"id:77 stat:DELIVRD"),
        tlvs={
            Tag.RECEIPTED_MESSAGE_ID: b"77\0",
            Tag.MESSAGE_STATE: b"\x02",
            Tag.NETWORK_ERROR_CODE: b"\x03\x00\x01",
        },
    ),
    DeliverSmResp(""),
    DataSm("CMT", 1, 1, "336", 1, 1, "34600123456", 0, 1, BINARY, tlvs={Tag.MESSAGE_PAYLOAD: bytes(range(256)) * 8}),
    DataSmResp("78"),
    QuerySm("77", 1, 1, "336"),
    QuerySmResp("77", NOON, 2, 15),
    CancelSm("CMT", "77", 1, 1, "336", 2, 8, "600123456"),
    CancelSmResp(),
    ReplaceSm("77", 1, 1, "336", NOON, AFTER, 1, 2, MESSAGE),
    ReplaceSmResp(),
    EnquireLink(),
    EnquireLinkResp(),
    AlertNotification(1, 1, "34600123456", 1, 1, "336", tlvs={Tag.MS_AVAILABILITY_STATUS: b"\x00"}),
    GenericNack(),
]
NULL: list[Pdu] = [kind() for kind in KINDS]
# npm's smpp writes no body with any command_status: of these only what it reads, and what we read of it, is compared.
REFUSED: list[Pdu] = [kind(command_status=0x58) for kind in KINDS if kind.command_id & 0x80000000]
CASES = [
    *(pytest.param(pdu, id=f"{type(pdu).__name__}-full") for pdu in FULL),
    *(pytest.param(pdu, id=f"{type(pdu).__name__}-null") for pdu in NULL),
    *(pytest.param(pdu, id=f"{type(pdu).__name__}-refused") for pdu in REFUSED),
]


def name_of(pdu: Pdu) -> str:
    return CommandId(pdu.command_id).name.lower()


def in_json(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    return [asdict(one) for one in value] if isinstance(value, list) else value


def options_of(pdu: Pdu) -> dict[str, Any]:
    """The PDU as npm's smpp takes it."""
    values = {name: in_json(getattr(pdu, name)) for name, _ in LAYOUTS[type(pdu)]}
    if isinstance(pdu, SubmitMulti):
        values["dest_address"] = values.pop("dest_addresses")
    header = {"sequence_number": pdu.sequence_number, "command_status": pdu.command_status}
    return values | {TYPED[tag][0]: TYPED[tag][1](octets) for tag, octets in pdu.tlvs.items()} | header


def read_as(pdu: Pdu) -> dict[str, Any]:
    """The PDU as npm's smpp gives it."""
    values = options_of(pdu)
    for name in ("schedule_delivery_time", "validity_period", "final_date"):
        if name in values:
            values[name] = MOMENTS.get(values[name], "")
    # Without data_coding (replace_sm) it gives octets alone, and in codings other than 4 text: here an empty one.
    if "data_coding" in values:
        for name in {"short_message", "message_payload"} & values.keys():
            values[name] = {"message": values[name] if values["data_coding"] == BINARY else ""}
    return values


@pytest.fixture(scope="module")
def npm() -> dict[str, tuple[dict[str, Any], bytes]]:
    """What npm's smpp reads of each case's octets, and what it writes of the case, by the case's octets in hex."""
    pdus = [*FULL, *NULL, *REFUSED]
    questions = [{"frame": {"hex": encode(numbered(pdu)).hex()}} for pdu in pdus]
    questions += [{"command": name_of(pdu), "options": options_of(numbered(pdu))} for pdu in pdus]
    done = subprocess.run(
        ["node", str(SCRIPT)],
        input=json.dumps(questions),
        env={**os.environ, "NODE_PATH": str(outside.node())},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    answers = json.loads(done.stdout)
    read, written = answers[: len(pdus)], answers[len(pdus) :]
    return {
        repr(pdu): (seen, bytes.fromhex(frame["hex"])) for pdu, seen, frame in zip(pdus, read, written, strict=True)
    }


def numbered(pdu: Pdu) -> Pdu:
    values = {one.name: getattr(pdu, one.name) for one in fields(pdu)}
    return type(pdu)(**values | {"sequence_number": 0x7FFFFFFF})


def test_every_pdu_is_here() -> None:
    assert {type(pdu) for pdu in FULL} == set(KINDS)


@pytest.mark.parametrize("pdu", CASES)
def test_npm_reads_what_we_write(pdu: Pdu, npm: dict[str, tuple[dict[str, Any], bytes]]) -> None:
    seen, _ = npm[repr(pdu)]
    octets = encode(numbered(pdu))
    assert seen["command"] == name_of(pdu)
    assert (seen["command_length"], seen["command_id"]) == (len(octets), pdu.command_id)
    expected = read_as(numbered(pdu))
    if len(octets) == 16:
        expected = {name: expected[name] for name in ("sequence_number", "command_status")}
    assert {name: seen.get(name) for name in expected} == expected


@pytest.mark.parametrize("pdu", CASES)
def test_we_read_what_npm_writes(pdu: Pdu, npm: dict[str, tuple[dict[str, Any], bytes]]) -> None:
    _, octets = npm[repr(pdu)]
    assert decode(octets) == numbered(pdu)
    if not pdu.command_status:
        assert octets == encode(numbered(pdu))
