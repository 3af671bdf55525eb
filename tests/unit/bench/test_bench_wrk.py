"""wrk's script and its report."""

import pytest

from bench import wrk

REPORT = """\
Running 3s test @ http://127.0.0.1:8080
  2 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    16.18ms   62.69ms 837.18ms   95.66%
    Req/Sec     4.85k     2.26k   11.54k    68.33%
  Latency Distribution
     50%    5.36ms
     75%    6.35ms
     90%    7.84ms
     99%    1.02s
  29047 requests in 3.01s, 6.09MB read
Requests/sec:   9634.54
Transfer/sec:      2.02MB
"""
TROUBLE = REPORT.replace(
    "Requests/sec",
    "  Socket errors: connect 0, read 3, write 0, timeout 1\n  Non-2xx or 3xx responses: 7\nRequests/sec",
)


def test_report_is_read() -> None:
    report = wrk.parse(REPORT)
    assert (report.requests, report.seconds, report.p50, report.p99) == (29047, 3.01, 5.36, 1020.0)
    assert report.rate == pytest.approx(9650.2, abs=0.1)
    assert report.errors == ""


def test_troubles_are_kept() -> None:
    expected = "Socket errors: connect 0, read 3, write 0, timeout 1; Non-2xx or 3xx responses: 7"
    assert wrk.parse(TROUBLE).errors == expected


@pytest.mark.parametrize("text", ["", "unable to connect to 127.0.0.1:1 Connection refused", REPORT[:300]])
def test_what_is_no_report_is_an_error(text: str) -> None:
    with pytest.raises(wrk.WrkFailed):
        wrk.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("812.00us", 0.812), ("5.36ms", 5.36), ("1.02s", 1020.0), ("1.10m", 66_000.0)],
)
def test_times(text: str, expected: float) -> None:
    assert wrk.milliseconds(text) == pytest.approx(expected)


def test_paths_escape_credentials_for_url_and_format() -> None:
    (path,) = wrk.sendsms_paths([("a b", "50%&x")])
    assert "user=a%%20b&password=50%%25%%26x&" in path
    assert path.count("%d") == 1
    assert path.count("%07d") == 1
    assert "user=a%20b&password=50%25%26x&" in path % (1, 2)


def test_kannel_gets_the_same_message() -> None:
    ours, theirs = wrk.sendsms_paths([("u", "p")])[0], wrk.kannel_paths([("u", "p")])[0]
    assert ours.split("&sms=")[1] == theirs.split("&text=")[1]
    assert "&to=346%d%07d&" in ours
    assert "&to=346%d%07d&" in theirs


def test_script_holds_every_request_and_the_first_number() -> None:
    post = wrk.Request("/b", {"SOAPAction": '""'}, "<to>%d%07d</to>\n")
    text = wrk.script([wrk.Request('/a?to=346%d%07d&x="1"'), post], 500)
    assert '{ method = "GET", path = "/a?to=346%d%07d&x=\\"1\\"", headers = {  }, body = nil }' in text
    headers = 'headers = { ["SOAPAction"] = "\\"\\"" }'
    assert f'{{ method = "POST", path = "/b", {headers}, body = "<to>%d%07d</to>\\n" }}' in text
    assert "local count = 500\n" in text
    assert "count % 10000" in text
