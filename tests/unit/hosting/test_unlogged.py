"""A row of the log of calls that the database refuses is counted, and named in the process's own log."""

import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from pathlib import Path
from gateway import logs, metrics
from gateway.hosting.unlogged import log_row_refused
from gateway.storage.submission import LOG_COLUMNS
logs.start("web", "info", "json")
metrics.start(Path(sys.argv[1]))
values = {"request_id": "r1", "parameters": '{"sms": "the-text"}'}
log_row_refused(tuple(values.get(name) for name in LOG_COLUMNS), ValueError("the-text"))
print(metrics.exposition(())[0].decode())
"""


def test_a_refused_row(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "metrics")],
        capture_output=True, text=True, check=True, timeout=60, env={**os.environ},
    )  # fmt: skip
    assert "trunkline_log_rows_refused_total 1.0\n" in done.stdout
    (line,) = done.stderr.splitlines()
    found = json.loads(line)
    assert (found["level"], found["exception"], found["request_id"]) == ("error", "ValueError", "r1")
    assert "the-text" not in line
