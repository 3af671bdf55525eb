"""The HTTP clients for Basic and JWT: how each is run."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.interop import outside
from tests.interop.soap.clients import locked_node, locked_python, printed

HERE = Path(__file__).resolve().parent
TIMEOUT = 60
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


@dataclass(frozen=True)
class Client:
    """One client and the command that runs its driver."""

    name: str
    tools: tuple[str, ...]
    command: tuple[str, ...]
    version: Callable[[], str]
    variables: Callable[[], Mapping[str, str]] = dict

    def ask(self, url: str, form: Mapping[str, str], **credentials: Any) -> Any:
        """POST a form; {status, challenge, reply}. `credentials` are `basic`, a pair, or `bearer`, a token."""
        return self.run({"url": url, "form": dict(form), **credentials})

    def run(self, plan: Mapping[str, Any]) -> Any:
        """What the driver prints when it is given the plan."""
        return _run(self.command, plan, self.variables())


def _run(command: Sequence[str], plan: Mapping[str, Any], variables: Mapping[str, str]) -> Any:
    environment = {name: value for name, value in os.environ.items() if name.lower() not in _PROXIES}
    done = subprocess.run(
        [*command[:-1], str(HERE / command[-1])],
        input=json.dumps(plan),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
        env={**environment, **variables},
    )
    assert done.returncode == 0, f"{command[-1]}: {done.returncode}: {done.stderr}{done.stdout}"
    return json.loads(done.stdout)


CLIENTS = (
    Client("curl", ("curl",), (sys.executable, "-B", "curl_client.py"), lambda: printed("curl", "--version")),
    Client(
        "requests",
        (),
        (sys.executable, "-B", "requests_client.py"),
        locked_python("requests"),
        lambda: {"PYTHONPATH": str(outside.python())},
    ),
    Client("PHP cURL", ("php", "PHP's curl"), ("php", "curl_client.php"), lambda: printed("php", "--version")),
    Client("node fetch", ("node",), ("node", "fetch_client.mjs"), lambda: printed("node", "--version")),
)
SIGNER = Client(
    "node jsonwebtoken",
    ("node",),
    ("node", "sign.js"),
    locked_node("jsonwebtoken"),
    lambda: {"NODE_PATH": str(outside.node())},
)
