"""What the web server answers beside the calls: health, metrics, the front page, and how it routes."""

import json

import pytest

from tests.support.gateway import Gateway
from tests.support.rawhttp import Response, ask
from tests.support.wait import settled, until


def get(gateway: Gateway, path: str, *fields: str, method: str = "GET", source: str = "127.0.0.1") -> Response:
    head = "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", *fields, "", ""])
    return ask(gateway.port, head.encode(), source, head=method == "HEAD")


def test_health(web: Gateway) -> None:
    answer = get(web, "/healthz")
    assert (answer.status, json.loads(answer.body)) == (200, {"status": "alive"})


def test_ready(web: Gateway) -> None:
    answer = get(web, "/readyz")
    assert (answer.status, json.loads(answer.body)) == (200, {"ready": True, "database": "ok", "dispatcher": "ok"})


def test_front_page_names_the_doors(web: Gateway) -> None:
    answer = get(web, "/")
    assert answer.status == 200
    assert b"/api/http/" in answer.body
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz"])
def test_head(web: Gateway, path: str) -> None:
    answer = get(web, path, method="HEAD")
    assert (answer.status, int(answer.headers["content-length"]) > 0) == (200, True)


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/http/more", "/api/httpx", "//api/http/", "/healthz/x", "/%2e%2e/", "/favicon.ico"]
)
def test_nothing_there(web: Gateway, path: str) -> None:
    assert get(web, path).status == 404


@pytest.mark.parametrize("path", ["/api/http", "/api/http/", "/%61pi/http/", "http://other.example/api/http/"])
def test_plain_http_is_there(web: Gateway, path: str) -> None:
    answer = get(web, path)
    assert answer.status == 200
    assert json.loads(answer.body)["error"] == "MISSING_USER"


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"])
def test_other_methods(web: Gateway, method: str) -> None:
    answer = get(web, "/api/http/", method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, POST")


def test_headers_of_a_reply(web: Gateway) -> None:
    answer = get(web, "/api/http/", "X-Request-Id: my-request-1", "Origin: https://evil.example")
    assert {name: answer.headers.get(name) for name in ("content-type", "cache-control", "x-request-id")} == {
        "content-type": "application/json",
        "cache-control": "no-store",
        "x-request-id": "my-request-1",
    }
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert not any(name.startswith("access-control") or name == "server" for name in answer.headers)


def test_metrics_count_calls(web: Gateway) -> None:
    def counted() -> float:
        lines = get(web, "/metrics").body.decode().splitlines()
        wanted = 'trunkline_calls_total{method="user.getbalance",outcome="SUCCESS",protocol="http"} '
        return sum(float(line.removeprefix(wanted)) for line in lines if line.startswith(wanted))

    before = counted()
    assert web.call("user", "getbalance")["status"] == "SUCCESS"
    assert counted() == before + 1


def test_metrics_follow_a_message(web: Gateway) -> None:
    assert web.call("sms", "sendsms", from_="Test", to="34600000001", sms="hello")["status"] == "SUCCESS"
    text = until(lambda: _with(get(web, "/metrics").body.decode(), 'trunkline_messages_total{state="DELIVERED"}'))
    for name in ("trunkline_queue_depth", "trunkline_commit_seconds_bucket", "trunkline_carrier_answers_total"):
        assert name in text


def test_metrics_forget_how_a_carrier_is_that_was_removed(web: Gateway) -> None:
    """Else an alarm on a carrier that is not ready would never end."""
    ready = 'trunkline_carrier_ready{carrier="gone"} '

    def told() -> bool:
        return ready in get(web, "/metrics").body.decode()

    web.cli("carrier", "add", "gone", "--kind", "simulator")
    until(told, what="the new carrier")
    web.cli("carrier", "remove", "gone")
    settled(lambda: not told(), "the end of the carrier")


def _with(text: str, part: str) -> str:
    return text if part in text else ""


@pytest.mark.parametrize(
    ("fields", "source", "status"),
    [
        pytest.param([], "127.0.0.1", 200, id="this machine"),
        pytest.param(["X-Forwarded-For: 127.0.0.1"], "127.0.0.1", 403, id="through an unknown proxy"),
        pytest.param(["Forwarded: for=192.0.2.1"], "127.0.0.1", 403, id="through an unknown proxy, RFC 7239"),
        pytest.param(["X-Forwarded-For: 192.0.2.1"], "127.0.0.9", 403, id="through our proxy, from elsewhere"),
        pytest.param(["X-Forwarded-For: 127.0.0.1"], "127.0.0.9", 200, id="through our proxy, from this machine"),
    ],
)
def test_who_may_see_metrics(web: Gateway, fields: list[str], source: str, status: int) -> None:
    assert get(web, "/metrics", *fields, source=source).status == status


def test_no_secret_in_what_it_logs(web: Gateway) -> None:
    web.call("sms", "sendsms", from_="Test", to="34600000001", sms="a text of our own")
    assert '"operation":"sms.sendsms"' in until(lambda: _with(web.errors, '"operation":"sms.sendsms"'))
    for secret in (web.secret, "a text of our own"):
        assert secret not in web.errors
