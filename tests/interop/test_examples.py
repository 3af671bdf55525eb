"""The reference's examples, as the page shows them with a customer's own credentials, do what they say."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from gateway.frontends.reference.document import operation_path
from gateway.frontends.reference.doors import BASIC, DOORS, JWT, PLAIN, Door, Login
from gateway.frontends.reference.examples import MODULES, samples
from gateway.frontends.reference.examples.call import Call
from gateway.operations.catalogue import CATALOGUE, Operation
from tests.interop.languages import LANGUAGES, Language
from tests.support import furniture
from tests.support.door import Customer
from tests.support.door import Door as FrontDoor
from tests.support.gateway import Gateway

OPERATIONS = list(CATALOGUE.values())
# What needs each language's escapes: quotes of every kind, a backslash, what templates expand, emoji.
AWKWARD = """"Quoted", 'it\\'s' `$HOME` ${x} #{y} {z} \\n %d&a=b+c €ñ 日本 😀\nand a second line"""

each_language = pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.label)
each_door = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)


@pytest.fixture(scope="session")
def front(running_gateway: Gateway) -> FrontDoor:
    return FrontDoor(running_gateway)


@pytest.fixture(scope="session")
def customer(front: FrontDoor) -> Customer:
    return front.customer("--credits", "10000", "--country", "34")


@pytest.fixture(scope="session")
def poor(front: FrontDoor) -> Customer:
    return front.customer("--country", "34")


@pytest.fixture(autouse=True)
def _installed(language: Language) -> None:
    if language.missing:
        pytest.fail(f"{', '.join(language.missing)} missing: apt-get install {language.packages}", pytrace=False)


def login(front: FrontDoor, customer: Customer, door: Door) -> Login:
    """The customer's credentials, and a token where the door takes one."""
    who = customer.access
    if door is not JWT:
        return Login(who.user, who.password)
    body = urlencode({"user": who.user, "password": who.password}).encode()
    with urlopen(f"{front.gateway.url}/api/jwt/token", body, timeout=30) as answer:
        return Login(who.user, who.password, json.load(answer)["access_token"])


def ran(language: Language, call: Call, folder: Path) -> Any:
    """The reply that the example in this language printed."""
    (source,) = [sample["source"] for sample in samples(call) if sample["label"] == language.label]
    return json.loads(language.run(source, folder))


def example(front: FrontDoor, customer: Customer, door: Door, operation: Operation, values: dict[str, str]) -> Call:
    """The call of the operation's example, with the running gateway's URL and the customer's credentials."""
    url = front.gateway.url + operation_path(door, operation)
    return door.call(url, values, login(front, customer, door))


@each_language
def test_language_is_one_of_the_reference(language: Language) -> None:
    """In the order of the reference: one that is added there is run here."""
    assert language.label == MODULES[LANGUAGES.index(language)].LABEL
    assert len(MODULES) == len(LANGUAGES)


@each_language
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_example(
    front: FrontDoor, customer: Customer, language: Language, operation: Operation, tmp_path: Path
) -> None:
    """Each operation in each language; the doors take turns, so that each operation goes through all of them."""
    door = DOORS[(OPERATIONS.index(operation) + LANGUAGES.index(language)) % len(DOORS)]
    values = furniture.parameters(front, customer, operation)
    reply = ran(language, example(front, customer, door, operation, values), tmp_path)
    assert reply["status"] == "SUCCESS", reply


@each_language
@each_door
def test_refusal_is_printed(front: FrontDoor, poor: Customer, language: Language, door: Door, tmp_path: Path) -> None:
    operation = CATALOGUE["sms", "sendsms"]
    reply = ran(language, example(front, poor, door, operation, dict(operation.example)), tmp_path)
    assert (reply["status"], reply["error"]) == ("ERROR", "NO_CREDITS")


@each_language
@each_door
def test_awkward_text_arrives(
    front: FrontDoor, customer: Customer, language: Language, door: Door, tmp_path: Path
) -> None:
    values = {"title": "Awkward", "message": AWKWARD}
    call = example(front, customer, door, CATALOGUE["template", "addtemplate"], values)
    made = ran(language, call, tmp_path)["result"]["id"]
    found = {row["id"]: row["message"] for row in front.call(customer.access, "template.gettemplates")["result"]}
    assert found[made] == AWKWARD


@each_language
@pytest.mark.parametrize("door", [PLAIN, BASIC], ids=lambda door: door.name)
def test_awkward_password_arrives(
    front: FrontDoor, customer: Customer, language: Language, door: Door, tmp_path: Path
) -> None:
    """A password with quotes and a colon is wrong here, and not a broken program."""
    wrong = Login(customer.access.user, """a:"b'c\\d$e`f""")
    call = door.call(f"{front.gateway.url}{door.path}user/getbalance", {}, wrong)
    assert ran(language, call, tmp_path)["error"] in ("INCORRECT_USER_PASSWORD", "TOO_MANY_REQUESTS")
