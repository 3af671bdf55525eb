"""Install what `make test-interop` needs: clients that others wrote, and what compiles and runs them.

Debian's packages come by apt-get where this is root or may use sudo; else what is absent is named. PyPI's
(`python.txt`) and npm's (`node/`) go at pinned versions with integrity hashes into build/interop and nowhere else.
Run as `python -m tests.interop.outside`; the tests call it too.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.interop.install import FOLDER, HERE, NotInstalled

NODE = FOLDER / "node"
PYTHON = FOLDER / "python"
TIMEOUT = 600
_STAMP = "installed"


@dataclass(frozen=True)
class Tool:
    """Something of Debian's: `probe` is a command that succeeds where it is there, `packages` bring it."""

    name: str
    probe: tuple[str, ...]
    packages: tuple[str, ...]


TOOLS = {
    tool.name: tool
    for tool in (
        Tool("curl", ("curl", "--version"), ("curl",)),
        Tool("g++", ("g++", "--version"), ("g++",)),
        Tool("gsoap", ("sh", "-c", "command -v wsdl2h && command -v soapcpp2"), ("gsoap", "libgsoap-dev")),
        Tool("javac", ("javac", "--version"), ("default-jdk-headless",)),
        Tool(
            "wsimport", ("sh", "-c", "command -v wsimport && test -f /usr/share/jaxws/lib/jaxws-rt.jar"), ("jaxws",)
        ),
        Tool("kannel", ("sh", "-c", "command -v bearerbox && command -v smsbox"), ("kannel",)),
        Tool("node", ("sh", "-c", "command -v node && command -v npm"), ("nodejs", "npm")),
        Tool("SOAP::Lite", ("perl", "-MSOAP::Lite", "-e1"), ("libsoap-lite-perl",)),
        Tool("php", ("php", "--version"), ("php-cli",)),
        Tool("PHP's curl", ("php", "-r", "exit(extension_loaded('curl') ? 0 : 1);"), ("php-curl",)),
        Tool("PHP's soap", ("php", "-r", "exit(extension_loaded('soap') ? 0 : 1);"), ("php-soap",)),
    )
}


def main() -> int:
    """Install everything; give the exit code."""
    missing = [package for tool in TOOLS.values() if not is_there(tool) for package in tool.packages]
    try:
        if missing:
            _apt(*missing)
        python()
        node()
    except NotInstalled as problem:
        print(f"interop: {problem}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def is_there(tool: Tool) -> bool:
    """Whether it can be used as it is."""
    try:
        done = subprocess.run(tool.probe, capture_output=True, stdin=subprocess.DEVNULL, timeout=TIMEOUT, check=False)
    except FileNotFoundError:
        return False
    return done.returncode == 0


@cache
def need(*names: str) -> None:
    """Have some of TOOLS; raise NotInstalled naming what is absent and its packages otherwise."""
    for tool in (TOOLS[name] for name in names):
        if not is_there(tool):
            packages = " ".join(tool.packages)
            raise NotInstalled(f"{tool.name} is not there; install it (Debian: apt-get install {packages})")


@cache
def python() -> Path:
    """The folder that holds PyPI's packages, for PYTHONPATH."""
    locked = HERE / "python.txt"
    if _is_current(PYTHON, locked):
        return PYTHON
    shutil.rmtree(PYTHON, ignore_errors=True)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "install")
    run(*pip, "--no-deps", "--require-hashes", "--target", str(PYTHON), "-r", str(locked))
    _make_current(PYTHON, locked)
    return PYTHON


@cache
def node() -> Path:
    """The folder that holds npm's packages, for NODE_PATH."""
    need("node")
    locked = HERE / "node" / "package-lock.json"
    modules = NODE / "node_modules"
    if _is_current(NODE, locked):
        return modules
    shutil.rmtree(NODE, ignore_errors=True)
    shutil.copytree(HERE / "node", NODE)
    run("npm", "ci", "--prefix", str(NODE), "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel", "error")
    _make_current(NODE, locked)
    return modules


def run(*command: str, cwd: Path | None = None) -> None:
    """Run a command of the installation; raise NotInstalled with its output where it fails."""
    done = subprocess.run(
        command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=TIMEOUT
    )
    if done.returncode:
        raise NotInstalled(f"`{' '.join(command)}` failed:\n{done.stdout}{done.stderr}")


def _apt(*packages: str) -> None:
    wanted = f"apt-get install {' '.join(packages)}"
    root = os.geteuid() == 0
    if shutil.which("apt-get") is None or not (root or shutil.which("sudo")):
        raise NotInstalled(f"Debian packages are missing and this is not root on Debian: {wanted}")
    print(f"interop: {wanted}", file=sys.stderr)  # noqa: T201
    apt = (*(() if root else ("sudo", "-n")), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq")
    run(*apt, "update")
    run(*apt, "install", "-y", "--no-install-recommends", *packages)


def _is_current(folder: Path, locked: Path) -> bool:
    stamp = folder / _STAMP
    return stamp.exists() and stamp.read_bytes() == locked.read_bytes()


def _make_current(folder: Path, locked: Path) -> None:
    (folder / _STAMP).write_bytes(locked.read_bytes())


if __name__ == "__main__":
    sys.exit(main())
