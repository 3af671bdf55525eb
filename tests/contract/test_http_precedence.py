"""Which error wins where a call has several faults at once."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.contract.conftest import World
from tests.support.door import HOME, Customer, Login, error, form, reply
from tests.support.wait import until

# The first two are in the network that an access below allows, the third is not.
ALLOWED = "127.0.0.9"
GUESSER = "127.0.0.10"
FOREIGN = "127.0.0.3"
NETWORK = "127.0.0.8/30"

WRONG = "not-the-password"


@pytest.fixture(scope="session")
def caller(world: World) -> Customer:
    """An account without credits whose access is for a network, for an operation, and once in 15 minutes."""
    restricted = ("--network", NETWORK, "--operation", "user.getbalance", "--rate", "4/h")
    found = world.door.customer("--country", "34", access=restricted)
    assert world.door.outcome(found.access, "user.getbalance", source=ALLOWED) == "SUCCESS"
    return found


@pytest.fixture(scope="session")
def limited(world: World, caller: Customer) -> Login:
    """An access of the same account that may make no more calls for now, but any."""
    found = world.door.access(caller.email, "--rate", "4/h")
    assert world.door.outcome(found, "user.getbalance") == "SUCCESS"
    return found


def exhaust(world: World, who: Login, source: str) -> None:
    """Guess until no more guesses are heard."""
    wrong = Login(who.user, WRONG)
    for _ in range(30):
        if world.door.outcome(wrong, "user.getbalance", source=source) == "TOO_MANY_REQUESTS":
            return
    raise AssertionError("guesses are not held up")


def test_ladder(world: World, caller: Customer, limited: Login) -> None:
    """A call with every fault there is; each is mended in turn, and the next one shows.

    That TOO_MANY_REQUESTS comes before IP_NOT_ALLOWED takes a hundred guesses: tests/security shows it.
    """
    door, access = world.door, caller.access
    exhaust(world, access, GUESSER)
    values = {"sms": "a\0b", "to": "nobody"}

    def send(source: str = GUESSER) -> object:
        return reply(door.send(form({name: value for name, value in values.items() if value}), source=source))

    assert send() == error("MISSING_USER", "Give the access's login as user.")
    values["user"] = access.user
    assert send() == error("MISSING_PASSWORD", "Give the access's secret as password.")
    values["password"] = WRONG
    assert send() == error("MISSING_CLASS", "Give the class of the operation as class, for example sms.")
    values["class"] = "nosuch"
    assert send() == error("MISSING_METHOD", "Give the operation as method, for example sendsms.")
    values["method"] = "nosuch"
    exhaust(world, access, GUESSER)
    assert send() == error("TOO_MANY_REQUESTS", "Too many failed logins from this address: wait a minute.")
    found = send(FOREIGN)
    assert found["error"] == "IP_NOT_ALLOWED"
    assert FOREIGN in found["detail"]
    assert send(ALLOWED) == error("INCORRECT_USER_PASSWORD", "The user or the password is wrong.")
    values["password"] = access.password
    assert send(ALLOWED) == error(
        "INCORRECT_CLASS", "class: There is none of this name, only group, optout, sms, template, user."
    )
    values["class"] = "sms"
    assert send(ALLOWED)["error"] == "INCORRECT_METHOD"
    values["method"] = "sendsms"
    assert send(ALLOWED) == error("NOT_PERMITTED", "This access may not use the operation sms.sendsms.")
    values |= {"user": limited.user, "password": limited.password}
    found = send(HOME)
    assert found["error"] == "TOO_MANY_REQUESTS"
    assert "calls a second" in found["detail"]
    free = caller.own
    values |= {"user": free.user, "password": free.password}
    assert send(HOME) == error("MISSING_COMPULSORY_PARAM", "from: compulsory for sms.sendsms and not given.")
    values["from"] = "much too long a sender"
    assert send(HOME) == error("INCORRECT_PARAM", "sms is not valid UTF-8 text without NUL.")
    values["sms"] = "Hi"
    assert send(HOME)["detail"].startswith("from: The sender 'much too long a send…' is too long")
    values["from"] = "Shop"
    assert send(HOME)["detail"].startswith("to: The number 'nobody' holds characters")
    values["to"] = "34600000001"
    assert send(HOME) == error("NO_CREDITS", "The balance does not cover this send; nothing was sent.")


def test_a_right_secret_passes_where_wrong_ones_are_held_up(world: World) -> None:
    customer = world.door.customer()
    exhaust(world, customer.access, "127.0.0.5")
    assert world.door.outcome(customer.access, "user.getbalance", source="127.0.0.5") == "SUCCESS"


def test_from_a_foreign_network_a_right_password_reads_like_a_wrong_one(world: World, caller: Customer) -> None:
    right = world.door.call(caller.access, "user.getbalance", source="127.0.0.6")
    wrong = world.door.call(Login(caller.access.user, WRONG), "user.getbalance", source="127.0.0.6")
    assert right == wrong
    assert right["error"] == "IP_NOT_ALLOWED"


def test_an_unknown_user_reads_like_a_wrong_password(world: World, caller: Customer) -> None:
    replies = [
        world.door.call(Login(user, WRONG), operation, source="127.0.0.7")
        for user in (caller.email, "nobody@example.com")
        for operation in ("user.getbalance", "nosuch.nosuch", "sms.sendsms")
    ]
    assert replies == [error("INCORRECT_USER_PASSWORD", "The user or the password is wrong.")] * 6


@pytest.fixture(scope="session")
def unusable(world: World) -> dict[str, Login]:
    """Accesses that are of no use, by why; each but the last one lacks the operation, too."""
    door = world.door
    customer, suspended = door.customer("--timezone", "Asia/Tokyo"), door.customer()
    template_only = ("--operation", "template")
    soon = datetime.now(UTC) + timedelta(hours=9, seconds=3)
    found = {
        "This access was revoked.": door.access(customer.email, *template_only, name="revoked"),
        "This access has expired.": door.access(
            customer.email, *template_only, "--expires", soon.strftime("%Y-%m-%d %H:%M:%S")
        ),
        "The account is suspended.": door.access(suspended.email, *template_only, "--protocol", "soap"),
        "This access may not be used by the protocol http.": door.access(
            customer.email, *template_only, "--protocol", "soap", "--protocol", "basic"
        ),
        "This access may not use the operation user.getbalance.": door.access(customer.email, *template_only),
    }
    door.cli("access", "revoke", customer.email, "revoked")
    door.cli("account", "suspend", suspended.email)
    return found


REASONS = [
    "This access was revoked.",
    "This access has expired.",
    "The account is suspended.",
    "This access may not be used by the protocol http.",
    "This access may not use the operation user.getbalance.",
]


@pytest.mark.parametrize("reason", REASONS)
def test_not_permitted(world: World, unusable: dict[str, Login], reason: str) -> None:
    """Nothing but the reason is told, after the password and the operation's name and before the parameters."""
    door, who = world.door, unusable[reason]
    expected = error("NOT_PERMITTED", reason)
    assert until(lambda: door.call(who, "user.getbalance") == expected, what=reason)
    assert door.call(who, "user.getbalance", {"output": "foo"}) == expected
    assert door.outcome(Login(who.user, WRONG), "user.getbalance") == "INCORRECT_USER_PASSWORD"
    assert door.outcome(who, "user.nosuch") == "INCORRECT_METHOD"
    assert door.outcome(who, "nosuch.getbalance") == "INCORRECT_CLASS"


def test_operation_that_is_permitted(world: World, unusable: dict[str, Login]) -> None:
    assert world.door.outcome(unusable[REASONS[-1]], "template.gettemplates") == "SUCCESS"


def test_rate_counts_calls_of_every_operation(world: World) -> None:
    access = world.door.access(world.owner.email, "--rate", "3/h")
    found = [world.door.outcome(access, operation) for operation in ("user.getbalance", "sms.sendsms")]
    assert found == ["SUCCESS", "TOO_MANY_REQUESTS"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"idtemplate": "$other_template", "to": "34600000001", "params": "broken"}, "INCORRECT_PARAM"),
        ({"idtemplate": "$other_template", "to": "letters"}, "INCORRECT_PARAM"),
        ({"idtemplate": "$other_template", "to": "34600000001"}, "NOT_ACCESS_TO_TEMPLATE"),
        ({"idtemplate": "$template", "to": "34600000001", "params": "name:Ana,code:1"}, "NO_CREDITS"),
    ],
    ids=[
        "a broken parameter and no access",
        "a wrong number and no access",
        "no access and no credits",
        "no credits",
    ],
)
def test_parameters_before_what_they_name(world: World, values: dict[str, str], code: str) -> None:
    made = {"title": "t", "message": "<name> <code>"}
    template = world.door.call(world.poor.access, "template.addtemplate", made)["result"]["id"]
    filled = {name: template if value == "$template" else world.fill(value) for name, value in values.items()}
    assert world.door.outcome(world.poor.access, "sms.sendsmsfromtemplate", filled) == code
