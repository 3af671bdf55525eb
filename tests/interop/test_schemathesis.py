"""schemathesis, which makes calls out of an OpenAPI document, finds no reply that the document does not describe."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from gateway.frontends.reference import DOCUMENT
from gateway.frontends.reference.doors import BASIC, DOORS, PLAIN, Door
from tests.support.door import Door as FrontDoor
from tests.support.door import Login
from tests.support.gateway import Gateway

EXAMPLES = 3
SECONDS = 300

# What the document cannot promise: numbers stand for their text and a schema knows no number's prefixes, so what it
# allows may be refused and the other way round; wrong credentials are answered 429 after ten of them, which
# tests/security looks at.
NOT_PROMISED = "negative_data_rejection,positive_data_acceptance,ignored_auth"


def credentials(running: Gateway, door: Door, who: Login) -> str:
    """The part of schemathesis.toml that says who calls."""
    if door is PLAIN:
        return f'[parameters]\nuser = "{who.user}"\npassword = "{who.password}"\n'
    if door is BASIC:
        return f'[auth]\nbasic = {{ username = "{who.user}", password = "{who.password}" }}\n'
    body = urlencode({"user": who.user, "password": who.password}).encode()
    with urlopen(f"{running.url}/api/jwt/token", body, timeout=30) as answer:
        return f'[headers]\nAuthorization = "Bearer {json.load(answer)["access_token"]}"\n'


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_replies_are_as_described(running_gateway: Gateway, door: Door, tmp_path: Path) -> None:
    front = FrontDoor(running_gateway)
    customer = front.customer("--credits", "100000", "--country", "34")
    config = tmp_path / "schemathesis.toml"
    config.write_text(credentials(running_gateway, door, customer.access))
    options = [
        f"--include-path-regex=^{door.path}",
        f"--max-examples={EXAMPLES}",
        "--phases=examples,coverage,fuzzing",
        f"--exclude-checks={NOT_PROMISED}",
        "--generation-database=none",
        "--suppress-health-check=all",
        "--warnings=off",
        "--request-timeout=30",
    ]
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"]
    done = subprocess.run(
        [*command, running_gateway.url + DOCUMENT, *options],
        cwd=tmp_path,
        env={**os.environ, "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8_000:] + done.stderr
    assert "No issues found" in done.stdout
    # It came through with its credentials.
    assert front.call(customer.access, "template.gettemplates")["result"]
    assert front.call(customer.access, "user.getbalance")["result"] < 100_000
