"""Every operation's error codes: how a call comes by each, and what cannot reach a front end, with its reason.

The rows follow from the catalogue. An operation or a code that is not provided for here fails by its name.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from gateway.docs import NEVER
from gateway.operations.catalogue import CATALOGUE, Operation
from gateway.operations.errors import Code
from tests.contract.cases.calls import names
from tests.support.doors import Asked, Caller, call_of

NOSUCH = "nosuch"
UNSERVED = "423660000001"
"""A number that no route serves on the stage."""
STOPPED = "34600000098"
"""A number that wants no more from the owner."""


class Stage(Protocol):
    """What the calls below refer to."""

    owner: Caller
    """May do everything and has credits."""
    poor: Caller
    """May do everything and has none."""
    other: Caller
    """Of an account whose templates and groups are nobody else's."""
    exhausted: Caller
    """An access that may make no more calls for now."""
    foreign: Caller
    """An access for a network that the calls do not come from."""
    unserved_group: str
    """A group of the owner's that no route serves."""
    stopped_group: str
    """A group of the owner's that wants no more."""

    def furnished(self, operation: Operation, caller: Caller) -> dict[str, str]:
        """Parameters with which the operation succeeds for the caller, if credits and routes allow it."""
        ...

    def confined_to(self, operation: str) -> Caller:
        """An access of the owner's account for one operation."""
        ...

    def guesser(self, operation: Operation) -> tuple[Caller, str]:
        """A caller whose password is wrong, and an address where nobody has guessed."""
        ...


Provoke = Callable[[Stage, Operation], Asked]


def _good(stage: Stage, operation: Operation) -> Asked:
    return call_of(operation, stage.owner, stage.furnished(operation, stage.owner))


def _as(caller: Callable[[Stage], Caller]) -> Provoke:
    return lambda stage, operation: replace(_good(stage, operation), caller=caller(stage))


def _with(**changes: str | None) -> Provoke:
    """Class and method other than the operation's."""
    return lambda stage, operation: replace(_good(stage, operation), **changes)  # type: ignore[arg-type]


def _other_class_alone(stage: Stage, operation: Operation) -> Asked:
    allowed = next(one.name for one in CATALOGUE.values() if one.class_name != operation.class_name)
    return replace(_good(stage, operation), caller=stage.confined_to(allowed))


def _guess(stage: Stage, operation: Operation) -> Asked:
    caller, source = stage.guesser(operation)
    return replace(_good(stage, operation), caller=caller, source=source)


def _changed(stage: Stage, operation: Operation, **values: str) -> Asked:
    good = _good(stage, operation)
    return replace(good, values={**good.values, **values})


def _without(stage: Stage, operation: Operation, name: str) -> Asked:
    good = _good(stage, operation)
    assert name in good.values, f"the example of {operation.name} has no {name}"
    return replace(good, values={key: value for key, value in good.values.items() if key != name})


def _missing(stage: Stage, operation: Operation) -> Asked:
    return _without(stage, operation, names(operation, compulsory=True)[-1])


# A value that each parameter cannot have.
WRONG = {
    "idtemplate": "x",
    "idgroup": "x",
    "idcontact": "x",
    "messages": "x",
    "from": "much too long a sender",
    "to": "nobody",
    "title": " ",
    "name": " ",
    "type": "x" * 4_001,
    "number": "nobody",
    "limit": "0",
}


def _wrong(stage: Stage, operation: Operation) -> Asked:
    for name in wire_names_of(operation):
        if name in WRONG:
            return _changed(stage, operation, **{name: WRONG[name]})
    raise AssertionError(f"say in tests/contract/cases/doors.py, WRONG, which value {operation.name} cannot take")


def wire_names_of(operation: Operation) -> list[str]:
    """An operation's parameters, the compulsory ones first."""
    return names(operation, compulsory=True) + names(operation, compulsory=False)


def _spoilt(stage: Stage, operation: Operation) -> Asked:
    return replace(_good(stage, operation), spoilt=True)


def _unserved(stage: Stage, operation: Operation) -> Asked:
    if "to" in wire_names_of(operation):
        return _changed(stage, operation, to=UNSERVED)
    return _changed(stage, operation, idgroup=stage.unserved_group)


def _stopped(stage: Stage, operation: Operation) -> Asked:
    if "to" in wire_names_of(operation):
        return _changed(stage, operation, to=STOPPED)
    return _changed(stage, operation, idgroup=stage.stopped_group)


def _poor(stage: Stage, operation: Operation) -> Asked:
    return call_of(operation, stage.poor, stage.furnished(operation, stage.poor))


def _others(*ids: str) -> Provoke:
    """One of these ids is another account's."""

    def provoke(stage: Stage, operation: Operation) -> Asked:
        theirs = stage.furnished(operation, stage.other)
        name = next(name for name in ids if name in theirs)
        return _changed(stage, operation, **{name: theirs[name]})

    return provoke


# What any call can be answered with.
COMMON: Mapping[Code, Provoke] = {
    Code.MISSING_USER: _as(lambda stage: replace(stage.owner, user=None)),
    Code.MISSING_PASSWORD: _as(lambda stage: replace(stage.owner, password=None)),
    Code.MISSING_CLASS: _with(class_name=None),
    Code.MISSING_METHOD: _with(method=None),
    Code.TOO_MANY_REQUESTS: _as(lambda stage: stage.exhausted),
    Code.IP_NOT_ALLOWED: _as(lambda stage: stage.foreign),
    Code.INCORRECT_USER_PASSWORD: _guess,
    Code.INCORRECT_CLASS: _with(class_name=NOSUCH),
    Code.INCORRECT_METHOD: _with(method=NOSUCH),
    Code.NOT_PERMITTED: _other_class_alone,
    Code.MISSING_COMPULSORY_PARAM: _missing,
    Code.INCORRECT_PARAM: _wrong,
}

# What an operation declares among its own errors.
OWN: Mapping[Code, Provoke] = {
    Code.INCORRECT_TYPE: lambda stage, operation: _changed(stage, operation, type="email"),
    Code.MISSING_MAIN_FIELD: lambda stage, operation: _without(stage, operation, "mobile"),
    Code.OPTED_OUT: _stopped,
    Code.NO_ROUTE_AVAILABLE: _unserved,
    Code.NO_CREDITS: _poor,
    Code.NOT_ACCESS_TO_TEMPLATE: _others("idtemplate"),
    Code.NOT_ACCESS_TO_GROUP: _others("idgroup", "idcontact"),
}

# What a call is answered with when something fails here; these need the fault to be made.
FAULTS = (Code.UNAVAILABLE, Code.INTERNAL_ERROR)

# HTTP statuses of the front ends that have their own; 400 for the rest.
STATUSES = {
    Code.MISSING_USER: 401,
    Code.MISSING_PASSWORD: 401,
    Code.INCORRECT_USER_PASSWORD: 401,
    Code.NO_CREDITS: 402,
    Code.IP_NOT_ALLOWED: 403,
    Code.NOT_PERMITTED: 403,
    Code.NOT_ACCESS_TO_TEMPLATE: 403,
    Code.NOT_ACCESS_TO_GROUP: 403,
    Code.INCORRECT_CLASS: 404,
    Code.INCORRECT_METHOD: 404,
    Code.TOO_MANY_REQUESTS: 429,
    Code.INTERNAL_ERROR: 500,
    Code.UNAVAILABLE: 503,
}

# A sentence that each front end says in its own words, since it tells where credentials go.
OWN_WORDS = (Code.MISSING_USER, Code.INCORRECT_USER_PASSWORD)

# By protocol and code: what cannot reach a front end, and why. `test_every_door` shows each.
UNREACHABLE = NEVER

# Front ends' files that take no calls of operations, and why.
NO_CALLS = {
    "jwt_tokens": "gives out tokens, with the error shapes of OAuth 2",
    "reference": "pages about the operations",
}


@dataclass(frozen=True)
class Row:
    """An operation, a code that it can answer, and how."""

    operation: Operation
    code: Code
    provoke: Provoke
    label: str

    def __str__(self) -> str:
        return f"{self.operation.name} {self.label}"


def impossible(operation: Operation, code: Code) -> str | None:
    """Why an operation cannot answer a code that is common to others; None where it can."""
    if code is Code.MISSING_COMPULSORY_PARAM and not names(operation, compulsory=True):
        return "it has no compulsory parameter"
    if code is Code.INCORRECT_PARAM and not wire_names_of(operation):
        return "it has no parameter, so that only the form of a call can be wrong"
    return None


def rows(operation: Operation) -> Iterator[Row]:
    """Every row of an operation; that of a code of its own that nothing here provokes fails."""
    for code, provoke in COMMON.items():
        if impossible(operation, code) is None:
            yield Row(operation, code, provoke, code.value)
    yield Row(operation, Code.INCORRECT_PARAM, _spoilt, f"{Code.INCORRECT_PARAM.value} by its form")
    for code in operation.errors:
        yield Row(operation, code, OWN.get(code, _unsaid(code)), code.value)


def _unsaid(code: Code) -> Provoke:
    def provoke(_: Stage, operation: Operation) -> Asked:
        raise AssertionError(
            f"say in tests/contract/cases/doors.py, OWN, how {operation.name} comes to answer {code}"
        )

    return provoke
