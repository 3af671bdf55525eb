"""A send is answered only after its row is written to the database's log and that is synced, by system calls."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import strace
from tests.support.gateway import Gateway, children, gateway
from tests.support.postgresql import Server
from tests.support.strace import Call
from tests.support.wait import until

READS = ("recvfrom", "recvmsg", "read")
WRITES = ("pwrite64", "pwritev", "write", "writev")
SYNCS = ("fdatasync", "fsync")
REPLIES = ("sendto", "sendmsg")

LONGEST = 1_048_576  # bytes of a write that are looked at

WORKERS = 2
ALONE = 5
TOGETHER = 24


def test_synced_before_reply(dialect: str, database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    output = tmp_path / "trace"
    with gateway(
        tmp_path / "data", TRUNKLINE_DATABASE_URL=database_url, TRUNKLINE_WEB_WORKERS=str(WORKERS)
    ) as running:
        web = running.roles()["web"]
        until(lambda: len(children(web)) == WORKERS, what="the web server's workers")
        roots = [web]
        log = "trunkline.db-wal>"
        if dialect == "postgresql":
            server: Server = request.getfixturevalue("postgresql")
            roots.append(server.pid)
            log = "/pg_wal/"
        # -y: the file of each descriptor.
        options = "-y", "-s", str(LONGEST)
        with strace.tracing(roots, READS + WRITES + SYNCS + REPLIES, *options, output=str(output)):
            sent = [_send(running, f"alone{n}x") for n in range(ALONE)]
            with ThreadPoolExecutor(TOGETHER) as pool:
                sent += pool.map(lambda n: _send(running, f"together{n}x"), range(TOGETHER))
    calls = strace.calls(output.read_text())
    assert len({message_id for _, message_id in sent}) == ALONE + TOGETHER
    for word, message_id in sent:
        check(calls, word, message_id, log)


def _send(running: Gateway, word: str) -> tuple[str, str]:
    """Send a text that only this message has; the word in it and the message's id."""
    # Three times: PostgreSQL puts a header between the pages of its log, wherever they are full.
    reply = running.call("sms", "sendsms", from_="Trace", to="34600000001", sms=f"{word} {word} {word}")
    assert reply["status"] == "SUCCESS", reply
    return word, reply["result"]["messageid"]


def check(calls: Sequence[Call], word: str, message_id: str, log: str) -> None:
    """Between the request with `word` and the reply with the id, `log` has the row and was synced, in this order."""
    asked = next((c for c in calls if c.name in READS and word in c.arguments and "HTTP/1.1" in c.arguments), None)
    assert asked is not None, f"no request with {word}"
    replied = next(
        (c for c in calls if c.name in REPLIES and message_id in c.arguments and "HTTP/1.1 200" in c.arguments), None
    )
    assert replied is not None, f"no reply with {message_id}"
    written = [
        c
        for c in calls
        if c.name in WRITES
        and log in c.arguments
        and word in c.arguments
        and asked.ended < c.began
        and c.ended < replied.began
    ]
    assert written, f"{word}: not in the database's log between request and reply"
    synced = [
        c
        for c in calls
        if c.name in SYNCS
        and log in c.arguments
        and c.result == "0"
        and written[0].ended < c.began
        and c.ended < replied.began
    ]
    assert synced, f"{word}: the database's log is not synced between its writing and the reply"


REQUEST = '7 recvfrom(9<socket:[1]>, "GET /?sms=word HTTP/1.1", 8192) = 23'
WRITE = '8 pwrite64(5</d/trunkline.db-wal>, "..word..", 4096, 24) = 4096'
SYNC = "8 fdatasync(5</d/trunkline.db-wal>) = 0"
OTHER_SYNC = "8 fdatasync(4</d/trunkline.db>) = 0"
FAILED_SYNC = "8 fdatasync(5</d/trunkline.db-wal>) = -1 EIO (Input/output error)"
SYNC_BEGINS = "8 fdatasync(5</d/trunkline.db-wal> <unfinished ...>"
SYNC_ENDS = "8 <... fdatasync resumed>) = 0"
REPLY = r'7 sendto(9<socket:[1]>, "HTTP/1.1 200 OK\r\n\r\n{\"messageid\":\"41\"}", 40, 0, NULL, 0) = 40'


@pytest.mark.parametrize(
    "trace",
    [
        pytest.param([REQUEST, WRITE, SYNC, REPLY], id="in one piece"),
        pytest.param([REQUEST, WRITE, SYNC_BEGINS, REQUEST, SYNC_ENDS, REPLY], id="other calls during the sync"),
    ],
)
def test_the_check_accepts(trace: list[str]) -> None:
    check(strace.calls("\n".join(trace)), "word", "41", "trunkline.db-wal>")


@pytest.mark.parametrize(
    ("trace", "problem"),
    [
        pytest.param([REQUEST, WRITE, REPLY], "not synced", id="no sync"),
        pytest.param([REQUEST, WRITE, REPLY, SYNC], "not synced", id="synced after the reply"),
        pytest.param([REQUEST, SYNC, WRITE, REPLY], "not synced", id="synced before the write"),
        pytest.param([REQUEST, WRITE, SYNC_BEGINS, REPLY, SYNC_ENDS], "not synced", id="reply during the sync"),
        pytest.param([REQUEST, WRITE, OTHER_SYNC, REPLY], "not synced", id="another file synced"),
        pytest.param([REQUEST, WRITE, FAILED_SYNC, REPLY], "not synced", id="the sync failed"),
        pytest.param([REQUEST, SYNC, REPLY, WRITE], "not in the database's log", id="written after the reply"),
        pytest.param([WRITE, SYNC, REPLY], "no request", id="no request"),
        pytest.param([REQUEST, WRITE, SYNC], "no reply", id="no reply"),
    ],
)
def test_the_check_refuses(trace: list[str], problem: str) -> None:
    with pytest.raises(AssertionError, match=problem):
        check(strace.calls("\n".join(trace)), "word", "41", "trunkline.db-wal>")
