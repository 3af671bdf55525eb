"""From segments to submit_sm (SMPP 3.4, 4.4.1), as one carrier wants them."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from gateway import clock
from gateway.carriers.base import Outgoing
from gateway.carriers.smpp.addressing import Addressing, Rewriting
from gateway.carriers.smpp.options import SmppOptions
from gateway.messaging.text import decode_gsm
from gateway.smpp import times
from gateway.smpp.constants import ESM_UDHI, MAX_SHORT_MESSAGE, Tag
from gateway.smpp.pdu import SubmitSm

OCTETS = 140
"""What a segment holds on the air (3GPP TS 23.040, 9.2.3.24)."""

_UCS2 = 0x08
_CONCATENATION = b"\x05\x00\x03"
_NO_TLVS: dict[int, bytes] = {}


class Request(NamedTuple):
    """A submit_sm, and the segments that its answer answers: several only where a long text goes whole."""

    pdu: SubmitSm
    segments: Sequence[Outgoing]


class _Body(NamedTuple):
    octets: bytes
    data_coding: int


class Encoder:
    """Makes the PDUs of a carrier with these options."""

    def __init__(self, options: SmppOptions) -> None:
        self._addressing = Addressing(
            options.source_ton,
            options.source_npi,
            options.destination_ton,
            options.destination_npi,
            Rewriting(options.source_rewrite),
        )
        self._service_type = options.service_type
        self._registered_delivery = options.registered_delivery
        self._long = options.long
        self._text: Callable[[bytes], bytes] | None = _ALPHABETS[options.alphabet]
        self._validity = options.validity

    def requests(self, segments: Sequence[Outgoing], now: int) -> list[Request]:
        """The PDUs of segments of one message, in their order; `now` is in UTC microseconds.

        Raises `addressing.AddressError` for an address that no PDU can hold.
        """
        total = segments[0].total
        if total == 1:
            return [Request(self._single(segments[0], now), segments)]
        if self._long == "payload" and len(segments) == total:
            return [Request(self._whole(segments, now), segments)]
        part = self._sar_part if self._long == "sar" else self._udh_part
        return [Request(part(item, now), (item,)) for item in segments]

    def _single(self, item: Outgoing, now: int) -> SubmitSm:
        if not item.udh:
            return self._pdu(item, self._body(item, item.payload), now)
        if self._long == "sar" and not (item.esm_class or 0) & ESM_UDHI:
            # A part that its customer marked by sar_*, and which is kept as a header.
            tlvs = _sar_of(item.udh)
            if tlvs is not None:
                return self._pdu(item, self._body(item, item.payload, len(item.udh)), now, tlvs)
        return self._pdu(item, self._body(item, item.payload, len(item.udh)), now, header=item.udh)

    def _udh_part(self, item: Outgoing, now: int) -> SubmitSm:
        header = _CONCATENATION + bytes((item.reference & 0xFF, item.total, item.seq))
        return self._pdu(item, self._body(item, item.payload, len(header)), now, header=header)

    def _sar_part(self, item: Outgoing, now: int) -> SubmitSm:
        # The carrier makes a header of them, so that no more fits than beside a header.
        body = self._body(item, item.payload, len(_CONCATENATION) + 3)
        return self._pdu(item, body, now, _sar(item.reference, item.total, item.seq))

    def _whole(self, segments: Sequence[Outgoing], now: int) -> SubmitSm:
        whole = b"".join(item.payload for item in segments)
        body = self._body(segments[0], whole, room=len(whole) * 2)
        return self._pdu(segments[0], body._replace(octets=b""), now, {Tag.MESSAGE_PAYLOAD: body.octets})

    def _body(self, item: Outgoing, payload: bytes, header: int = 0, room: int = OCTETS) -> _Body:
        """The payload in the carrier's alphabet; beside a header of so many octets in this room, if it is UCS-2."""
        data_coding = item.data_coding
        if item.encoding != "GSM7":
            if data_coding is None:
                data_coding = _UCS2
            return _Body(payload, data_coding)
        data_coding = data_coding or 0
        if self._text is None:
            return _Body(payload, data_coding)
        try:
            return _Body(self._text(payload), data_coding)
        except UnicodeEncodeError:
            text = decode_gsm(payload)
        wide = text.encode("utf-16-be")
        if header + len(wide) <= room:
            # The class stays (3GPP TS 23.038, 4): in the general group, which has UCS-2.
            return _Body(wide, 0x18 | data_coding & 0x03 if data_coding else _UCS2)
        return _Body(text.encode("latin-1", "replace"), data_coding)

    def _pdu(
        self, item: Outgoing, body: _Body, now: int, tlvs: dict[int, bytes] = _NO_TLVS, header: bytes = b""
    ) -> SubmitSm:
        source = self._addressing.source(item.source, item.source_ton, item.source_npi)
        destination = self._addressing.destination(item.destination)
        octets = header + body.octets if header else body.octets
        esm_class = (item.esm_class or 0) & ~ESM_UDHI | (ESM_UDHI if header else 0)
        tlvs = dict(tlvs)
        if len(octets) > MAX_SHORT_MESSAGE:
            tlvs[Tag.MESSAGE_PAYLOAD], octets = octets, b""
        return SubmitSm(
            self._service_type,
            source.ton,
            source.npi,
            source.text,
            destination.ton,
            destination.npi,
            destination.text,
            esm_class,
            0,
            0,
            "",
            self._validity_period(item.expires_at, now),
            self._registered_delivery,
            0,
            body.data_coding,
            0,
            octets,
            tlvs=tlvs,
        )

    def _validity_period(self, expires_at: int, now: int) -> str:
        if self._validity == "absolute":
            return _absolute(expires_at // clock.SECOND)
        if self._validity == "relative":
            return relative(max(1, (expires_at - now) // clock.SECOND))
        return ""


def _latin1(septets: bytes) -> bytes:
    return decode_gsm(septets).encode("latin-1")


def _utf8(septets: bytes) -> bytes:
    return decode_gsm(septets).encode("utf-8")


_ALPHABETS: dict[str, Callable[[bytes], bytes] | None] = {"gsm": None, "latin1": _latin1, "utf8": _utf8}


def _sar(reference: int, total: int, seq: int) -> dict[int, bytes]:
    """The TLVs of a part (SMPP 3.4, 5.3.2.22 to 5.3.2.24)."""
    return {
        Tag.SAR_MSG_REF_NUM: reference.to_bytes(2, "big"),
        Tag.SAR_TOTAL_SEGMENTS: bytes((total,)),
        Tag.SAR_SEGMENT_SEQNUM: bytes((seq,)),
    }


def _sar_of(header: bytes) -> dict[int, bytes] | None:
    """The TLVs that say what a header of nothing but a concatenation says (3GPP TS 23.040, 9.2.3.24.1 and .8)."""
    if len(header) == 6 and header[:3] == _CONCATENATION:
        return _sar(header[3], header[4], header[5])
    if len(header) == 7 and header[:3] == b"\x06\x08\x04":
        return _sar(int.from_bytes(header[3:5], "big"), header[5], header[6])
    return None


@lru_cache(maxsize=1024)
def _absolute(seconds: int) -> str:
    return times.format(seconds * clock.SECOND)


@lru_cache(maxsize=1024)
def relative(seconds: int) -> str:
    """A time from now in the relative format (SMPP 3.4, 7.1.1.2), its months and years of 30 and 360 days."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    months, day = divmod(days, 30)
    year, month = divmod(months, 12)
    return f"{min(year, 99):02d}{month:02d}{day:02d}{hour:02d}{minute:02d}{second:02d}000R"
