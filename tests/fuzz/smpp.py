"""Throw damaged PDUs and random octets at the SMPP core, for as long as wished.

Run as `python -m tests.fuzz.smpp --seconds 600 [--seed N]`. Each input is fed to a Framer and the codec, to all that
reads what a PDU holds, and to sessions of both roles; whatever is raised but what they promise to raise ends the
run with the input in hex and exit code 1. Inputs that bring out a new behaviour (a kind of PDU, a status with its
reason) join those that are damaged further.
"""

import argparse
import random
import re
import sys
import time
from dataclasses import dataclass, field
from unittest.mock import patch

from gateway.smpp import codec, receipts, times, udh
from gateway.smpp.codec import DecodeError, decode, encode
from gateway.smpp.constants import ESM_TYPE_DELIVERY_RECEIPT, ESM_UDHI, CommandStatus, MessageState, Tag
from gateway.smpp.events import Request
from gateway.smpp.framing import Framer, FramingError
from gateway.smpp.pdu import (
    PDUS,
    RESPONSES,
    BindTransceiver,
    BindTransceiverResp,
    DataSm,
    DeliverSm,
    DistributionList,
    Pdu,
    ShortMessage,
    SmeAddress,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    UnsuccessSme,
    response_of,
)
from gateway.smpp.receipts import DeliveryReceipt
from gateway.smpp.session import Session
from gateway.smpp.states import Role
from gateway.smpp.udh import Concatenation

# Most inputs that are kept to be damaged further: beyond it they replace others.
_KEPT = 2_000
# The longest input: several PDUs, or one with a big message_payload.
_LONGEST = 80_000
_NOW = 1_800_000_000_000_000
_INTERESTING = [
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\x01",
    b"\xfe",
    b"\0\0\0\x10",
    b"\xff\xff\xff\xff",
    b"\x00\x01\x11\x70",
]
_NUMBERS = re.compile(r"\d+|0x[0-9A-F]+")


class Broken(Exception):
    """A promise that was not kept: which, and the input."""

    def __init__(self, octets: bytes, promise: str) -> None:
        super().__init__(f"{promise}\ninput: {octets.hex()}")


@dataclass
class Fuzzer:
    """What was thrown so far, and what came of it."""

    seed: int
    inputs: int = 0
    frames: int = 0
    pdus: int = 0
    behaviours: set[str] = field(default_factory=set)
    corpus: list[bytes] = field(default_factory=lambda: [encode(pdu) for pdu in examples()])

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def run(self, seconds: float) -> None:
        """Throw inputs for so long. Raises Broken."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.throw()

    def throw(self) -> None:
        """Make one input and throw it at everything. Raises Broken."""
        octets = self._input()
        self.inputs += 1
        known = len(self.behaviours)
        try:
            self._check_stream(octets)
            _check_sessions(octets, self.random)
        except Broken:
            raise
        except Exception as error:
            raise Broken(octets, f"nothing else is raised, but here {error!r} was") from error
        if len(self.behaviours) > known:
            self._keep(octets)

    def _keep(self, octets: bytes) -> None:
        if len(self.corpus) < _KEPT:
            self.corpus.append(octets)
        else:
            self.corpus[self.random.randrange(_KEPT)] = octets

    def _input(self) -> bytes:
        rng = self.random
        kind = rng.random()
        if kind < 0.05:
            return rng.randbytes(rng.randrange(64))
        if kind < 0.2:
            body = rng.randbytes(rng.randrange(120))
            if rng.random() < 0.5:
                body = body.translate(_MANY_NULS)
            return _framed(rng.choice(list(PDUS)), body)
        octets = bytearray(rng.choice(self.corpus))
        for _ in range(rng.choice((1, 1, 2, 4, 8))):
            self._damage(octets)
        # Most with a length that fits, or little but the framing is ever tried.
        if rng.random() < 0.8 and len(octets) >= 16:
            octets[:4] = len(octets).to_bytes(4, "big")
        if rng.random() < 0.2:
            octets += rng.choice(self.corpus)
        return bytes(octets[:_LONGEST])

    def _damage(self, octets: bytearray) -> None:
        rng = self.random
        # Seldom the header: an unknown command_id hides the rest.
        at = rng.randrange(16 if len(octets) >= 16 and rng.random() < 0.95 else 0, len(octets) + 1)
        end = min(len(octets), at + rng.choice((1, 1, 2, 4, 16)))
        what = rng.randrange(7)
        if what == 0 and at < len(octets):
            octets[at] ^= 1 << rng.randrange(8)
        elif what == 1:
            octets[at:end] = rng.choice(_INTERESTING)
        elif what == 2:
            octets[at:at] = rng.choice(
                (rng.choice(_INTERESTING), rng.randbytes(rng.randrange(8)), b"1" * 70, b"\0" * 8)
            )
        elif what == 3:
            del octets[at:end]
        elif what == 4:
            del octets[at:]
        elif what == 5:
            octets[at:at] = octets[at:end]
        else:
            other = rng.choice(self.corpus)
            octets[at:] = other[rng.randrange(len(other) + 1) :]

    def _check_stream(self, octets: bytes) -> None:
        framer = Framer()
        frames: list[bytes] = []
        try:
            for piece in _pieces(octets, self.random):
                frames += framer.feed(piece)
        except FramingError as error:
            frames += error.frames
            self._saw(f"framing {error.reason}")
        if not octets.startswith(b"".join(frames)):
            raise Broken(octets, "the frames are not the stream's beginning")
        for frame in frames:
            self.frames += 1
            self._check_frame(frame)

    def _check_frame(self, frame: bytes) -> None:
        found = _outcome(frame)
        with patch.dict(codec._QUICK_DECODERS, clear=True):
            if _outcome(frame) != found:
                raise Broken(frame, "quick and slow decoders agree")
        if isinstance(found, DecodeFailed):
            kind = PDUS.get(found.command_id)
            self._saw(f"{kind and kind.__name__} {CommandStatus(found.command_status).name} {found.reason}")
            return
        self.pdus += 1
        again = encode(found)
        with patch.dict(codec._QUICK_ENCODERS, clear=True):
            if encode(found) != again:
                raise Broken(frame, "quick and slow encoders agree")
        if decode(again) != found:
            raise Broken(frame, "what is read can be written and read again")
        tags = " ".join(tag.name for tag in Tag if tag in found.tlvs)
        self._saw(f"{type(found).__name__} {tags} {_contents(found)}")

    def _saw(self, behaviour: str) -> None:
        self.behaviours.add(_NUMBERS.sub("#", behaviour))


@dataclass(frozen=True)
class DecodeFailed:
    """A DecodeError as a value that compares."""

    command_status: int
    command_id: int
    sequence_number: int
    reason: str


def examples() -> list[Pdu]:
    """One PDU of every kind, and some that hold more."""
    receipt = receipts.format(DeliveryReceipt("77", MessageState.DELIVERED, "000", _NOW, _NOW, "hello"))
    part = udh.make(Concatenation(9, 3, 1)) + b"hello"
    return [
        *(kind() for kind in PDUS.values()),
        BindTransceiver("user@example.com", "secret", "type"),
        SubmitSm("CMT", 5, 0, "Trunkline", 1, 1, "34600123456", ESM_UDHI, short_message=part),
        SubmitSm(
            schedule_delivery_time="260201120000000+",
            validity_period="000002000000000R",
            short_message=b"hello",
            tlvs={Tag.SAR_MSG_REF_NUM: b"\0\x09", Tag.SAR_TOTAL_SEGMENTS: b"\3", Tag.SAR_SEGMENT_SEQNUM: b"\1"},
        ),
        SubmitMulti(
            dest_addresses=[SmeAddress(1, 1, "34600123456"), DistributionList("friends")], short_message=b"a"
        ),
        SubmitMultiResp("7", [UnsuccessSme(1, 1, "34600123456", 11)]),
        DeliverSm("", 1, 1, "34600123456", esm_class=ESM_TYPE_DELIVERY_RECEIPT, short_message=receipt),
        DeliverSm(short_message=receipt, tlvs={Tag.RECEIPTED_MESSAGE_ID: b"4d\0", Tag.MESSAGE_STATE: b"\2"}),
        DataSm(tlvs={Tag.MESSAGE_PAYLOAD: receipt * 3}),
    ]


def _contents(pdu: Pdu) -> str:
    """Read all that a PDU holds; say what it was."""
    seen = []
    for name in ("schedule_delivery_time", "validity_period", "final_date"):
        try:
            seen.append("time" if times.parse(getattr(pdu, name, ""), _NOW) is not None else "")
        except ValueError:
            seen.append("no time")
    if isinstance(pdu, ShortMessage):
        try:
            header, _ = udh.split_udh(pdu.short_message)
            seen.append(f"{len(udh.parse(header))} elements, part: {udh.concatenation(header) is not None}")
        except ValueError:
            seen.append("no header")
    if isinstance(pdu, DeliverSm | DataSm):
        is_receipt = receipts.is_receipt(pdu)
        message = pdu.short_message if isinstance(pdu, DeliverSm) else b""
        receipt = receipts.parse(message, pdu.tlvs)
        seen.append(f"receipt: {is_receipt} {receipt and receipt.state}")
        if receipt is not None:
            receipts.format(receipt)
    return ", ".join(seen)


def _check_sessions(octets: bytes, rng: random.Random) -> None:
    for role in Role:
        for bound in (False, True):
            session = _session(role, bound)
            for piece in _pieces(octets, rng):
                for event in session.receive(piece, 1.0):
                    if isinstance(event, Request) and type(event.pdu) in RESPONSES:
                        session.respond(response_of(event.pdu))
            Framer().feed(session.data_to_send())
            session.tick(100.0)
            session.closed()


def _session(role: Role, bound: bool) -> Session:
    session = Session(role, now=0.0)
    if not bound:
        return session
    if role is Role.ESME:
        session.request(BindTransceiver("u", "p"), 0.0)
        session.receive(encode(BindTransceiverResp("s", sequence_number=1)), 0.0)
        session.request(SubmitSm(short_message=b"x"), 0.0)
    else:
        session.receive(encode(BindTransceiver("u", "p", sequence_number=1)), 0.0)
        session.respond(BindTransceiverResp("s", sequence_number=1))
        session.request(DeliverSm(short_message=b"x"), 0.0)
    if not session.state.bound:
        raise RuntimeError("the session is not bound")
    return session


def _outcome(frame: bytes) -> Pdu | DecodeFailed:
    try:
        return decode(frame)
    except DecodeError as error:
        return DecodeFailed(error.command_status, error.command_id, error.sequence_number, error.reason)


def _pieces(octets: bytes, rng: random.Random) -> list[bytes]:
    cuts = sorted(rng.randrange(len(octets) + 1) for _ in range(rng.choice((0, 0, 1, 3))))
    return [octets[start:end] for start, end in zip([0, *cuts], [*cuts, len(octets)], strict=True)]


def _framed(command_id: int, body: bytes) -> bytes:
    return b"".join(number.to_bytes(4, "big") for number in (16 + len(body), command_id, 0, 7)) + body


# Half of the octets become NUL, so that random bodies get past their strings.
_MANY_NULS = bytes(octet if octet < 0x80 else 0 for octet in range(256))


def main(arguments: list[str]) -> int:
    """Run; print what was thrown and what came of it; give the exit code."""
    parser = argparse.ArgumentParser(description="Throw damaged PDUs at the SMPP core.")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = parser.parse_args(arguments)
    fuzzer = Fuzzer(options.seed)
    try:
        fuzzer.run(options.seconds)
    except Broken as broken:
        print(f"seed {options.seed}, input {fuzzer.inputs}: {broken}")  # noqa: T201
        return 1
    print(  # noqa: T201
        f"seed {options.seed}: {fuzzer.inputs} inputs, {fuzzer.frames} frames, {fuzzer.pdus} PDUs,"
        f" {len(fuzzer.behaviours)} behaviours, nothing broken"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
