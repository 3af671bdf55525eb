"""`python -m bench [SECTION]…`: measure, print the tables, and put them into docs/benchmarks.md."""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench import accept, bulk, doors, kannel, machine, memory, smpp, start, status, steady, table
from bench.databases import KINDS
from bench.gateway_run import TRUNKLINE, GatewayFailed
from bench.jasmin import JasminFailed
from bench.kannel import KannelFailed
from bench.table import Section
from bench.workspace import Workspace
from bench.wrk import WrkFailed

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
Measure = Callable[[Workspace, list[str]], Section]

# Each section with the databases it is measured on unless --database says otherwise.
SECTIONS: dict[str, tuple[Measure, list[str]]] = {
    "accept": (accept.measure, ["sqlite", "postgresql"]),
    "doors": (doors.measure, ["sqlite"]),
    "smpp": (smpp.measure, ["sqlite"]),
    "steady": (steady.measure, ["sqlite", "postgresql"]),
    "memory": (memory.measure, ["sqlite"]),
    "start": (start.measure, ["sqlite", "postgresql"]),
    "status": (status.measure, ["sqlite", "postgresql"]),
    "bulk": (bulk.measure, ["sqlite", "postgresql"]),
}


def main() -> int:
    """Run the sections asked for; give the exit code: 0, 1 when one could not be measured, 2 for what is missing."""
    options = _options()
    missing = _missing(options)
    if missing:
        print(f"bench: missing on this machine: apt-get install {' '.join(missing)}", file=sys.stderr)
        if set(missing) - {"wrk"}:
            print("bench: or leave Kannel out with --no-peers", file=sys.stderr)
        return 2
    if not TRUNKLINE.exists():
        print(f"bench: {TRUNKLINE} is not there: run this by `make bench`", file=sys.stderr)
        return 2
    folder = Path(tempfile.mkdtemp(prefix="trunkline-bench-", dir=options.folder))
    folder.chmod(0o755)  # PostgreSQL runs as a user of its own when we are root
    workspace = Workspace(folder, quick=options.quick, peers=not options.no_peers, rows=options.rows)
    try:
        return _measure(options, workspace)
    finally:
        workspace.close()
        if options.keep:
            print(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _measure(options: argparse.Namespace, workspace: Workspace) -> int:
    measured = described(workspace.folder, options.quick)
    print(measured)
    failed = []
    for name in options.sections or SECTIONS:
        measure, kinds = SECTIONS[name]
        started = time.monotonic()
        try:
            section = measure(workspace, options.database or kinds)
        except (GatewayFailed, JasminFailed, KannelFailed, WrkFailed, RuntimeError) as problem:
            print(f"\nbench: {name} could not be measured: {problem}", file=sys.stderr, flush=True)
            failed.append(name)
            continue
        print(f"\n{table.plain(section)}\n  ({time.monotonic() - started:.0f} s)", flush=True)
        if not options.quick and not options.no_write:
            table.write(PAGE, [section], measured)
    if failed:
        print(f"bench: not measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def described(folder: Path, quick: bool) -> str:
    """Say when and on what this run measures."""
    facts = "; ".join(f"{label} {value}" for label, value in machine.describe(folder).items())
    return f"Measured {datetime.now(UTC):%Y-%m-%d}{' (short trial)' if quick else ''}: {facts}."


def _missing(options: argparse.Namespace) -> list[str]:
    asked = options.sections or list(SECTIONS)
    if not {"accept", "doors", "memory", "smpp"} & {*asked}:
        return []
    missing = kannel.missing()
    peers = "accept" in asked and not options.no_peers
    return missing if peers else [package for package in missing if package == "wrk"]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help=f"{', '.join(SECTIONS)}; all when none is named"
    )
    parser.add_argument("--quick", action="store_true", help="a short trial, which docs/benchmarks.md does not get")
    parser.add_argument("--no-peers", action="store_true", help="leave Kannel and Jasmin out")
    parser.add_argument("--rows", type=int, default=10_000_000, help="messages stored for `status` (%(default)s)")
    parser.add_argument("--database", action="append", choices=list(KINDS), help="only on this one; may be repeated")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="where databases lie, on a real disk")
    parser.add_argument("--keep", action="store_true", help="leave databases and logs in place")
    parser.add_argument("--no-write", action="store_true", help="print only, leave docs/benchmarks.md alone")
    options = parser.parse_args()
    unknown = [name for name in options.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no such section: {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
