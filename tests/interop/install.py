"""Install the clients that others wrote, at pinned versions with integrity hashes, into build/interop.

`npm/package-lock.json` and `pypi.txt` hold the versions and hashes. What is there already is left alone.
Run as `python -m tests.interop.install`; the tests call it too.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[1] / "build" / "interop"
NPM = FOLDER / "npm"
PYPI = FOLDER / "pypi"
LOCKED = (HERE / "npm" / "package.json", HERE / "npm" / "package-lock.json", HERE / "pypi.txt")


class NotInstalled(RuntimeError):
    """What is missing, by name, and how to get it."""


def main() -> int:
    """Install both packages; give the exit code."""
    try:
        install()
    except NotInstalled as problem:
        print(f"interop: {problem}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def install() -> None:
    """Make NPM/node_modules and PYPI hold the locked packages; raise NotInstalled otherwise."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise NotInstalled(f"{tool} is not on PATH; install it (Debian: apt-get install nodejs npm)")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp = FOLDER / "installed"
        wanted = hashlib.sha256(b"".join(path.read_bytes() for path in LOCKED)).hexdigest()
        if stamp.exists() and stamp.read_text() == wanted:
            return
        _install_npm()
        _install_pypi()
        stamp.write_text(wanted)


def _install_npm() -> None:
    shutil.rmtree(NPM, ignore_errors=True)
    shutil.copytree(HERE / "npm", NPM)
    _run("npm", "ci", "--prefix", str(NPM), "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error")


def _install_pypi() -> None:
    shutil.rmtree(PYPI, ignore_errors=True)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install")
    _run(*pip, "--no-deps", "--require-hashes", "--target", str(PYPI), "-r", str(HERE / "pypi.txt"))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise NotInstalled(f"`{' '.join(command)}` failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
