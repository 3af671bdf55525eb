"""Driving with wrk: the script of unique destinations, the run, and reading its report."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

CONNECTIONS = 64
THREADS = 2
TEXT = "Your parcel arrives today between 10 and 12."

# Destinations whose last four digits mean something to the simulated carrier are left out: 0001 to 0009.
_SCRIPT = """\
local requests = { %(requests)s }
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("number", threads)
end

local count = %(first)d
local turn = 0

function request()
  count = count + 1
  local tail = count %% 10000
  if tail >= 1 and tail <= 9 then count = count + 10 - tail end
  turn = turn %% #requests + 1
  local asked = requests[turn]
  local body = asked.body and string.format(asked.body, number, count)
  return wrk.format(asked.method, string.format(asked.path, number, count), asked.headers, body)
end
"""

_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


class WrkFailed(RuntimeError):
    """wrk could not run, or its report was not understood."""


@dataclass(frozen=True, slots=True)
class Report:
    """What wrk saw: complete answers, how long it ran (seconds), latencies (ms), and what went wrong."""

    requests: int
    seconds: float
    p50: float
    p99: float
    errors: str

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.requests / self.seconds


@dataclass(frozen=True, slots=True)
class Request:
    """What wrk sends: path or body holds %d for wrk's thread and %07d for the count; each other % is doubled."""

    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None

    def lua(self) -> str:
        """Give it as a table of the script."""
        headers = ", ".join(f"[{json.dumps(name)}] = {json.dumps(value)}" for name, value in self.headers.items())
        method, body = ("GET", "nil") if self.body is None else ("POST", json.dumps(self.body))
        return f'{{ method = "{method}", path = {json.dumps(self.path)}, headers = {{ {headers} }}, body = {body} }}'


def script(requests: Sequence[Request], first: int) -> str:
    """Write the Lua script that sends `requests` in turn, counting from after `first`."""
    return _SCRIPT % {"requests": ",\n  ".join(request.lua() for request in requests), "first": first}


def sendsms_paths(accesses: list[tuple[str, str]]) -> list[str]:
    """Give the plain HTTP call that sends one message, for each login and secret."""
    return [
        "/api/http/?class=sms&method=sendsms"
        f"&user={literal(user)}&password={literal(secret)}&from=Bench&to=346%d%07d&sms={literal(TEXT)}"
        for user, secret in accesses
    ]


def kannel_paths(accesses: list[tuple[str, str]]) -> list[str]:
    """Give Kannel's call that sends one message, for each login and secret."""
    return [
        f"/cgi-bin/sendsms?username={literal(user)}&password={literal(secret)}"
        f"&from=Bench&to=346%d%07d&text={literal(TEXT)}"
        for user, secret in accesses
    ]


def gets(paths: Iterable[str]) -> list[Request]:
    """Give a GET of each path."""
    return [Request(path) for path in paths]


def literal(text: str) -> str:
    """Give a text as it stands in a path that is formatted: percent-encoded, and each % doubled."""
    return quote(text, safe="").replace("%", "%%")


def run(url: str, requests: Sequence[Request], seconds: int, folder: Path, first: int = 0) -> Report:
    """Drive the server at `url` for `seconds` with CONNECTIONS connections; keep script and report in `folder`."""
    if shutil.which("wrk") is None:
        raise WrkFailed("wrk is not on PATH; install it (Debian: apt-get install wrk)")
    lua = folder / "wrk.lua"
    lua.write_text(script(requests, first))
    threads = min(THREADS, os.cpu_count() or 1)
    command = ["wrk", f"-t{threads}", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s", "--latency"]
    done = subprocess.run(
        [*command, "-s", str(lua), url], capture_output=True, text=True, check=False, timeout=seconds + 60
    )
    (folder / "wrk.txt").write_text(done.stdout + done.stderr)
    if done.returncode:
        raise WrkFailed(f"wrk ended with {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return parse(done.stdout)


def parse(text: str) -> Report:
    """Read what `wrk --latency` prints; raise WrkFailed if it is not that."""
    total = re.search(r"^\s*(\d+) requests in ([\d.]+)(us|ms|s|m),", text, re.MULTILINE)
    percentiles = dict(re.findall(r"^\s*(\d+)%\s+([\d.]+(?:us|ms|s|m))\s*$", text, re.MULTILINE))
    if total is None or not {"50", "99"} <= percentiles.keys():
        raise WrkFailed(f"this is no report of `wrk --latency`:\n{text}")
    troubles = re.findall(r"^\s*(Socket errors: .*|Non-2xx or 3xx responses: .*)$", text, re.MULTILINE)
    return Report(
        requests=int(total.group(1)),
        seconds=float(total.group(2)) * _UNITS[total.group(3)] / 1000,
        p50=milliseconds(percentiles["50"]),
        p99=milliseconds(percentiles["99"]),
        errors="; ".join(troubles),
    )


def milliseconds(text: str) -> float:
    """Read a time as wrk writes it: 812us, 5.36ms, 1.02s, 1.10m."""
    found = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text)
    if found is None:
        raise WrkFailed(f"{text!r} is no time as wrk writes it")
    return float(found.group(1)) * _UNITS[found.group(2)]
