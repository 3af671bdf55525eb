"""`trunkline carrier`, `route`, `price`, `template`: what is set is listed, what is needed stays."""

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from gateway import clock
from gateway.messaging.states import State
from gateway.storage.database import Database
from gateway.storage.keyfile import Sealer
from gateway.storage.queries import carriers
from gateway.storage.queries.dispatch import leases
from tests.integration.cli.conftest import Trunkline
from tests.support.rows import add_message

ANA = "ana@example.com"
Written = Callable[[str | bytes], str]


def test_a_new_installation(trunkline: Trunkline) -> None:
    assert [(row["name"], row["kind"]) for row in trunkline.ok("carrier", "list")] == [("simulator", "simulator")]
    assert [(row["prefix"], row["carrier"]) for row in trunkline.ok("route", "list")] == [("", "simulator")]
    assert [(row["prefix"], row["account"], row["credits"]) for row in trunkline.ok("price", "list")] == [
        ("", None, 1)
    ]


def test_carriers_secrets_are_sealed_and_never_shown(
    trunkline: Trunkline, database: Database, written: Written, tmp_path: Path
) -> None:
    added = trunkline.run(
        *("carrier", "add", "up", "--kind", "smpp", "--option", "host=smsc.example.com", "--option", "system_id=a=b"),
        *("--option", f"password=@{written('hunter2 hunter2')}", "--json"),
    )
    assert added.exit_code == 0, added.stderr
    shown = orjson.loads(added.stdout)
    assert shown["options"] == {"host": "smsc.example.com", "system_id": "a=b"}
    assert shown["secrets"] is True
    with database.read() as connection:
        stored = carriers.find(connection, "up")
    assert stored is not None
    assert stored.sealed_secrets is not None
    assert orjson.loads(Sealer(tmp_path / "data" / "trunkline.key").open(stored.sealed_secrets)) == {
        "password": "hunter2 hunter2"
    }
    everything = added.stdout + added.stderr + trunkline.run("carrier", "list").stdout
    assert "hunter" not in everything
    assert b"hunter" not in b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir())


def test_options_of_a_kind_are_checked(trunkline: Trunkline) -> None:
    code, line = trunkline.fails("carrier", "add", "sim", "--kind", "simulator", "--option", "colour=red")
    assert code == 2
    assert line.startswith("trunkline: Option 'colour' of simulator carriers: ")


def test_a_carrier_that_is_needed_stays(trunkline: Trunkline, database: Database) -> None:
    trunkline.account(ANA)
    with database.transaction() as connection:
        for number in (1, 2):
            add_message(connection, 1, number, State.QUEUED)
        add_message(connection, 1, 3, State.DELIVERED)
    assert trunkline.fails("carrier", "remove", "simulator") == (
        1,
        "trunkline: the carrier simulator cannot be removed. It is still needed by 1 route and 2 unsent messages.",
    )
    trunkline.ok("route", "remove", "", "simulator")
    for number in ("1", "2"):
        trunkline.ok("message", "cancel", number)
    assert trunkline.ok("carrier", "remove", "simulator") == {"id": "1", "name": "simulator"}
    assert trunkline.ok("carrier", "list") == []
    # Late receipts would find the segments of the one that had the number before.
    assert trunkline.ok("carrier", "add", "another", "--kind", "simulator")["id"] == "2"


def test_routes_and_prices(trunkline: Trunkline) -> None:
    trunkline.account(ANA)
    added = trunkline.ok("route", "add", "+34", "simulator", "--cost", "0.0125", "--priority", "2")
    assert {name: added[name] for name in ("prefix", "carrier", "cost", "priority")} == {
        "prefix": "34",
        "carrier": "simulator",
        "cost": 0.0125,
        "priority": 2,
    }
    assert trunkline.ok("route", "list")[1] == added
    assert trunkline.ok("price", "set", "34", "0.05", "--account", ANA)["credits"] == 0.05
    assert trunkline.ok("price", "set", "34", "0.06", "--account", ANA)["credits"] == 0.06
    trunkline.ok("price", "set", "", "2")
    assert [(row["account"], row["prefix"], row["credits"]) for row in trunkline.ok("price", "list")] == [
        (None, "", 2),
        (ANA, "34", 0.06),
    ]
    trunkline.ok("price", "remove", "34", "--account", ANA)
    trunkline.ok("route", "remove", "34", "simulator")
    assert len(trunkline.ok("price", "list")) == len(trunkline.ok("route", "list")) == 1


def test_templates(trunkline: Trunkline) -> None:
    trunkline.account(ANA)
    added = trunkline.ok("template", "add", ANA, "Welcome", "Hello <name>,\nyour code is <code>")
    assert added["placeholders"] == ["name", "code"]
    assert trunkline.ok("template", "list", ANA) == [
        {
            "id": added["id"],
            "title": "Welcome",
            "message": "Hello <name>,\nyour code is <code>",
            "type": "mobile",
        }
    ]
    assert r"Hello <name>,\nyour" in trunkline.run("template", "list", ANA).stdout
    assert trunkline.ok("template", "remove", added["id"]) == {"id": added["id"]}
    assert trunkline.ok("template", "list", ANA) == []


SMPP = ("carrier", "add", "up", "--kind", "smpp", "--option", "host=smsc.example.com", "--option", "system_id=me")


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        pytest.param("password_file={file}", [], id="by a file's name"),
        pytest.param("password=-", ["--option", "errors=0x0B:final,0x45:next"], id="by standard input"),
    ],
)
def test_a_carrier_of_the_kind_smpp(
    trunkline: Trunkline, written: Written, secret: str, shown: list[str], dialect: str
) -> None:
    given = secret.format(file=written("hunter2"))
    result = trunkline.run(*SMPP, "--option", given, *shown, typed="hunter2\n")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "Added carrier up (id 2).\n"


def test_the_state_of_carriers(trunkline: Trunkline, database: Database) -> None:
    with database.transaction() as connection:
        up = carriers.add(connection, "up", "simulator", {}, None, 0)
        down = carriers.add(connection, "down", "simulator", {}, None, 0)
        for carrier_id in (up, down):
            lease = leases.acquire(connection, carrier_id, "me", clock.MINUTE)
            assert lease is not None
            leases.renew(connection, lease, clock.MINUTE, up=carrier_id == up)
    assert [(row["name"], row["state"]) for row in trunkline.ok("carrier", "list")] == [
        ("simulator", "idle"),
        ("up", "up"),
        ("down", "down"),
    ]
