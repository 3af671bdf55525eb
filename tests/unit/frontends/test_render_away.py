"""Lists that cannot be read, because the database went away after the send was committed."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from gateway.frontends import render
from gateway.frontends.render import Head
from gateway.operations.context import Rows
from gateway.pipeline.call import Reply
from gateway.storage.errors import Unavailable

ROW = {"messageid": "95", "destination": "34600000001"}


def answer(pages: Any, output: str, **options: Head) -> tuple[list[str], Iterator[bytes]]:
    started: list[str] = []
    reply = Reply({"count": 1, "destinations": Rows(pages, 7)})
    body = render.respond(lambda status, _headers: started.append(status), reply, output, "r", **options)
    return started, iter(body)


def away() -> Iterator[Sequence[dict[str, Any]]]:
    raise Unavailable("The database is away.")
    yield []


def away_later() -> Iterator[Sequence[dict[str, Any]]]:
    for _ in range(5):
        yield [ROW] * 1000
    raise Unavailable("The database is away.")


@pytest.mark.parametrize("output", ["json", "xml"])
@pytest.mark.parametrize("status", ["200 OK", "503 Service Unavailable"])
def test_before_anything_left_it_is_unavailable(output: str, status: str) -> None:
    started, body = answer(away, output, away=Head(status))
    assert started == [status]
    assert b"UNAVAILABLE" in b"".join(body)


@pytest.mark.parametrize("output", ["json", "xml"])
def test_later_the_reply_is_not_ended_as_if_it_were_whole(output: str) -> None:
    started, body = answer(away_later, output)
    assert started == ["200 OK"]
    assert ROW["messageid"].encode() in next(body)
    with pytest.raises(Unavailable):
        list(body)


@pytest.mark.parametrize("output", ["json", "xml"])
def test_a_list_that_can_be_read_is_whole(output: str) -> None:
    started, body = answer(lambda: iter([[ROW] * 1000] * 3), output, away=Head("503 Service Unavailable"))
    assert started == ["200 OK"]
    assert b"".join(body).count(b"34600000001") == 3000
