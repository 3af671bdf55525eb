"""submit_sm into the operation's message: every field, every TLV, every refusal with its command_status."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.frontends.smpp.statuses import PARAMETERS, REQUESTS, of_request
from gateway.frontends.smpp.submit_sm import message_of, text_of
from gateway.messaging.content import Alphabet, Content
from gateway.operations.direct import Direct
from gateway.operations.errors import Code, Refusal
from gateway.smpp import udh
from gateway.smpp.constants import CommandStatus as Status
from gateway.smpp.constants import Tag
from gateway.smpp.pdu import SubmitSm

NOW = 1_800_000_000_000_000  # 2027-01-15T08:00:00Z
SECOND = 1_000_000
HEADER = b"\x05\x00\x03\x07\x02\x01"
PLAIN = Direct("Shop", 5, 0, Content("Hi", "GSM7", 0, None, 1))


def read(**fields: Any) -> Direct:
    given = {"source_addr": "Shop", "source_addr_ton": 5, "destination_addr": "34600000001", "short_message": b"Hi"}
    return message_of(SubmitSm(**given | fields), NOW, Alphabet.GSM)


def tlvs(**values: bytes) -> dict[int, bytes]:
    return {Tag[name.upper()]: value for name, value in values.items()}


def sar(number: bytes = b"\x01\x07", total: bytes = b"\x02", part: bytes = b"\x01") -> dict[int, bytes]:
    return tlvs(sar_msg_ref_num=number, sar_total_segments=total, sar_segment_seqnum=part)


def content(text: str, encoding: str = "GSM7", coding: int = 0, payload: bytes | None = None, n: int = 1) -> Content:
    return Content(text, encoding, coding, payload, n)


READ: dict[str, tuple[dict[str, Any], Direct]] = {
    "plain": ({}, PLAIN),
    "no text": ({"short_message": b""}, replace(PLAIN, content=content(""))),
    "a number": (
        {"source_addr": "34600111222", "source_addr_ton": 1, "source_addr_npi": 1},
        replace(PLAIN, source_addr="34600111222", source_addr_ton=1, source_addr_npi=1),
    ),
    "UCS-2": ({"short_message": b"\x04\x4f", "data_coding": 8}, replace(PLAIN, content=content("я", "UCS2", 8))),
    "flash": ({"data_coding": 0x10}, replace(PLAIN, content=content("Hi", coding=0x10))),
    "octets": (
        {"short_message": b"\x00\x01", "data_coding": 4},
        replace(PLAIN, content=content("0001", "DATA", 4, b"\x00\x01")),
    ),
    "message_payload": (
        {"short_message": b"", "tlvs": tlvs(message_payload=b"x" * 400)},
        replace(PLAIN, content=content("x" * 400, n=3)),
    ),
    "message_payload with a header": (
        {"short_message": b"", "esm_class": 0x40, "tlvs": tlvs(message_payload=HEADER + b"Hi")},
        replace(PLAIN, content=content("Hi", payload=b"Hi"), udh=HEADER, esm_class=0x40),
    ),
    "a part": (
        {"short_message": HEADER + b"Hi", "esm_class": 0x43},
        replace(PLAIN, content=content("Hi", payload=b"Hi"), udh=HEADER, esm_class=0x43),
    ),
    "a header of ports": (
        {"short_message": b"\x06\x05\x04\x0b\x84\x23\xf0\x00\xff", "esm_class": 0x40, "data_coding": 4},
        replace(
            PLAIN,
            content=content("00ff", "DATA", 4, b"\x00\xff"),
            udh=b"\x06\x05\x04\x0b\x84\x23\xf0",
            esm_class=0x40,
        ),
    ),
    "an empty header": (
        {"short_message": b"\x00Hi", "esm_class": 0x40},
        replace(PLAIN, content=content("Hi", payload=b"Hi"), udh=b"\x00", esm_class=0x40),
    ),
    "sar_ TLVs": (
        {"tlvs": sar()},
        replace(PLAIN, content=content("Hi", payload=b"Hi"), udh=b"\x05\x00\x03\x07\x02\x01"),
    ),
    "sar_ TLVs of one segment": ({"tlvs": sar(total=b"\x01")}, PLAIN),
    "sar_ TLVs with message_payload": (
        {"short_message": b"", "tlvs": {**sar(part=b"\x02"), **tlvs(message_payload=b"x" * 153)}},
        replace(PLAIN, content=content("x" * 153, payload=b"x" * 153), udh=b"\x05\x00\x03\x07\x02\x02"),
    ),
    "a header goes over sar_ TLVs": (
        {"short_message": HEADER + b"Hi", "esm_class": 0x40, "tlvs": sar(b"\x00\x09", b"\x05", b"\x05")},
        replace(PLAIN, content=content("Hi", payload=b"Hi"), udh=HEADER, esm_class=0x40),
    ),
    "user_message_reference": (
        {"tlvs": tlvs(user_message_reference=b"\x12\x34")},
        replace(PLAIN, reference="4660"),
    ),
    "TLVs that mean nothing here": ({"tlvs": {0x0426: b"\x01", 0x1400: b"xyz"}}, PLAIN),
    "store and forward, a reply path": ({"esm_class": 0x83}, replace(PLAIN, esm_class=0x83)),
    "datagram mode": ({"esm_class": 0x81}, replace(PLAIN, esm_class=0x80)),
    "receipt asked for": ({"registered_delivery": 1}, replace(PLAIN, registered_delivery=1)),
    "receipt and intermediate notification": (
        {"registered_delivery": 0x11},
        replace(PLAIN, registered_delivery=0x11),
    ),
    "priority, protocol, service_type": ({"priority_flag": 3, "protocol_id": 65, "service_type": "CMT"}, PLAIN),
    "absolute times": (
        {"schedule_delivery_time": "270115090000000+", "validity_period": "270116100000004+"},
        replace(PLAIN, due_at=NOW + 3600 * SECOND, expires_at=NOW + 25 * 3600 * SECOND),
    ),
    "relative times": (
        {"schedule_delivery_time": "000000000130000R", "validity_period": "000001000000000R"},
        replace(PLAIN, due_at=NOW + 90 * SECOND, expires_at=NOW + 86_400 * SECOND),
    ),
}


@pytest.mark.parametrize(("fields", "expected"), READ.values(), ids=READ.keys())
def test_read(fields: dict[str, Any], expected: Direct) -> None:
    assert read(**fields) == expected


REFUSED: dict[str, tuple[dict[str, Any], Status, str]] = {
    "priority_flag 4": ({"priority_flag": 4}, Status.ESME_RINVPRTFLG, "4 is over 3"),
    "a predefined message": ({"sm_default_msg_id": 1}, Status.ESME_RINVDFTMSGID, "no predefined messages"),
    "replace_if_present_flag": ({"replace_if_present_flag": 1}, Status.ESME_RINVREPFLAG, "not replaced"),
    "registered_delivery 3": ({"registered_delivery": 3}, Status.ESME_RINVREGDLVFLG, "a receipt of no kind"),
    "transaction mode": ({"esm_class": 0x02}, Status.ESME_RINVESMCLASS, "0x02 is not served"),
    "a delivery acknowledgement": ({"esm_class": 0x08}, Status.ESME_RINVESMCLASS, "0x08 is not served"),
    "a header announced and none there": (
        {"esm_class": 0x40, "short_message": b""},
        Status.ESME_RINVESMCLASS,
        "the message empty|message is empty",
    ),
    "a header longer than the message": (
        {"esm_class": 0x40, "short_message": b"\x05\x00\x03"},
        Status.ESME_RINVESMCLASS,
        "6 octets, the whole message 3",
    ),
    "a header that ends within an element": (
        {"esm_class": 0x40, "short_message": b"\x02\x00\x03x"},
        Status.ESME_RINVESMCLASS,
        "ends within its element 1",
    ),
    "a data_coding that is not served": ({"data_coding": 0x05}, Status.ESME_RSUBMITFAIL, "0x05 is not served"),
    "no GSM text": ({"short_message": b"\xff"}, Status.ESME_RSUBMITFAIL, "0xff is none of the GSM"),
    "no UCS-2 text": ({"short_message": b"x", "data_coding": 8}, Status.ESME_RSUBMITFAIL, "there are 1"),
    "a part too long": (
        {"esm_class": 0x40, "short_message": HEADER + b"x" * 154},
        Status.ESME_RINVMSGLEN,
        "holds 153 characters",
    ),
    "a sar_ part too long": ({"short_message": b"x" * 154, "tlvs": sar()}, Status.ESME_RINVMSGLEN, "holds 153"),
    "short_message and message_payload": (
        {"tlvs": tlvs(message_payload=b"x")},
        Status.ESME_ROPTPARNOTALLWD,
        "not in both",
    ),
    "sar_total_segments missing": (
        {"tlvs": tlvs(sar_msg_ref_num=b"\x00\x01", sar_segment_seqnum=b"\x01")},
        Status.ESME_RMISSINGOPTPARAM,
        "sar_total_segments: The other",
    ),
    "sar_segment_seqnum over the total": ({"tlvs": sar(part=b"\x03")}, Status.ESME_RINVOPTPARAMVAL, "3 of 2"),
    "sar_segment_seqnum 0": ({"tlvs": sar(part=b"\x00")}, Status.ESME_RINVOPTPARAMVAL, "0 of 2"),
    "sar_total_segments 0": ({"tlvs": sar(total=b"\x00")}, Status.ESME_RINVOPTPARAMVAL, "1 of 0"),
    "sar_msg_ref_num of one octet": ({"tlvs": sar(number=b"\x01")}, Status.ESME_RINVOPTPARAMVAL, "1 octets"),
    "user_message_reference of three octets": (
        {"tlvs": tlvs(user_message_reference=b"\x01\x02\x03")},
        Status.ESME_RINVPARLEN,
        "3 octets instead of 2",
    ),
    "schedule_delivery_time that is none": (
        {"schedule_delivery_time": "tomorrow"},
        Status.ESME_RINVSCHED,
        "has 16 characters",
    ),
    "validity_period that is none": ({"validity_period": "271399"}, Status.ESME_RINVEXPIRY, "has 16 characters"),
}


@pytest.mark.parametrize(("fields", "status", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(fields: dict[str, Any], status: Status, says: str) -> None:
    with pytest.raises(Refusal, match=says) as caught:
        read(**fields)
    refusal = caught.value
    assert refusal.detail.startswith(f"{refusal.parameter}: ")
    assert of_request(refusal.code, refusal.parameter) is status


SHOWN = {
    "text": ({}, "Hi"),
    "a part's text": ({"esm_class": 0x40, "short_message": HEADER + b"Hi"}, "Hi"),
    "message_payload": ({"short_message": b"", "tlvs": tlvs(message_payload=b"Yo")}, "Yo"),
    "octets that are no text": ({"short_message": b"\xff\xfe"}, "fffe"),
    "an unknown coding": ({"short_message": b"Hi", "data_coding": 0xC8}, "4869"),
    "a broken header": ({"esm_class": 0x40, "short_message": b"\x09ab"}, "096162"),
}


@pytest.mark.parametrize(("fields", "text"), SHOWN.values(), ids=SHOWN.keys())
def test_what_a_refused_message_says_for_the_log(fields: dict[str, Any], text: str) -> None:
    pdu = SubmitSm(**{"short_message": b"Hi", **fields})
    assert text_of(pdu, Alphabet.GSM) == text


def test_a_header_made_of_sar_tlvs_says_the_same() -> None:
    header = read(tlvs=sar(b"\x12\x34", b"\x03", b"\x02")).udh
    assert header is not None
    assert udh.concatenation(header) == udh.Concatenation(0x34, 3, 2)


def test_every_code_has_a_status_of_its_own_or_the_unknown_error() -> None:
    assert {code: of_request(code, "") for code in REQUESTS} == dict(REQUESTS)
    # These are of calls with a class, a method or a template, which no PDU has.
    others = {code for code in Code if code not in REQUESTS}
    assert {code.value for code in others} == {
        "MISSING_USER",
        "MISSING_PASSWORD",
        "MISSING_CLASS",
        "MISSING_METHOD",
        "INCORRECT_CLASS",
        "INCORRECT_TYPE",
        "MISSING_MAIN_FIELD",
        "NOT_ACCESS_TO_TEMPLATE",
        "NOT_ACCESS_TO_GROUP",
    }
    assert {of_request(code, "") for code in others} == {Status.ESME_RUNKNOWNERR}


@pytest.mark.parametrize("code", [Code.INCORRECT_PARAM, Code.MISSING_COMPULSORY_PARAM, Code.NO_ROUTE_AVAILABLE])
def test_whatever_is_wrong_with_a_destination_is_its_status(code: Code) -> None:
    assert of_request(code, "destination_addr") is Status.ESME_RINVDSTADR


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_a_parameter_that_cannot_be_used_has_its_status(parameter: str) -> None:
    assert of_request(Code.INCORRECT_PARAM, parameter) is PARAMETERS[parameter]
