"""What a request keeps of its PDU while it waits."""

from types import SimpleNamespace
from typing import Any

import pytest

from gateway.frontends.smpp.requests import Request
from gateway.smpp.constants import Tag
from gateway.smpp.pdu import SubmitSm

PAYLOAD = b"x" * 1000
READ = {
    Tag.MESSAGE_PAYLOAD: PAYLOAD,
    Tag.SAR_MSG_REF_NUM: b"\0\1",
    Tag.SAR_TOTAL_SEGMENTS: b"\2",
    Tag.SAR_SEGMENT_SEQNUM: b"\1",
    Tag.USER_MESSAGE_REFERENCE: b"\0\7",
}

TLVS: dict[str, tuple[dict[int, bytes], dict[int, bytes]]] = {
    "none": ({}, {}),
    "few and short": ({0x1400: b"a", Tag.SAR_MSG_REF_NUM: b"\0\1"}, {0x1400: b"a", Tag.SAR_MSG_REF_NUM: b"\0\1"}),
    "one that nobody reads": ({0x1400: b"y" * 65_000}, {0x1400: b"y" * 64}),
    "thousands": (
        dict.fromkeys(range(0x1400, 0x3FFF), b"") | READ,
        dict.fromkeys(range(0x1400, 0x1400 + 20), b"") | READ,
    ),
    "one of ours that is too long": (
        {Tag.USER_MESSAGE_REFERENCE: b"z" * 100},
        {Tag.USER_MESSAGE_REFERENCE: b"z" * 100},
    ),
}


@pytest.mark.parametrize(("tlvs", "kept"), TLVS.values(), ids=TLVS)
def test_of_tlvs_only_what_is_read_and_what_is_logged(tlvs: dict[int, bytes], kept: dict[int, bytes]) -> None:
    bound: Any = SimpleNamespace(access=None)
    pdu = SubmitSm(tlvs=tlvs)
    assert Request(bound, pdu, 0).pdu.tlvs == kept
