"""The first start: an operator, and a demo account to try everything with. No password is a default one."""

from typing import TypedDict

from sqlalchemy import Connection

from gateway import clock
from gateway.messaging.money import MICRO
from gateway.storage import passwords, versions
from gateway.storage.database import Database
from gateway.storage.queries import accesses, accounts, contacts, groups, ledger, operators, templates

OPERATOR = "operator"
DEMO_EMAIL = "demo@example.com"  # a domain that is nobody's (RFC 2606)
DEMO_CREDITS = 1_000 * MICRO
DEMO_COUNTRY = "34"

_ACCESS = "demo"
_TEMPLATE = ("Welcome", "Hello <name>, welcome to Trunkline.")
# What becomes of them follows from their last digits: delivered at once, delivered after about a second.
_CONTACTS = (("+34600000001", {"name": "Ana"}), ("+34600000100", {"name": "Luis"}))


class Login(TypedDict):
    """An operator's login and password, or an access's login and secret."""

    user: str
    secret: str


class Demo(Login):
    """The demo account's access, with its e-mail and that one's password, and what there is to try."""

    email: str
    password: str
    template: int
    group: int


class FirstStart(TypedDict):
    """What was made, secrets included: to be shown this once, and logged never. None: there was one already."""

    operator: Login | None
    demo: Demo | None


def first_start(database: Database, now: int | None = None) -> FirstStart | None:
    """Make an operator where there is none, and the demo account where there is no account.

    None where nothing was to be made. Of several processes that start at once, one makes them. `now` is in
    UTC microseconds. Raises Unavailable.
    """
    with database.read() as connection:
        if operators.any_exists(connection) and accounts.any_exists(connection):
            return None
    now = clock.now() if now is None else now
    with database.transaction() as connection:
        versions.bump(connection)  # locks its row: another process that starts waits here
        operator = None if operators.any_exists(connection) else _operator(connection, now)
        demo = None if accounts.any_exists(connection) else _demo(connection, now)
    return FirstStart(operator=operator, demo=demo) if operator or demo else None


def _operator(connection: Connection, now: int) -> Login:
    secret = passwords.new_secret()
    operators.create(connection, OPERATOR, passwords.hash_secret(secret), now)
    return Login(user=OPERATOR, secret=secret)


def _demo(connection: Connection, now: int) -> Demo:
    password, secret = passwords.new_secret(), passwords.new_secret()
    account = accounts.create(connection, DEMO_EMAIL, now=now, country=DEMO_COUNTRY)
    accesses.create(connection, account, DEMO_EMAIL, DEMO_EMAIL, passwords.hash_secret(password), now=now)
    accesses.create(connection, account, _ACCESS, _ACCESS, passwords.hash_secret(secret), now=now)
    ledger.grant(connection, account, DEMO_CREDITS, "to try with", now)
    template = templates.add(connection, account, *_TEMPLATE, "mobile", now)
    group = groups.create(connection, account, "Demo", "mobile", ["name"], now)
    contacts.add_many(connection, account, group, _CONTACTS, now)
    return Demo(user=_ACCESS, secret=secret, email=DEMO_EMAIL, password=password, template=template, group=group)
