"""Rates and failed logins are counted over all processes of a machine."""

import subprocess
import sys
from pathlib import Path

from gateway.pipeline.buckets import Buckets
from gateway.pipeline.throttle import Throttle

# Takes what it can until the parent closes its input, then says how much that was.
TAKER = """
import sys
from pathlib import Path
from gateway.pipeline.buckets import Buckets

with Buckets(Path(sys.argv[1])) as buckets:
    key = buckets.key("rate", "1")
    print("ready", flush=True)
    sys.stdin.readline()
    print(sum(buckets.take(key, 10**15, 5000) for _ in range(4000)), flush=True)
"""

GUESSER = """
import sys
from pathlib import Path
from gateway.pipeline.buckets import Buckets
from gateway.pipeline.throttle import Throttle

with Buckets(Path(sys.argv[1])) as buckets:
    throttle = Throttle(buckets)
    print(sum(throttle.take("192.0.2.1", "ana@example.com") for _ in range(6)))
"""


def test_two_processes_together_take_no_more_than_one_may(tmp_path: Path) -> None:
    path = tmp_path / "run" / "buckets"
    takers = [
        subprocess.Popen([sys.executable, "-c", TAKER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    try:
        for taker in takers:
            assert taker.stdout is not None
            assert taker.stdout.readline() == b"ready\n"
        counts = [int(out) for out in _finish(takers)]
    finally:
        for taker in takers:
            taker.kill()
            taker.wait()
    assert sum(counts) == 5000
    assert min(counts) > 0


def _finish(takers: list[subprocess.Popen[bytes]]) -> list[bytes]:
    for taker in takers:
        assert taker.stdin is not None
        taker.stdin.write(b"\n")
        taker.stdin.flush()
    return [taker.communicate(timeout=30)[0] for taker in takers]


def test_failed_logins_are_counted_together(tmp_path: Path) -> None:
    path = tmp_path / "run" / "buckets"
    with Buckets(path) as buckets:
        throttle = Throttle(buckets)
        assert sum(throttle.take("192.0.2.1", "ana@example.com") for _ in range(6)) == 6
        other = subprocess.run(
            [sys.executable, "-c", GUESSER, str(path)], capture_output=True, timeout=30, check=True
        )
        assert other.stdout == b"4\n"
        assert throttle.full("192.0.2.1", "ana@example.com")
        assert not throttle.full("192.0.2.2", "ana@example.com")
        assert not throttle.full("192.0.2.1", "bob@example.com")


def test_the_file_holds_neither_addresses_nor_logins(tmp_path: Path) -> None:
    with Buckets(tmp_path / "buckets") as buckets:
        Throttle(buckets).take("192.0.2.1", "ana@example.com")
    content = (tmp_path / "buckets").read_bytes()
    assert b"192.0.2.1" not in content
    assert b"ana@" not in content
