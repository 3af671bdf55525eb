"""What an access may do."""

import pytest

from gateway.operations.errors import Code, Refusal
from gateway.pipeline import permit
from tests.support.calls import an_access, an_account

NOW = 1_800_000_000_000_000

REFUSED = [
    ("revoked", {"revoked": True}, "revoked"),
    ("expired", {"expires_at": NOW - 1}, "expired"),
    ("expires now", {"expires_at": NOW}, "expired"),
    ("suspended", {"account": an_account(suspended=True)}, "suspended"),
    ("another protocol", {"protocols": frozenset({"smpp", "soap"})}, "protocol http"),
    ("no protocol", {"protocols": frozenset()}, "protocol http"),
    ("another operation", {"operations": frozenset({"sms.sendsms"})}, "operation user.getbalance"),
    ("another class", {"operations": frozenset({"sms"})}, "operation user.getbalance"),
    ("the method alone", {"operations": frozenset({"getbalance"})}, "operation user.getbalance"),
    ("a class that starts alike", {"operations": frozenset({"use", "users"})}, "operation user.getbalance"),
    ("no operation", {"operations": frozenset()}, "operation user.getbalance"),
    ("revoked before expired", {"revoked": True, "expires_at": NOW - 1}, "revoked"),
]

PERMITTED = [
    ("no restriction", {}),
    ("its protocol", {"protocols": frozenset({"http"})}),
    ("its operation", {"operations": frozenset({"user.getbalance"})}),
    ("its class", {"operations": frozenset({"user"})}),
    ("expires later", {"expires_at": NOW + 1}),
]


@pytest.mark.parametrize(("changes", "reason"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_refused(changes: dict, reason: str) -> None:
    with pytest.raises(Refusal, match=reason) as refused:
        permit.check(an_access(**changes), "http", "user", "getbalance", NOW)
    assert refused.value.code is Code.NOT_PERMITTED


@pytest.mark.parametrize("changes", [c[1] for c in PERMITTED], ids=[c[0] for c in PERMITTED])
def test_permitted(changes: dict) -> None:
    permit.check(an_access(**changes), "http", "user", "getbalance", NOW)


def test_a_session_is_opened_whatever_the_operations() -> None:
    permit.check_access(an_access(operations=frozenset()), "smpp", NOW)
