"""Runs commands on the test's own database, in this process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from gateway.cli import cli

PASSWORD = "correct horse battery"


class Trunkline:
    """The command line over one database."""

    def __init__(self, *options: str) -> None:
        self._options = options

    def run(self, *arguments: str, typed: str | bytes | None = None) -> Result:
        """A command's exit code, stdout and stderr; `typed` is its standard input."""
        result = CliRunner().invoke(cli, [*self._options, *arguments], input=typed, prog_name="trunkline")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def ok(self, *arguments: str, typed: str | bytes | None = None) -> Any:
        """What a command that is to succeed prints with --json."""
        result = self.run("--json", *arguments, typed=typed)
        assert result.exit_code == 0, result.stderr
        return orjson.loads(result.stdout)

    def fails(self, *arguments: str, typed: str | bytes | None = None) -> tuple[int, str]:
        """The exit code and the one line of a command that is to fail, and prints nothing else."""
        result = self.run(*arguments, typed=typed)
        assert result.exit_code, result.stdout
        assert result.stdout == ""
        *before, last = result.stderr.splitlines()
        assert not before, result.stderr
        return result.exit_code, last

    def account(self, email: str = "ana@example.com", *options: str) -> Any:
        """An account whose password is `PASSWORD`."""
        return self.ok("account", "create", email, "--password-file", "-", *options, typed=PASSWORD)


@pytest.fixture
def trunkline(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trunkline:
    """The command line over the test's migrated database, whichever it is."""
    for name in ("DATA", "DATABASE_URL", "HTTP"):
        monkeypatch.delenv(f"TRUNKLINE_{name}", raising=False)
    data = str(tmp_path / "data")
    if database_url.startswith("sqlite"):
        return Trunkline("--data", data)
    return Trunkline("--data", data, "--database-url", database_url)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str | bytes], str]:
    """Writes a file and gives its name."""

    def write(content: str | bytes) -> str:
        path = tmp_path / f"file{len(list(tmp_path.glob('file*')))}"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write
