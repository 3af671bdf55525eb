"""The HTTP status of each error code, as the contract's table has it."""

import pytest

from gateway.frontends.status import STATUSES, line, retry_after
from gateway.operations.errors import Code
from gateway.storage.records import Access
from tests.support.calls import a_call, an_access

TABLE = {
    401: {"MISSING_USER", "MISSING_PASSWORD", "INCORRECT_USER_PASSWORD"},
    402: {"NO_CREDITS"},
    403: {"IP_NOT_ALLOWED", "NOT_PERMITTED", "NOT_ACCESS_TO_TEMPLATE", "NOT_ACCESS_TO_GROUP"},
    404: {"INCORRECT_CLASS", "INCORRECT_METHOD"},
    429: {"TOO_MANY_REQUESTS"},
    500: {"INTERNAL_ERROR"},
    503: {"UNAVAILABLE"},
}


@pytest.mark.parametrize("code", list(Code))
def test_status(code: Code) -> None:
    assert STATUSES[code] == next((status for status, codes in TABLE.items() if code in codes), 400)


def test_line() -> None:
    assert [line(200), line(429)] == ["200 OK", "429 Too Many Requests"]


@pytest.mark.parametrize(
    ("code", "access", "seconds"),
    [
        (Code.TOO_MANY_REQUESTS, None, "60"),
        (Code.TOO_MANY_REQUESTS, an_access(rate=10.0), "1"),
        (Code.TOO_MANY_REQUESTS, an_access(rate=0.5), "2"),
        (Code.TOO_MANY_REQUESTS, an_access(rate=30 / 3600), "120"),
        (Code.TOO_MANY_REQUESTS, an_access(rate=0.0001), "3600"),
        (Code.UNAVAILABLE, an_access(), "5"),
        (Code.UNAVAILABLE, None, "5"),
        (Code.NO_CREDITS, an_access(), None),
        (None, an_access(), None),
    ],
    ids=[
        "failed logins", "rate", "30 a minute", "30 an hour", "hardly ever", "unavailable",
        "unavailable to a stranger", "another", "success",
    ],
)  # fmt: skip
def test_retry_after(code: Code | None, access: Access | None, seconds: str | None) -> None:
    call = a_call(access=access)
    assert retry_after(call, code) == ([("Retry-After", seconds)] if seconds else [])
