"""SOAP clients that others wrote, against the running gateway: what each makes of the WSDL and of replies.

`make test` leaves this folder out, `make test-interop` runs it and writes docs/interoperability.md of it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gateway.operations.catalogue import CATALOGUE
from tests.interop import outside
from tests.interop.cells import Cell, held_to
from tests.interop.soap.clients import CLIENTS, Client, Site, call
from tests.support.door import Customer, Door
from tests.support.gateway import Gateway
from tests.support.wait import until

VERSIONS = ("1.1", "1.2")
ZONE = "Europe/Madrid"
# More digits than a floating-point number of 64 bits holds: it would make ….123001 of it.
LONG_CREDITS = "9007199253.123002"
CREDITS = "999999999.123457"
# 2**53 + 1 is the first whole number that such a number cannot be; the other is past 64 bits.
IDS = ("9007199254740993", "123456789012345678901")
TEXT = "ñ€ Ελλάδα 日本 😀👩‍👩‍👧 <&> \"quoted\" 'it' ]]>\nsecond line"


@dataclass
class Caller:
    """One client in one version, with a customer's credentials."""

    client: Client
    version: str
    site: Site
    door: Door
    customer: Customer

    def ask(
        self,
        operation: str,
        who: Customer | None = None,
        action: str | None = None,
        credentials: str = "elements",
        **values: str,
    ) -> Any:
        """What the client makes of the call."""
        login = (who or self.customer).access
        given = {"user": login.user, "password": login.password, **values}
        return call(self.client, self.site, self.version, operation, given, action, credentials)

    def send(self, text: str = "Hello", **more: Any) -> Any:
        return self.ask("sendsms", **{"from": "Trunkline", "to": "34600000001", "sms": text}, **more)

    def result(self, operation: str, **values: str) -> Any:
        """The result of a call that succeeds; None where there is none."""
        reply = self.ask(operation, **values)
        assert reply["status"] == "SUCCESS", reply
        return reply.get("result")

    def plain(self, operation: str, **values: str) -> Any:
        """The result of the same by plain HTTP."""
        return self.door.call(self.customer.access, operation, values)["result"]

    def group(self, *mobiles: str) -> str:
        made = self.plain("group.creategroup", name="All", fields="name,city")["id"]
        for mobile in mobiles:
            self.plain("group.addcontact", idgroup=made, mobile=mobile, fields="name:Ana,city:Rome")
        return str(made)


def wsdl(caller: Caller) -> None:
    """Every operation is found."""
    found = call(caller.client, caller.site, caller.version, "operations", {})
    assert sorted(found) == sorted(method for _, method in CATALOGUE)


def sendsms(caller: Caller) -> None:
    """A message goes out, with its id and price as they are by plain HTTP."""
    reply = caller.send()
    assert reply["status"] == "SUCCESS", reply
    assert "error" not in reply
    result = reply["result"]
    assert (result["credits"], result["encoding"], result["segments"]) == ("1", "GSM7", "1")
    (row,) = caller.plain("sms.getdeliverystatus", messages=result["messageid"])
    assert (row["messageid"], row["sms"]) == (result["messageid"], "Hello")


def a_list(caller: Caller) -> None:
    """Of several: in the order asked, with what is missing left out."""
    rows = caller.result("getdeliverystatus", messages="1,3,2")
    unknown = [{"messageid": number, "deliverystatus": "UNKNOWN"} for number in "132"]
    assert [{name: value for name, value in row.items() if value} for row in rows] == unknown


def a_list_inside(caller: Caller) -> None:
    """A list among other members of the result, and one in each of its items."""
    group = caller.group("+34600000001", "+34600000002")
    contacts = caller.result("getcontacts", idgroup=group)["contacts"]
    assert [contact["mobile"] for contact in contacts] == ["+34600000001", "+34600000002"]
    plain = caller.plain("group.getcontacts", idgroup=group)["contacts"]
    assert [contact["id"] for contact in contacts] == [contact["id"] for contact in plain]
    for contact in contacts:
        found = [(field["name"], field["value"]) for field in contact["fields"]]
        assert found == [("name", "Ana"), ("city", "Rome")]


def a_list_of_one(caller: Caller) -> None:
    """A list still, and no single value."""
    rows = caller.result("getdeliverystatus", messages="1")
    assert [row["messageid"] for row in rows] == ["1"]


def an_empty_list(caller: Caller) -> None:
    """No items, whatever the client has for that."""
    found = caller.result("getcontacts", idgroup=caller.group())
    assert not (found or {}).get("contacts")


def a_business_error(caller: Caller) -> None:
    """A reply like others, not an exception."""
    poor = caller.door.customer("--country", "34")
    reply = caller.send(who=poor)
    assert (reply["status"], reply["error"]) == ("ERROR", "NO_CREDITS"), reply
    assert reply["detail"]
    assert "result" not in reply


def a_fault(caller: Caller) -> None:
    """An exception of the client's own, with our code and sentence."""
    found = caller.send(action="urn:trunkline:sms:1#getbalance")
    assert found["fault"].rpartition(":")[2] == "Client", found
    assert "sendsms" in found["text"]


def a_fault_of_1_2(caller: Caller) -> None:
    """As `a_fault`; the code shows that SOAP 1.2 was spoken."""
    found = caller.send(action="urn:trunkline:sms:1#getbalance")
    assert found["fault"].rpartition(":")[2] == "Sender", found
    assert "sendsms" in found["text"]


def credentials(caller: Caller, way: str) -> None:
    """They arrive when given so: the answer is about the account that they are of."""
    other = caller.door.customer("--credits", "7.25", "--country", "34")
    reply = caller.ask("getbalance", who=other, credentials=way)
    assert (reply["status"], reply.get("result")) == ("SUCCESS", "7.25"), reply


def ids(caller: Caller) -> None:
    rows = caller.result("getdeliverystatus", messages=",".join(IDS))
    assert [row["messageid"] for row in rows] == list(IDS)


def balance(caller: Caller, credit: str) -> None:
    rich = caller.door.customer("--credits", credit, "--country", "34")
    reply = caller.ask("getbalance", who=rich)
    assert (reply["status"], reply["result"]) == ("SUCCESS", credit)


def dates(caller: Caller) -> None:
    """The same moment as plain HTTP gives in the account's time zone."""
    sent = caller.send()["result"]["messageid"]
    until(lambda: caller.door.status(caller.customer.access, sent) == ["DELIVERED"], 20, "DELIVERED")
    (plain,) = caller.plain("sms.getdeliverystatus", messages=sent)
    expected = datetime.fromisoformat(plain["deliverydate"]).replace(tzinfo=ZoneInfo(ZONE))
    # Of two, since one might be given without its list.
    row, _ = caller.result("getdeliverystatus", messages=f"{sent},1")
    given = datetime.fromisoformat(row["deliverydate"])
    assert given.tzinfo is not None
    assert abs(given.astimezone(UTC) - expected) < timedelta(seconds=1)


def text(caller: Caller) -> None:
    """There and back: as it arrived by plain HTTP, and as the client reads it."""
    sent = caller.send(TEXT)["result"]["messageid"]
    (plain,) = caller.plain("sms.getdeliverystatus", messages=sent)
    assert plain["sms"] == TEXT
    row, _ = caller.result("getdeliverystatus", messages=f"{sent},1")
    assert row["sms"] == TEXT


CHECKS: dict[str, Callable[[Caller], None]] = {
    "WSDL": wsdl,
    "sendsms": sendsms,
    "list": a_list,
    "list in a list": a_list_inside,
    "list of one": a_list_of_one,
    "empty list": an_empty_list,
    "business error": a_business_error,
    "Fault": a_fault,
    "big ids": ids,
    "decimals": lambda caller: balance(caller, CREDITS),
    "decimals of 16 digits": lambda caller: balance(caller, LONG_CREDITS),
    "dates": dates,
    "non-ASCII text": text,
    "UsernameToken": lambda caller: credentials(caller, "token"),
    "HTTP Basic": lambda caller: credentials(caller, "basic"),
}


def cases() -> Iterator[Any]:
    """Every client in every version with every check; of a version that it cannot speak the Fault, which shows it."""
    for client in CLIENTS:
        for version in VERSIONS:
            reason = client.limits.get(f"SOAP {version}")
            for check in CHECKS if reason is None else ["Fault"]:
                limit = reason or client.limits.get(check)
                yield pytest.param(client, version, check, limit, id=f"{client.name}-{version}-{check}")


@pytest.fixture(scope="session")
def door(running_gateway: Gateway) -> Door:
    return Door(running_gateway)


@pytest.fixture(scope="session")
def customer(door: Door) -> Customer:
    return door.customer("--credits", "10000", "--country", "34", "--timezone", ZONE)


@pytest.fixture(scope="session")
def site(running_gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(f"{running_gateway.url}/api/soap/?wsdl", tmp_path_factory.mktemp("soap"))


@pytest.mark.parametrize(("client", "version", "check", "limit"), list(cases()))
def test_client(
    client: Client,
    version: str,
    check: str,
    limit: str | None,
    site: Site,
    door: Door,
    customer: Customer,
    record_property: Callable[[str, object], None],
) -> None:
    outside.need(*client.tools)
    record_property("cell", Cell("SOAP", f"{client.name} {client.version()}", f"SOAP {version}", check, limit))
    caller = Caller(client, version, site, door, customer)
    run = a_fault_of_1_2 if check == "Fault" and version == "1.2" else CHECKS[check]
    held_to(limit, lambda: run(caller))
