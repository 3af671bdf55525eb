"""What the figures were measured on: processor, kernel, disk and the versions of everything that matters."""

import os
import platform
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def describe(folder: Path) -> dict[str, str]:
    """Give the machine and the versions, as label and text; `folder` is where the databases lie."""
    return {
        "processor": f"{cpu_model(Path('/proc/cpuinfo').read_text())}, {os.cpu_count()} cores",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release()}",
        "disk": f"{filesystem(folder)}, fsync of 4 kB in {fsync_ms(folder):.2f} ms (median of 100)",
        "trunkline": commit(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        **{name: package_version(name) for name in ("gunicorn", "gevent", "sqlalchemy", "psycopg", "uvloop")},
        "wrk": first_match(["wrk", "--version"], r"wrk \S*?(\d[\w.+~-]*)"),
        "kannel": first_match(["bearerbox", "--version"], r"version `([^']+)'"),
    }


def cpu_model(cpuinfo: str) -> str:
    """Give the model name from the text of /proc/cpuinfo."""
    found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return found.group(1) if found else platform.machine()


def filesystem(folder: Path) -> str:
    """Give the type of the file system that `folder` lies on."""
    done = subprocess.run(["df", "--output=fstype", str(folder)], capture_output=True, text=True, check=False)
    return done.stdout.split()[-1] if done.returncode == 0 else "unknown file system"


def fsync_ms(folder: Path) -> float:
    """Give the median time of appending 4 kB and syncing it, in milliseconds."""
    path = folder / "fsync"
    times = []
    with path.open("wb", buffering=0) as file:
        for _ in range(100):
            file.write(b"\0" * 4096)
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - started)
    path.unlink()
    return statistics.median(times) * 1000


def commit() -> str:
    """Give the version of this checkout."""
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent)
    return done.stdout.strip() or package_version("trunkline")


def package_version(name: str) -> str:
    """Give an installed package's version, or "not installed"."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def first_match(command: list[str], pattern: str) -> str:
    """Give what `pattern` finds in the output of `command`, or "not installed"."""
    if shutil.which(command[0]) is None:
        return "not installed"
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    found = re.search(pattern, done.stdout + done.stderr)
    return found.group(1) if found else "unknown"


if __name__ == "__main__":
    for label, value in describe(Path()).items():
        sys.stdout.write(f"{label}: {value}\n")
