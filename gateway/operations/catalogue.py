"""The catalogue: every operation is declared once, here is how.

Parameter binding, the reference pages, the schemas and the tests' tables are all derived from these
declarations. A file of `gateway.operations` declares the operations of one class with `@operation`; importing
`gateway.operations` imports every file, so a new one needs no list to be extended.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from gateway.operations.context import Context, Outcome
from gateway.operations.errors import Code


class Parameters(BaseModel):
    """Base of every operation's parameters: the fields' names (or aliases) are the names on the wire.

    A field without a default is compulsory. Unknown parameters are ignored. An empty value is one not given:
    the pipeline drops it before the model sees it.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    # Names of parameters whose values the log keeps only by reference or not at all.
    TEXTS: ClassVar[frozenset[str]] = frozenset()
    SECRETS: ClassVar[frozenset[str]] = frozenset()


@cache
def wire_names(parameters: type[Parameters]) -> frozenset[str]:
    """The names that parameters of this type have on the wire."""
    return frozenset(field.alias or name for name, field in parameters.model_fields.items())


class NoParameters(Parameters):
    """For an operation that takes nothing beside the credentials."""


Run = Callable[[Context, Any], Outcome]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing the service can do. `errors` are its own, beside those that any call can be answered with."""

    class_name: str
    method: str
    parameters: type[Parameters]
    result: Any
    errors: tuple[Code, ...]
    summary: str
    example: Mapping[str, str]
    run: Run

    @property
    def name(self) -> str:
        """`class.method`, as permissions and logs write it."""
        return f"{self.class_name}.{self.method}"


CATALOGUE: dict[tuple[str, str], Operation] = {}


def operation(
    name: str,
    *,
    parameters: type[Parameters],
    result: Any,
    summary: str,
    example: Mapping[str, str],
    errors: tuple[Code, ...] = (),
) -> Callable[[Run], Run]:
    """Declare an operation and register the decorated function as what it does.

    `name` is `class.method`, lower case; methods are unique over all classes, since a SOAP operation is
    called by its method alone. `result` is the type of a successful result (a pydantic model or a plain
    type), used for documentation and schemas. Raises `ValueError` for a name that is taken.
    """
    class_name, method = name.split(".")

    def register(run: Run) -> Run:
        if any(method == other for _, other in CATALOGUE):
            raise ValueError(f"the method {method} is declared twice")
        CATALOGUE[class_name, method] = Operation(
            class_name, method, parameters, result, errors, summary, example, run
        )
        return run

    return register


def class_names() -> frozenset[str]:
    """The classes that the catalogue knows."""
    return frozenset(class_name for class_name, _ in CATALOGUE)


def method_names() -> frozenset[str]:
    """The methods that the catalogue knows, of all classes."""
    return frozenset(method for _, method in CATALOGUE)
