"""What `trunkline run` tells: where it answers and, at the first start, the secrets and a first SMS to try."""

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gateway import __version__

FILE = "first-start.txt"
# The simulated carrier reports numbers that end in 0001 as delivered at once.
DESTINATION = "34600000001"

# Neither the shell nor a form reads these as anything but themselves.
_BARE = re.compile(r"[A-Za-z0-9._-]+")


def addresses(shown: Mapping[str, str], told: Mapping[str, Any]) -> str:
    """Where the gateway answers.

    `shown` has HOST:PORT by protocol (http, smpp, smpp_tls), `told` is what the supervisor knows of the settings.
    """
    lines = [f"Trunkline {__version__} runs on http://{_reachable(shown['http'])}/ with its data in {told['data']}"]
    if "smpp" in shown:
        secure = f", with TLS on {_reachable(shown['smpp_tls'])}" if "smpp_tls" in shown else ""
        lines.append(f"SMPP clients bind to {_reachable(shown['smpp'])}{secure}")
    return "\n".join((*lines, "Ctrl-C stops it.", ""))


def first_start(text: str, http: str, made: Mapping[str, Any]) -> str:
    """The addresses in `text`, then what the first start `made`: logins with their secrets, calls to try."""
    operator, demo = made.get("operator"), made.get("demo")
    lines = [text, "This is the first start. These secrets are shown this once:", ""]
    if operator:
        lines += [f"  operator       {operator['user']}", f"    password     {operator['secret']}"]
    if demo:
        lines += [
            f"  demo account   {demo['email']}",
            f"    password     {demo['password']}",
            f"  its access     {demo['user']}",
            f"    password     {demo['secret']}",
            "",
            *_calls(f"http://{_reachable(http)}/api/http/", demo["user"], demo["secret"]),
        ]
    return "\n".join((*lines, ""))


def _calls(url: str, user: str, password: str) -> list[str]:
    credentials = {"user": user, "password": password}
    message = {"from": "Trunkline", "to": DESTINATION, "sms": "Hello from Trunkline"}
    send = {"class": "sms", "method": "sendsms", **credentials, **message}
    ask = {"class": "sms", "method": "getdeliverystatus", **credentials, "messages": "MESSAGEID"}
    return [
        "Send a first SMS, to the simulated carrier:",
        "",
        f"  {_curl(url, send)}",
        "",
        "Ask what became of it, with the messageid of the answer in place of MESSAGEID:",
        "",
        f"  {_curl(url, ask)}",
    ]


def save(data: Path, text: str) -> Path:
    """Keep the text in the data folder, for its owner alone (mode 0600); give the file's path."""
    path = data / FILE
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(text)
    return path


def _curl(url: str, parameters: Mapping[str, str]) -> str:
    fields = (
        f"-d {name}={value}" if _BARE.fullmatch(value) else f"--data-urlencode {shlex.quote(f'{name}={value}')}"
        for name, value in parameters.items()
    )
    return f"curl -sS {' '.join(fields)} {shlex.quote(url)}"


def _reachable(http: str) -> str:
    """The address to call from this machine: a socket that listens everywhere is reached at the loopback."""
    host, _, port = http.rpartition(":")
    return f"{ {'0.0.0.0': '127.0.0.1', '[::]': '[::1]'}.get(host, host) }:{port}"  # noqa: S104
