"""The log of a process: one line an event, whatever is in it."""

import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import sys
from gateway import logs
from gateway.hosting.observer import Observer
from gateway.operations import user
from gateway.operations.catalogue import CATALOGUE
from gateway.operations.errors import Code
from gateway.pipeline.call import Call, Reply
logs.start("web", sys.argv[2], sys.argv[1])
call = Call("http", "192.0.2.1\\nforged", "login", "the-secret", "sms", "x", {"sms": "the-text"}, "id\\x9b\\u2028", 0)
Observer().call(call, Reply(error=Code.NO_CREDITS, detail="the-detail"), CATALOGUE["user", "getbalance"])
logs.info("an event", text="a\\nb", long="x" * 1000, lone="\\udcff", thing=call, nothing=None)
try:
    raise ValueError("the-secret")
except ValueError as error:
    logs.failure("it failed", error, request_id="r1")
import logging
logging.getLogger("library").warning("it warns: %s", "the-secret")
logging.getLogger("library").info("it chats")
logs.debug("looked for")
"""


def logged(form: str, level: str = "info") -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, form, level], capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    assert done.stdout == ""
    for secret in ("the-secret", "the-text"):
        assert secret not in done.stderr
    return done.stderr.splitlines()


def test_json() -> None:
    lines = [json.loads(line) for line in logged("json")]
    assert [line["event"] for line in lines] == ["call", "an event", "it failed", "it warns: %s"]
    call, event, failure, warning = lines
    assert call["duration_us"] > 0
    assert {name: call[name] for name in ("protocol", "operation", "outcome", "source_ip", "role")} == {
        "protocol": "http",
        "operation": "user.getbalance",
        "outcome": "NO_CREDITS",
        "source_ip": "192.0.2.1\nforged",
        "role": "web",
    }
    assert (event["text"], len(event["long"]), event["lone"], event["thing"]) == ("a\nb", 300, "\ufffd", "Call")
    assert (failure["exception"], failure["at"], failure["request_id"]) == (
        "ValueError",
        ["<string>:14 <module>"],
        "r1",
    )
    assert (warning["level"], warning["logger"]) == ("warning", "library")


def test_console_has_one_line_an_event() -> None:
    call, event, failure, warning = logged("console")
    assert 'source_ip="192.0.2.1\\nforged"' in call
    assert "request_id=id\ufffd\ufffd" in call
    assert 'text="a\\nb"' in event
    assert "nothing" not in event
    assert "it failed exception=ValueError" in failure
    assert "it warns: %s" in warning


@pytest.mark.parametrize(("level", "count"), [("debug", 5), ("info", 4), ("warning", 2), ("error", 1)])
def test_level(level: str, count: int) -> None:
    assert len(logged("json", level)) == count
