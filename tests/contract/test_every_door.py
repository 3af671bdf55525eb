"""Every operation at every front end: success and each error code that can reach it, a table from the catalogue."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from gateway.frontends import web_modules
from gateway.operations.catalogue import CATALOGUE, Operation
from gateway.operations.context import Outcome
from gateway.operations.errors import Code
from gateway.pipeline.call import Call
from gateway.storage.database import Database
from gateway.storage.errors import Unavailable
from tests.contract.cases import doors as cases
from tests.contract.cases.calls import OPERATIONS
from tests.contract.cases.doors import Row
from tests.support import furniture, soap
from tests.support.door import HOME, Customer, Door, Login
from tests.support.doors import ENTRIES, Caller, Entry, Jwt, PlainPost, Request, Soap, call_of, over_tcp
from tests.support.gateway import gateway
from tests.support.neutral import named
from tests.support.postgresql import Server
from tests.support.rawhttp import Response
from tests.support.tokens import Doors
from tests.support.wait import settled, until

OFFICE = "127.0.0.9"
AWKWARD = " Señor <&> \"'\n\tñ€ 日本 😀 %41&a=b+c;# "

# Most errors come before the storage, and the rest are tested on both kinds in tests/integration/operations.
on_sqlite = pytest.mark.parametrize("stage", ["sqlite"], indirect=True)
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
    stopped_group: str
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


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A gateway of its own, since it takes the route away that other tests need."""
    data = tmp_path_factory.mktemp("doors") / "data"
    if request.param == "sqlite":
        with gateway(data) as running:
            yield staged(Door(running))
        return
    server: Server = request.getfixturevalue("postgresql")
    with server.database() as name:
        url = server.url(name)
        with gateway(data, TRUNKLINE_DATABASE_URL=url) as running:
            yield staged(Door(running, "--database-url", url))


def staged(door: Door) -> Stage:
    door.cli("route", "add", "34", "simulator")
    door.cli("route", "remove", "", "simulator")
    zone = ("--country", "34", "--timezone", "Europe/Madrid")
    owner, poor, other = (door.customer(*zone, "--credits", credits_) for credits_ in ("10000.5", "0", "10"))
    entries = [entry(over_tcp(door.gateway.port)) for entry in ENTRIES]
    exhausted = caller(door.access(owner.email, "--rate", "4/h"))
    # Asking for a token is the one call that the access may make.
    next(entry for entry in entries if isinstance(entry, Jwt)).token(exhausted)
    unserved, stopped = (group_of(door, owner, number) for number in (cases.UNSERVED, cases.STOPPED))
    assert door.outcome(owner.access, "optout.addoptout", {"number": cases.STOPPED}) == "SUCCESS"
    door.receive(owner, AWKWARD)
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
        stopped_group=stopped,
        message=message,
    )
    for number, code in ((cases.UNSERVED, "NO_ROUTE_AVAILABLE"), (cases.STOPPED, "OPTED_OUT")):
        send = {**sent, "to": number}
        settled(lambda send=send, code=code: door.outcome(owner.access, "sms.sendsms", send) == code, code)
    until(lambda: door.status(owner.access, message) == ["DELIVERED"], 20, "DELIVERED")
    return found


def group_of(door: Door, owner: Customer, number: str) -> str:
    """A group with this one contact."""
    found: str = door.call(owner.access, "group.creategroup", {"name": number, "fields": "name"})["result"]["id"]
    contact = {"idgroup": found, "mobile": f"+{number}", "fields": "name:Eva"}
    assert door.outcome(owner.access, "group.addcontact", contact) == "SUCCESS"
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


@on_sqlite
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


class Faulty(Doors):
    """The front ends without their server, whose operations fail with `fault`."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.failures = 0

    def failure(self, call: Call, error: BaseException) -> None:
        """Counts what is answered INTERNAL_ERROR."""
        self.failures += 1

    def send(self, request: Request) -> Response:
        more = {} if request.content is None else {"data": request.content}
        answer = self.ask(request.path, request.source, headers=dict(request.headers), **more)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(answer.status_code, headers, answer.data)


@pytest.fixture
def dialect() -> str:
    """Of the database of the tests that make faults: they end before the storage."""
    return "sqlite"


FAULTS = {Code.UNAVAILABLE: Unavailable("The database is away."), Code.INTERNAL_ERROR: ZeroDivisionError("secret")}


@pytest.mark.parametrize("code", cases.FAULTS)
def test_fault(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: Code) -> None:
    def broken(*_: object) -> Outcome:
        raise FAULTS[code]

    faulty = Faulty(database, tmp_path / "doors")
    entries = [entry(faulty.send) for entry in ENTRIES]
    who = Caller("tl_shop", faulty.secret)
    try:
        for key, operation in CATALOGUE.items():
            monkeypatch.setitem(CATALOGUE, key, replace(operation, run=broken))
        for operation in OPERATIONS.values():
            answers = {entry: entry.ask(call_of(operation, who, operation.example)) for entry in entries}
            assert {entry.name: (answer.status, answer.outcome) for entry, answer in answers.items()} == {
                entry.name: (status(entry, code), code) for entry in entries
            }, operation.name
            assert not any("secret" in (answer.detail or "") for answer in answers.values())
            for entry, answer in answers.items():
                assert ("retry-after" in answer.headers) == (entry.statuses and code is Code.UNAVAILABLE)
    finally:
        faulty.close()
    assert faulty.failures == (len(OPERATIONS) * len(entries) if code is Code.INTERNAL_ERROR else 0)


def test_every_code_is_in_the_table() -> None:
    known = {*cases.COMMON, *cases.OWN, *cases.FAULTS}
    assert known == set(Code), "say in tests/contract/cases/doors.py how a call comes by these codes"
    declared = {code for operation in OPERATIONS.values() for code in operation.errors}
    assert declared == set(cases.OWN)


def test_every_front_end_is_in_the_table() -> None:
    modules = {module.__name__.rpartition(".")[2] for module in web_modules()}
    assert modules == {entry.module for entry in ENTRIES} | set(cases.NO_CALLS)


@on_sqlite
def test_a_new_operation_is_asked_how_it_comes_by_its_errors(stage: Stage) -> None:
    new = replace(OPERATIONS["user.getbalance"], method="getlimits", errors=(Code.MISSING_CLASS,))
    *_, row = cases.rows(new)
    with pytest.raises(AssertionError, match=r"say in .*doors\.py, OWN, how user\.getlimits .* MISSING_CLASS"):
        row.provoke(stage, new)


def test_what_an_operation_cannot_answer() -> None:
    """The exceptions from the common codes are these, and no more."""
    found = {
        (operation.name, code): reason
        for operation in OPERATIONS.values()
        for code in cases.COMMON
        if (reason := cases.impossible(operation, code)) is not None
    }
    bare = {(name, code) for name in ("user.getbalance", "group.getgroups") for code in (MISSING, INCORRECT)}
    all_optional = {(name, MISSING) for name in ("template.gettemplates", "sms.getinbound", "optout.getoptouts")}
    assert set(found) == bare | all_optional


MISSING, INCORRECT = Code.MISSING_COMPULSORY_PARAM, Code.INCORRECT_PARAM


def soap_outcomes(stage: Stage, element: str) -> set[str]:
    """What a Body is answered with in both versions; the element with the owner's credentials in it."""
    credentials = f"<user>{stage.owner.user}</user><password>{stage.owner.password}</password>"
    found = set()
    for entry in stage.entries:
        if isinstance(entry, Soap):
            content = soap.envelope(element.replace("...", credentials), version=entry.version)
            headers = {"Content-Type": soap.TYPES[entry.version]}
            balance = call_of(OPERATIONS["user.getbalance"], stage.owner, {})
            found.add(entry.read(balance, entry.send(Request("/api/soap/", headers, content))).outcome)
    return found


def jwt_outcomes(stage: Stage, authorization: str) -> set[str]:
    (entry,) = (entry for entry in stage.entries if isinstance(entry, Jwt))
    balance = call_of(OPERATIONS["user.getbalance"], stage.owner, {})
    request = entry.request(balance)
    headers = {**request.headers, "Authorization": authorization}
    return {entry.read(balance, entry.send(replace(request, headers=headers))).outcome}


UNREACHED = {
    ("jwt", Code.MISSING_PASSWORD): lambda stage: jwt_outcomes(stage, "Bearer ") == {"MISSING_USER"},
    ("soap", Code.MISSING_CLASS): lambda stage: soap_outcomes(stage, balance_of()) == {"SUCCESS"},
    ("soap", Code.INCORRECT_CLASS): lambda stage: soap_outcomes(stage, balance_of("<class>x</class>")) == {"SUCCESS"},
    ("soap", Code.MISSING_METHOD): lambda stage: soap_outcomes(stage, "") == {"Fault BadEnvelope"},
    ("soap", Code.INCORRECT_METHOD): lambda stage: (
        soap_outcomes(stage, soap.request(cases.NOSUCH)) == {"Fault NoSuchOperation"}
    ),
}


def balance_of(more: str = "") -> str:
    return f'<getbalance xmlns="{soap.NS}">...{more}</getbalance>'


def test_every_unreachable_code_is_shown() -> None:
    assert set(UNREACHED) == set(cases.UNREACHABLE)


@on_sqlite
@pytest.mark.parametrize("case", UNREACHED, ids=" ".join)
def test_unreachable(stage: Stage, case: tuple[str, Code]) -> None:
    assert UNREACHED[case](stage)


WITH_KEY = [name for name, one in OPERATIONS.items() if "idempotencykey" in cases.wire_names_of(one)]


@pytest.mark.parametrize("name", WITH_KEY)
def test_idempotency_key_of_another_front_end(stage: Stage, name: str) -> None:
    operation = OPERATIONS[name]
    values = {**stage.furnished(operation, stage.owner), "idempotencykey": f"key of {name}"}
    answers = [entry.ask(call_of(operation, stage.owner, values)) for entry in stage.entries]
    assert [answer.outcome for answer in answers] == ["SUCCESS"] * len(answers)
    assert all(answer.result == answers[0].result for answer in answers), answers


def test_text_is_the_same_whichever_way_it_came(stage: Stage) -> None:
    """Stored through each front end and listed by each."""
    add, list_ = OPERATIONS["template.addtemplate"], OPERATIONS["template.gettemplates"]
    made = {}
    for entry in stage.entries:
        answer = entry.ask(call_of(add, stage.poor, {"title": entry.name, "message": AWKWARD}))
        made[answer.result["id"]] = entry.name
    for entry in stage.entries:
        listed = entry.ask(call_of(list_, stage.poor, {})).result
        found = {one["title"]: one["message"] for one in listed if one["id"] in made}
        assert found == dict.fromkeys(made.values(), AWKWARD), entry.name


def test_log(stage: Stage) -> None:
    """Each call is in the log once, with its front end's protocol, whether it succeeded or not."""
    customer = stage.customers[stage.owner]
    access = stage.door.access(customer.email, name="logged")
    expected: Counter[tuple[str, str, str]] = Counter()
    for operation in OPERATIONS.values():
        for entry in stage.entries:
            asked = call_of(operation, caller(access), stage.furnished(operation, stage.owner))
            for one in (asked, replace(asked, spoilt=True)):
                expected[entry.protocol, operation.name, entry.ask(one).outcome] += 1
    assert {outcome for _, _, outcome in expected} == {"SUCCESS", "INCORRECT_PARAM"}

    def logged() -> Counter[tuple[str, str, str]]:
        rows = stage.door.cli("log", "list", "--access", access.user, "--limit", "1000")
        found = ((row["protocol"], row["operation"], row["outcome"]) for row in rows)
        return Counter(one for one in found if one[1] in OPERATIONS)

    until(lambda: logged().total() >= expected.total(), 20, "every call in the log")
    assert logged() == expected
