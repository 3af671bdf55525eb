"""The rate-paced client: reading answers, making requests, offering at a rate."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import paced

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\ncontent-length: 20\r\n\r\n{"status":"SUCCESS"}'
REFUSAL = b'HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n{"status":"ERROR"}'


@pytest.mark.parametrize("cut", range(len(ANSWER)))
def test_part_of_an_answer_is_not_taken_for_all(cut: int) -> None:
    assert paced.complete_body(ANSWER[:cut]) is None


def test_whole_answer() -> None:
    assert paced.complete_body(ANSWER) == b'{"status":"SUCCESS"}'


def test_answer_without_length_is_an_error() -> None:
    with pytest.raises(ValueError, match="Content-Length"):
        paced.complete_body(b"HTTP/1.1 200 OK\r\n\r\nx")


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        pytest.param([], 0.99, 0.0, id="none"),
        pytest.param([5.0], 0.5, 5.0, id="one"),
        pytest.param([1.0, 2.0, 3.0, 4.0], 0.5, 2.0, id="median of four"),
        pytest.param([float(n) for n in range(1, 101)], 0.99, 99.0, id="99th of a hundred"),
        pytest.param([1.0, 2.0], 1.0, 2.0, id="highest"),
    ],
)
def test_percentile(values: list[float], share: float, expected: float) -> None:
    assert paced.percentile(values, share) == expected


@given(st.integers(0, 5_000_000), st.integers(1, 300))
def test_destinations_are_unique_and_mean_nothing_to_the_simulator(first: int, count: int) -> None:
    requests = paced.requests_for(["/a?to=346%d%07d", "/b?to=346%d%07d"], "h", count, first)
    destinations = [request.split(b"to=")[1].split(b" ")[0] for request in requests]
    assert len(set(destinations)) == count
    assert all(len(destination) == 11 for destination in destinations)
    assert not any(1 <= int(destination[-4:]) <= 9 for destination in destinations)
    assert requests[0].startswith(b"GET /a?to=3469")
    assert requests[0].endswith(b"\r\n\r\n")


def test_offer_counts_what_was_answered_and_refused() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            while await reader.readline() != b"\r\n":
                pass
            writer.write(REFUSAL if b"refuse" in line else ANSWER)
        writer.close()

    async def run() -> paced.Outcome:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        head = b" HTTP/1.1\r\nHost: h\r\n\r\n"
        requests = [b"GET /refuse" + head, *[b"GET /send" + head] * 99]
        async with server:
            return await paced.offer("127.0.0.1", port, requests, 2000)

    outcome = asyncio.run(run())
    assert (outcome.offered, outcome.succeeded, outcome.refused, outcome.unanswered) == (100, 99, 1, 0)
    assert outcome.first_refusal == '{"status":"ERROR"}'
    assert outcome.seconds >= 99 / 2000
    assert 0 < outcome.p50 <= outcome.p99 <= outcome.longest
