"""SMPP clients that others wrote, as customers: how each is run."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.interop import outside
from tests.interop.soap.clients import locked_node
from tests.support.door import Login

HERE = Path(__file__).resolve().parent
TIMEOUT = 120

Step = Mapping[str, Any]


@dataclass(frozen=True)
class Client:
    """A client and the command that runs its driver; `limits` say what it cannot do, check by check."""

    name: str
    command: tuple[str, ...]
    version: Callable[[], str]
    limits: Mapping[str, str]
    variables: Callable[[], Mapping[str, str]] = dict

    def run(self, port: int, *steps: Step) -> list[Any]:
        """What each step gave, over one connection."""
        done = subprocess.run(
            [*self.command[:-1], str(HERE / self.command[-1])],
            input=json.dumps({"host": "127.0.0.1", "port": port, "steps": steps}),
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
            env={**os.environ, **self.variables()},
        )
        assert done.returncode == 0, f"{self.command[-1]}: {done.returncode}: {done.stderr}{done.stdout}"
        results: list[Any] = json.loads(done.stdout)
        return results


def bind(who: Login, mode: str = "transceiver") -> Step:
    """The step of binding."""
    return {"do": "bind", "mode": mode, "system_id": who.user, "password": who.password}


CLIENTS = (
    Client(
        "npm smpp",
        ("node", "npm_client.js"),
        locked_node("smpp"),
        {},
        lambda: {"NODE_PATH": str(outside.node())},
    ),
    Client(
        "smpplib",
        (sys.executable, "-B", "smpplib_client.py"),
        lambda: version("smpplib"),
        {
            "cancel": "it has no cancel_sm",
            "submit_multi": "it has no submit_multi",
            "refused PDUs": "it has neither replace_sm nor a data_sm that it can send",
        },
    ),
)
