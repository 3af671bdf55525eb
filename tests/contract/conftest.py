"""A gateway that runs, on SQLite and on PostgreSQL, and what customers have in it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from string import Template
from zoneinfo import ZoneInfo

import pytest

from tests.support.door import Customer, Door
from tests.support.gateway import gateway
from tests.support.postgresql import Server


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def door(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """The door of a gateway on either database."""
    if request.param == "sqlite":
        yield Door(request.getfixturevalue("running_gateway"))
        return
    server: Server = request.getfixturevalue("postgresql")
    with server.database() as name:
        url = server.url(name)
        with gateway(tmp_path_factory.mktemp("contract") / "data", TRUNKLINE_DATABASE_URL=url) as running:
            yield Door(running, "--database-url", url)


@dataclass(frozen=True)
class World:
    """Two customers, and what each has: `names` gives the ids and dates that tables write as $name."""

    door: Door
    owner: Customer
    other: Customer
    poor: Customer
    names: dict[str, str] = field(default_factory=dict)

    def fill(self, text: str) -> str:
        return Template(text).substitute(self.names)


@pytest.fixture(scope="session")
def world(door: Door) -> World:
    """What the tables of calls refer to; the tests that use it leave it as it is."""
    now = datetime.now(UTC)
    zone, gap = _zone_with_gap(now)
    owner = door.customer("--credits", "100000", "--country", "34", "--timezone", zone.key)
    other = door.customer("--credits", "10")
    names = {"zone": zone.key, "gap": _written(gap)}
    local = now.astimezone(zone)
    names["past"] = _written(local - timedelta(days=1))
    names["far"] = _written(local + timedelta(days=800))
    names["soon"] = _written(local + timedelta(days=20))
    for prefix, customer in (("", owner), ("other_", other)):
        _furnish(door, customer, prefix, names)
    gone = door.call(owner.access, "template.addtemplate", {"title": "gone", "message": "gone"})["result"]["id"]
    assert door.outcome(owner.access, "template.deletetemplate", {"idtemplate": gone}) == "SUCCESS"
    slow = {"from": "Shop", "to": "34600000009", "sms": "Delivered after 30 seconds"}
    names["slow_message"] = door.call(owner.access, "sms.sendsms", slow)["result"]["messageid"]
    return World(door, owner, other, door.customer(), {**names, "deleted_template": gone})


def _furnish(door: Door, customer: Customer, prefix: str, names: dict[str, str]) -> None:
    def made(operation: str, **values: str) -> str:
        result: str = door.call(customer.access, operation, values)["result"]["id"]
        return result

    names[f"{prefix}template"] = made("template.addtemplate", title="Code", message="<name>, your code: <code>")
    names[f"{prefix}group"] = group = made("group.creategroup", name="All", fields="name,city")
    names[f"{prefix}empty_group"] = made("group.creategroup", name="Nobody")
    names[f"{prefix}contact"] = made("group.addcontact", idgroup=group, mobile="+34600000001", fields="name:Ana")
    made("group.addcontact", idgroup=group, mobile="+34600000002", fields="name:Luis")
    sent = {"from": "Shop", "to": "34600000001", "sms": "Hi"}
    names[f"{prefix}message"] = door.call(customer.access, "sms.sendsms", sent)["result"]["messageid"]


def _written(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M:%S")


def _zone_with_gap(now: datetime) -> tuple[ZoneInfo, datetime]:
    """A time zone whose clocks skip an hour within 300 days, and half past that hour as they would show it."""
    for zone in (ZoneInfo("Europe/Madrid"), ZoneInfo("Australia/Sydney")):
        hour = now.replace(minute=0, second=0, microsecond=0) + timedelta(days=1)
        for _ in range(24 * 300):
            before, after = hour.astimezone(zone), (hour + timedelta(hours=1)).astimezone(zone)
            if (after.utcoffset() or timedelta()) > (before.utcoffset() or timedelta()):
                return zone, before.replace(tzinfo=None) + timedelta(minutes=90)
            hour += timedelta(hours=1)
    raise AssertionError("no clock is put forward within 300 days")
