"""The benchmark's own SMPP: what it packs by hand, held against the gateway's codec; and what it reads of a peer."""

from datetime import UTC, datetime

import pytest

from bench import doors, jasmin, smpp_wire
from bench.smpp import Submits
from gateway.smpp import receipts, times
from gateway.smpp.codec import decode, encode
from gateway.smpp.constants import MessageState
from gateway.smpp.pdu import BindTransceiver, DeliverSm, SubmitSm, SubmitSmResp


def test_bind() -> None:
    pdu = decode(smpp_wire.frame(smpp_wire.BIND_TRANSCEIVER, 7, smpp_wire.bind_transceiver("ana", "secret")))
    assert isinstance(pdu, BindTransceiver)
    assert (pdu.system_id, pdu.password, pdu.interface_version, pdu.sequence_number) == ("ana", "secret", 0x34, 7)


@pytest.mark.parametrize("due", ["", "260102030405000+"], ids=["at once", "later"])
def test_submit(due: str) -> None:
    before, after = smpp_wire.submit_parts("Hello", due)
    pdu = decode(smpp_wire.frame(smpp_wire.SUBMIT_SM, 8, before + b"34600000010" + after))
    assert isinstance(pdu, SubmitSm)
    assert (pdu.source_addr, pdu.source_addr_ton, pdu.source_addr_npi) == ("Bench", 5, 0)
    assert (pdu.destination_addr, pdu.dest_addr_ton, pdu.dest_addr_npi) == ("34600000010", 1, 1)
    assert (pdu.short_message, pdu.registered_delivery, pdu.data_coding) == (b"Hello", 0, 0)
    assert pdu.schedule_delivery_time == due
    expected = int(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()) * 1_000_000 if due else None
    assert times.parse(due, 1_767_300_000_000_000) == expected


def test_a_receipt_of_what_was_submitted() -> None:
    """The SMSC reads what the gateway writes, and the gateway what the SMSC does."""
    sent = encode(SubmitSm(source_addr_ton=5, source_addr="Shop", destination_addr="34600000010", short_message=b"x"))
    source, destination = smpp_wire.addresses(sent[16:])
    body = smpp_wire.receipt(source, destination, b"12345")
    pdu = decode(smpp_wire.frame(smpp_wire.DELIVER_SM, 9, body))
    assert isinstance(pdu, DeliverSm)
    assert (pdu.source_addr, pdu.destination_addr, pdu.esm_class) == ("34600000010", "Shop", 4)
    found = receipts.parse(pdu.short_message, pdu.tlvs)
    assert found is not None
    assert (found.id, found.state) == ("12345", MessageState.DELIVERED)


@pytest.mark.parametrize("size", [1, 5, 16, 17, 1000])
def test_frames_however_they_arrive(size: int) -> None:
    data = b"".join(encode(SubmitSmResp(message_id="1" * n, sequence_number=n)) for n in range(1, 20))
    frames = smpp_wire.Frames()
    found = [one for at in range(0, len(data), size) for one in frames.feed(data[at : at + size])]
    expected = [(smpp_wire.SUBMIT_SM | smpp_wire.RESPONSE, 0, n, b"1" * n + b"\0") for n in range(1, 20)]
    assert found == expected


def test_a_length_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="15 bytes"):
        list(smpp_wire.Frames().feed(smpp_wire.HEADER.pack(15, 1, 0, 1)))


METRICS = """\
# TYPE smppc_submit_sm_request_count counter
smppc_submit_sm_request_count{cid="a"} 12.0
smppc_submit_sm_request_count{cid="b"} 30
smppc_submit_sm_count{cid="a"} 7
"""


def test_jasmins_counter() -> None:
    assert jasmin.parse_submitted(METRICS) == 42
    with pytest.raises(jasmin.JasminFailed):
        jasmin.parse_submitted("nothing")


def test_what_jasmin_lacks_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(jasmin, "HOME", jasmin.HOME / "nowhere")
    found, absent = jasmin.found()
    assert found is None
    assert "jasmin" in absent
    assert "redis-server" in absent
    assert "pip install jasmin" in absent


def test_cost_is_of_accepted_messages() -> None:
    assert Submits(rate=1, p50=1, p99=1, cpu=2.0, accepted=1000, doubts=[]).cost == 2.0


def test_doors_take_turns_in_another_order_each_time() -> None:
    orders = [doors.order(list(doors.DOORS), turn) for turn in range(3)]
    assert all(sorted(order) == sorted(doors.DOORS) for order in orders)
    assert orders[1] == orders[0][::-1]
    assert len({order[0] for order in orders}) == 3


def test_calls_of_every_door_hold_the_credentials_and_a_place_for_the_number() -> None:
    accesses = [("user%", "p<&")]
    (basic,) = doors.basic(None, accesses)  # type: ignore[arg-type]
    assert basic.headers["Authorization"] == "Basic dXNlciU6cDwm"
    (soap,) = doors.soap(None, accesses)  # type: ignore[arg-type]
    assert soap.body is not None
    assert "<user>user%</user><password>p&lt;&amp;</password>" in soap.body % (1, 2)
    assert "<to>34610000002</to>" in soap.body % (1, 2)
    assert "to=34610000002&" in basic.path % (1, 2)
