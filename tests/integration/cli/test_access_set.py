"""`trunkline access set`: what an access is confined to changes, its secret and login do not."""

from typing import Any

import pytest

from gateway.storage.database import Database
from gateway.storage.directory import Directory
from tests.integration.cli.conftest import Trunkline
from tests.integration.cli.test_accounts_cli import verifies

ANA = "ana@example.com"
SHOP = (ANA, "shop")
FULL = (
    *("--protocol", "http", "--protocol", "smpp", "--operation", "sms", "--network", "192.0.2.0/24"),
    *("--rate", "30/m", "--expires", "2035-07-01", "--bind-limit", "4"),
)
BEFORE = {
    "protocols": ["http", "smpp"],
    "operations": ["sms"],
    "networks": ["192.0.2.0/24"],
    "rate": 0.5,
    "expires": "2035-07-01T00:00:00Z",
    "bind_limit": 4,
}
CHANGES = {
    "protocol": (("--protocol", "jwt"), {"protocols": ["jwt"]}),
    "operations": (
        ("--operation", "USER", "--operation", "sms.sendsms"), {"operations": ["sms.sendsms", "user"]},
    ),
    "networks": (("--network", "::1", "--network", "10.0.0.0/8"), {"networks": ["10.0.0.0/8", "::1/128"]}),
    "rate": (("--rate", "100/s"), {"rate": 100}),
    "expires": (("--expires", "2036-01-01 12:00"), {"expires": "2036-01-01T12:00:00Z"}),
    "binds": (("--bind-limit", "20"), {"bind_limit": 20}),
    "several": (("--rate", "1/s", "--bind-limit", "1"), {"rate": 1, "bind_limit": 1}),
    "no protocol": (("--lift", "protocol"), {"protocols": None}),
    "no operation": (("--lift", "operation"), {"operations": None}),
    "no network": (("--lift", "network"), {"networks": None}),
    "no rate": (("--lift", "rate"), {"rate": None}),
    "no end": (("--lift", "expires"), {"expires": None}),
    "no bind limit": (("--lift", "bind-limit"), {"bind_limit": None}),
    "one for another": (("--lift", "rate", "--lift", "network", "--protocol", "soap"), {
        "rate": None, "networks": None, "protocols": ["soap"],
    }),
}  # fmt: skip


@pytest.fixture
def made(trunkline: Trunkline) -> dict[str, Any]:
    trunkline.account(ANA)
    return dict(trunkline.ok("access", "create", *SHOP, *FULL))


@pytest.mark.parametrize("change", CHANGES)
def test_set_changes_what_is_given(
    trunkline: Trunkline, database: Database, made: dict[str, Any], change: str
) -> None:
    options, expected = CHANGES[change]
    directory = Directory(database)
    directory.refresh()
    shown = trunkline.ok("access", "set", *SHOP, *options)
    assert {name: shown[name] for name in BEFORE} == {**BEFORE, **expected}
    assert (shown["id"], shown["user"]) == (made["id"], made["user"])
    assert trunkline.ok("access", "list", ANA)[1] == shown
    assert verifies(database, made["user"], made["secret"])
    assert directory.refresh(), "a running process does not see it"


def test_what_running_processes_go_by(trunkline: Trunkline, database: Database, made: dict[str, Any]) -> None:
    trunkline.ok(
        "access", "set", *SHOP, "--protocol", "jwt", "--rate", "7/s", "--bind-limit", "2", "--lift", "network"
    )
    found = Directory(database).access(made["user"])
    assert found is not None
    assert (found.protocols, found.rate, found.bind_limit, found.networks) == ({"jwt"}, 7, 2, None)
    assert found.operations == {"sms"}


REFUSED = {
    "nothing": ((), 2, "Nothing to change: give at least one option."),
    "both": (("--lift", "rate", "--rate", "1/s"), 2, "Give either --rate or --lift rate."),
    "past": (("--expires", "2020-01-01"), 2, "the date 2020-01-01 is past"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_set(trunkline: Trunkline, made: dict[str, Any], case: str) -> None:
    options, code, words = REFUSED[case]
    found, line = trunkline.fails("access", "set", *SHOP, *options)
    assert (found, words in line) == (code, True), line
    assert {name: value for name, value in trunkline.ok("access", "list", ANA)[1].items() if name in BEFORE} == BEFORE


def test_a_revoked_access_stays_as_it_was(trunkline: Trunkline, made: dict[str, Any]) -> None:
    trunkline.ok("access", "revoke", *SHOP)
    code, line = trunkline.fails("access", "set", *SHOP, "--rate", "1/s")
    assert (code, line) == (1, f"trunkline: the access shop of {ANA} is revoked; make another one")
