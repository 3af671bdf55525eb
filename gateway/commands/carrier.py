"""`trunkline carrier`: the upstream SMSCs."""

import json
import re
from collections.abc import Mapping
from typing import Any

import click
from sqlalchemy import Connection

from gateway import clock
from gateway.carriers import registry
from gateway.commands import output
from gateway.commands.framework import BadInput, Failure, Group, session
from gateway.commands.parameters import NAME, read_secret
from gateway.messaging.quoting import quote
from gateway.storage.errors import Conflict
from gateway.storage.keyfile import KEY_FILE, Sealer
from gateway.storage.queries import carriers
from gateway.storage.queries.dispatch import leases
from gateway.storage.records import Carrier

KINDS = ("simulator", "smpp")

_OPTION = re.compile(r"([a-z][a-z0-9_]{0,63})=(.*)", re.DOTALL)
_SECRET = re.compile(r"(?:.*_)?(?:password|secret|key)")
_FILE = "_file"


def carrier_of(connection: Connection, name: str) -> Carrier:
    """The carrier of this name. Raises BadInput, naming it, when there is none."""
    found = carriers.find(connection, name)
    if found is None:
        raise BadInput(f"there is no carrier {quote(name)}")
    return found


@click.group(cls=Group)
def carrier() -> None:
    """Upstream SMSCs."""


@carrier.command("add")
@click.argument("name", type=NAME)
@click.option("--kind", type=click.Choice(KINDS), required=True)
@click.option(
    "--option",
    "given",
    multiple=True,
    metavar="KEY=VALUE",
    help="May be repeated. A secret is read from a file: password=@FILE, or - for standard input.",
)
def add(name: str, kind: str, given: tuple[str, ...]) -> None:
    """Add a carrier. Its secrets are kept encrypted and never shown."""
    options, secrets = _sorted_out(given, kind)
    _check(kind, options, secrets)
    sealed = None
    session_ = session()
    with session_.database() as database, database.transaction() as connection:
        if secrets:
            sealed = Sealer(session_.settings().data / KEY_FILE).seal(json.dumps(secrets).encode())
        carrier_id = carriers.add(connection, name, kind, options, sealed, clock.now())
        added = carrier_of(connection, name)
    output.done(f"Added carrier {name} (id {carrier_id}).", _described(added))


@carrier.command("list")
def list_() -> None:
    """List the carriers: whether messages can be sent to each (up), not at present (down), or nobody works it."""
    with session().database() as database, database.read() as connection:
        rows = carriers.list_(connection)
        owned = leases.down_since(connection)
    output.listing([{**_described(row), "state": _state(row.id, owned)} for row in rows])


@carrier.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Remove a carrier that no route and no unsent message needs."""
    with session().database() as database, database.transaction() as connection:
        gone = carrier_of(connection, name)
        try:
            carriers.remove(connection, gone.id)
        except Conflict as error:
            raise Failure(f"the carrier {name} cannot be removed. {error}") from None
    output.done(f"Removed carrier {name}.", {"id": str(gone.id), "name": name})


def _check(kind: str, options: dict[str, str], secrets: dict[str, str]) -> None:
    try:
        registry.check(kind, options)
        registry.check_secrets(kind, secrets)
    except registry.WrongOption as error:
        raise BadInput(str(error)) from None


def _state(carrier_id: int, owned: Mapping[int, int | None]) -> str:
    if carrier_id not in owned:
        return "idle"
    return "up" if owned[carrier_id] is None else "down"


def _sorted_out(given: tuple[str, ...], kind: str) -> tuple[dict[str, str], dict[str, str]]:
    """The options apart from the secrets, which are read from where they are."""
    known = registry.kind(kind).secrets
    options: dict[str, str] = {}
    secrets: dict[str, str] = {}
    for text in given:
        found = _OPTION.fullmatch(text)
        if found is None:
            # Not quoted: it may hold a secret.
            raise BadInput("an --option is written KEY=VALUE, its key in small letters, digits and _")
        name, value = found.groups()
        if name.endswith(_FILE):
            name, value = name.removesuffix(_FILE), f"@{value}"
            secret = True
        else:
            secret = name in known or _SECRET.fullmatch(name) is not None
        if name in options or name in secrets:
            raise BadInput(f"the option {name} is given twice")
        if secret:
            secrets[name] = _read(name, value)
        else:
            options[name] = value
    return options, secrets


def _read(name: str, value: str) -> str:
    if value != "-" and not value.startswith("@"):
        raise BadInput(
            f"the option {name} is a secret, so it stands on no command line:"
            f" write {name}=@FILE, or {name}=- for standard input"
        )
    return read_secret(value.removeprefix("@"))


def _described(row: Carrier) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "name": row.name,
        "kind": row.kind,
        "options": dict(row.options),
        "secrets": row.sealed_secrets is not None,
    }
