"""Every operation at every front end: success and each error code that can reach it, a table from the catalogue."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from gateway.operations.catalogue import Operation
from gateway.operations.errors import Code
from tests.contract.cases import doors as cases
from tests.contract.cases.calls import OPERATIONS
from tests.contract.cases.doors import Row
from tests.support import furniture
from tests.support.door import HOME, Customer, Door, Login
from tests.support.doors import ENTRIES, Caller, Entry, Jwt, PlainPost, call_of, over_tcp
from tests.support.gateway import gateway
from tests.support.neutral import named
from tests.support.wait import until

OFFICE = "127.0.0.9"
AWKWARD = " Señor <&> \"'\n\tñ€ 日本 😀 %41&a=b+c;# "

each_operation = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())


def caller(login: Login, home: str = HOME) -> Caller:
    return Caller(login.user, login.password, home)


@dataclass
class Stage:
    """A gateway of its own, whose one route is to Spain, and the callers of the table (`cases.doors.Stage`)."""

    door: Door
    entries: list[Entry]
    customers: dict[Caller, Customer]
    owner: Caller
    poor: Caller
    other: Caller
    exhausted: Caller
    foreign: Caller
    unserved_group: str
    message: str
    confined: dict[str, Caller] = field(default_factory=dict)

    def furnished(self, operation: Operation, caller: Caller) -> dict[str, str]:
        found = furniture.parameters(self.door, self.customers[caller], operation)
        if "messages" in found:
            found["messages"] = f"{self.message},1"
        return found

    def confined_to(self, operation: str) -> Caller:
        if operation not in self.confined:
            email = self.customers[self.owner].email
            self.confined[operation] = caller(self.door.access(email, "--operation", operation))
        return self.confined[operation]

    def guesser(self, operation: Operation) -> tuple[Caller, str]:
        source = f"127.1.0.{list(OPERATIONS).index(operation.name) + 1}"
        return Caller(self.owner.user, "not-the-password", genuine=False), source


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with gateway(tmp_path_factory.mktemp("doors") / "data") as running:
        yield staged(Door(running))


def staged(door: Door) -> Stage:
    door.cli("route", "add", "34", "simulator")
    door.cli("route", "remove", "", "simulator")
    zone = ("--country", "34", "--timezone", "Europe/Madrid")
    owner, poor, other = (door.customer(*zone, "--credits", credits_) for credits_ in ("10000.5", "0", "10"))
    entries = [entry(over_tcp(door.gateway.port)) for entry in ENTRIES]
    exhausted = caller(door.access(owner.email, "--rate", "4/h"))
    # Asking for a token is the one call that the access may make.
    next(entry for entry in entries if isinstance(entry, Jwt)).token(exhausted)
    unserved = door.call(owner.access, "group.creategroup", {"name": "Nobody's", "fields": "name"})["result"]["id"]
    contact = {"idgroup": unserved, "mobile": f"+{cases.UNSERVED}", "fields": "name:Eva"}
    assert door.outcome(owner.access, "group.addcontact", contact) == "SUCCESS"
    sent = {"from": "Shop", "to": "34600000001", "sms": AWKWARD}
    message = door.call(owner.access, "sms.sendsms", sent)["result"]["messageid"]
    customers = {caller(one.access): one for one in (owner, poor, other)}
    found = Stage(
        door,
        entries,
        customers,
        *customers,
        exhausted=exhausted,
        foreign=caller(door.access(owner.email, "--network", f"{OFFICE}/32"), OFFICE),
        unserved_group=unserved,
        message=message,
    )
    until(lambda: door.outcome(owner.access, "sms.sendsms", {**sent, "to": cases.UNSERVED}) == "NO_ROUTE_AVAILABLE")
    until(lambda: door.status(owner.access, message) == ["DELIVERED"], 20, "DELIVERED")
    return found


@each_operation
def test_success(stage: Stage, operation: Operation) -> None:
    found = {}
    for entry in stage.entries:
        values = stage.furnished(operation, stage.owner)
        answer = entry.ask(call_of(operation, stage.owner, values))
        found[entry.name] = (answer.status, answer.outcome, named(answer.result, values.get("messages", "")))
    expected = found[PlainPost.name][2]
    assert found == dict.fromkeys(found, (200, "SUCCESS", expected))
    assert (expected is None) == (operation.result is None)


ROWS = [row for operation in OPERATIONS.values() for row in cases.rows(operation)]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_error(stage: Stage, row: Row) -> None:
    asked = row.provoke(stage, row.operation)
    reached = [entry for entry in stage.entries if (entry.protocol, row.code) not in cases.UNREACHABLE]
    # At once, since wrong passwords that are tried together are hashed once.
    with ThreadPoolExecutor(len(reached)) as pool:
        given = list(pool.map(lambda entry: entry.ask(asked), reached))
    answers = {entry.name: answer for entry, answer in zip(reached, given, strict=True)}
    assert {name: (answer.status, answer.outcome) for name, answer in answers.items()} == {
        entry.name: (status(entry, row.code), row.code) for entry in reached
    }
    for name, answer in answers.items():
        assert ("www-authenticate" in answer.headers) == (answer.status == 401), name
        assert ("retry-after" in answer.headers) == (answer.status == 429), name
    if row.code not in cases.OWN_WORDS and not asked.spoilt:
        assert len({answer.detail for answer in answers.values()}) == 1, answers


def status(entry: Entry, code: Code) -> int:
    return cases.STATUSES.get(code, 400) if entry.statuses else 200
