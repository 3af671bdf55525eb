"""How a call comes in: one file per front end. A web front end is a file with a function `routes`."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    # Front ends of other processes are in packages of this one: they must not load what only the web needs.
    from gateway.pipeline.call import Call, Reply
    from gateway.pipeline.grants import Grants
    from gateway.pipeline.tokens import Tokens
    from gateway.settings import Settings

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class Answers(Protocol):
    """What a front end needs of the gateway."""

    @property
    def settings(self) -> "Settings":
        """The installation's settings."""
        ...

    @property
    def tokens(self) -> "Tokens":
        """What verifies tokens."""
        ...

    @property
    def grants(self) -> "Grants":
        """What gives out tokens, renews and revokes them."""
        ...

    def handle(self, call: "Call") -> "Reply":
        """Take a call through the pipeline; never raises for what the caller did."""
        ...


@dataclass(frozen=True, slots=True)
class Route:
    """Where a WSGI application answers.

    `path` is answered with and without a slash at its end; with `below`, so is everything below it. `listed`
    routes are named on the front page.
    """

    path: str
    application: Application
    below: bool = False
    listed: bool = True


def web_modules() -> Iterator[ModuleType]:
    """Load and give every web front end: each file of this folder that has a function `routes`."""
    for file in iter_modules(__path__):
        module = import_module(f"{__name__}.{file.name}")
        if hasattr(module, "routes"):
            yield module


def web_routes(gateway: Answers) -> Iterator[Route]:
    """Give the routes of every web front end."""
    for module in web_modules():
        yield from module.routes(gateway)
