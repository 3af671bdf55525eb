"""Which kinds of carrier there are: every module of this package that defines `KIND`.

Such a module has `KIND: str`, `OPTIONS: type[base.Options]`, `SECRETS: frozenset[str]` (the names of those
options that are kept encrypted), and `build(record, options, secrets, folder) -> base.Carrier`. One whose messages
reach nobody says so by `PRETENDS = True`.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import orjson
from pydantic import ValidationError

import gateway.carriers
from gateway.carriers import base
from gateway.storage.records import Carrier as Record


class Opens(Protocol):
    """Decrypts what is kept encrypted (`storage.keyfile.Sealer`)."""

    def open(self, sealed: bytes) -> bytes:
        """The plain bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of carrier."""

    name: str
    options: type[base.Options]
    secrets: frozenset[str]
    build: Callable[[Record, Any, Mapping[str, str], Path], base.Carrier]
    pretends: bool = False


class UnknownKind(ValueError):
    """There is no such kind of carrier."""


_PROBLEMS = {"extra_forbidden": "there is no such option", "missing": "it is missing"}


class WrongOption(ValueError):
    """An option that the kind does not know, or a value that it cannot have; the text never shows the value."""


@cache
def kinds() -> Mapping[str, Kind]:
    """Every kind by its name."""
    found: dict[str, Kind] = {}
    for info in pkgutil.iter_modules(gateway.carriers.__path__):
        module = importlib.import_module(f"{gateway.carriers.__name__}.{info.name}")
        name = getattr(module, "KIND", None)
        if name is not None:
            pretends = getattr(module, "PRETENDS", False)
            found[name] = Kind(name, module.OPTIONS, module.SECRETS, module.build, pretends)
    return found


def kind(name: str) -> Kind:
    """The kind of this name. Raises UnknownKind, its text naming those there are."""
    try:
        return kinds()[name]
    except KeyError:
        raise UnknownKind(f"{name!r} is no kind of carrier: it is one of {', '.join(sorted(kinds()))}.") from None


def pretends(name: str) -> bool:
    """Whether a carrier of this kind only does as if; False for a kind that there is not."""
    found = kinds().get(name)
    return found is not None and found.pretends


def check(name: str, options: Mapping[str, Any]) -> base.Options:
    """Read a kind's options (without its secrets). Raises UnknownKind and WrongOption."""
    try:
        return kind(name).options.model_validate(dict(options))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        problem = _PROBLEMS.get(first["type"]) or first["msg"].removeprefix("Value error, ")
        raise WrongOption(f"Option {where!r} of {name} carriers: {problem}.") from None


def check_secrets(name: str, secrets: Mapping[str, str]) -> None:
    """Look whether a kind's secrets are there, and nothing but these. Raises UnknownKind and WrongOption."""
    wanted = kind(name).secrets
    for given, value in secrets.items():
        if given not in wanted:
            raise WrongOption(f"Option {given!r} of {name} carriers: there is no such option.")
        if not all("\0" < character <= "\xff" for character in value):
            raise WrongOption(f"Option {given!r} of {name} carriers: it holds characters beyond Latin-1.")
    for missing in sorted(wanted - secrets.keys()):
        raise WrongOption(
            f"Option {missing!r} of {name} carriers: it is missing; write {missing}=@FILE, or {missing}=- for"
            " standard input."
        )


def build(record: Record, sealer: Opens | None, folder: Path) -> base.Carrier:
    """Make the adapter of a carrier; `folder` is where it may keep files of its own.

    Raises UnknownKind and WrongOption, and what `sealer` raises for secrets it cannot open.
    """
    chosen = kind(record.kind)
    secrets: Mapping[str, str] = {}
    if record.sealed_secrets is not None and sealer is not None:
        secrets = orjson.loads(sealer.open(record.sealed_secrets))
    return chosen.build(record, check(record.kind, record.options), secrets, folder)
