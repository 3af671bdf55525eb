"""The published clients as processes: a list of calls in, their replies out."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.interop import install

HERE = Path(__file__).resolve().parent
_PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def npm(url: str, user: str, secret: str, *calls: list[Any]) -> list[Any]:
    """Make the calls with the npm package, e.g. ["sms.send", to, text, …]; its callback is left to the driver."""
    plan = {"url": url, "user": user, "password": secret, "calls": calls}
    return _drive(["node", str(HERE / "drive_npm.js")], plan, {"NODE_PATH": str(install.NPM / "node_modules")})


def pypi(proxy: str, *calls: list[str]) -> list[Any]:
    """Make the calls with the PyPI package, e.g. ["sendSms", user, password, …], through the proxy at `proxy`."""
    command = [sys.executable, "-B", str(HERE / "drive_pypi.py")]
    return _drive(command, {"calls": calls}, {"PYTHONPATH": str(install.PYPI), "http_proxy": proxy})


def _drive(command: list[str], plan: dict[str, Any], variables: dict[str, str]) -> list[Any]:
    environment = {key: value for key, value in os.environ.items() if key.lower() not in _PROXY_VARIABLES}
    done = subprocess.run(
        command,
        input=json.dumps(plan),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment | variables,
    )
    assert done.returncode == 0, f"{command[-1]} ended with {done.returncode}: {done.stderr}{done.stdout}"
    replies: list[Any] = json.loads(done.stdout)
    assert len(replies) == len(plan["calls"])
    return replies
