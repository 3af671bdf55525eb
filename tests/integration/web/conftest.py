"""A gateway for the tests of the web server: small limits, short enough to reach."""

from collections.abc import Iterator

import pytest

from tests.support.gateway import Gateway, gateway

MAX_BODY = 100_000


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A running gateway whose bodies are limited to `MAX_BODY` bytes; it trusts a proxy at 127.0.0.9."""
    with gateway(
        tmp_path_factory.mktemp("web") / "data",
        TRUNKLINE_MAX_BODY=str(MAX_BODY),
        TRUNKLINE_WEB_WORKERS="1",
        TRUNKLINE_TRUSTED_PROXIES="127.0.0.9",
    ) as running:
        yield running
