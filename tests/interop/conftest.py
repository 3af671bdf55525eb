"""The clients of `smpp/`, `soap/` and `web/` need what `make test-interop` installs: they are left out without it.

They are collected where tests/interop, or what is in it, is named on pytest's command line.
"""

from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ON_REQUEST = (HERE / "smpp", HERE / "soap", HERE / "web")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what was not asked for; None leaves the rest to pytest."""
    if collection_path not in ON_REQUEST:
        return None
    asked = [(config.invocation_params.dir / argument.partition("::")[0]).resolve() for argument in config.args]
    return None if any(path.is_relative_to(HERE) for path in asked) else True
