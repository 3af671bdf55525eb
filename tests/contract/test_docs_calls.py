"""The shell lines of the pages work when they are pasted: they are run, block after block, against a gateway."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.gateway import Gateway

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What a reader puts in by hand: where the gateway is, and what its first start printed.
ADDRESS = "http://127.0.0.1:8080"
SECRET = "the-secret-that-was-printed"


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("basic.md", ['"status":"SUCCESS"', '"messageid"']),
        ("jwt.md", ['"messageid"', '"access_token"', "{}", "demo-2027", '{"status":"SUCCESS","result":']),
    ],
)
def test_a_page_can_be_pasted(running_gateway: Gateway, tmp_path: Path, page: str, said: list[str]) -> None:
    blocks = BLOCK.findall((DOCS / page).read_text("utf-8"))
    assert blocks
    script = "\n".join(["set -eu", *blocks]).replace(ADDRESS, running_gateway.url)
    assert SECRET in script
    variables = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
    done = subprocess.run(
        ["bash", "-c", script.replace(SECRET, running_gateway.secret)],
        cwd=tmp_path,
        env={
            **variables,
            "PATH": f"{Path(sys.executable).parent}:{variables['PATH']}",
            "TRUNKLINE_DATA": str(running_gateway.data),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"ERROR"' not in done.stdout
    place = 0
    for part in said:
        place = done.stdout.find(part, place)
        assert place >= 0, (part, done.stdout)
