"""Examples of every operation in the languages that customers write: one file per language.

Each has `LANGUAGE`, as viewers of OpenAPI name it for its colours, `LABEL`, and `source(call)`, which gives a whole
program. It makes the call and prints the body of the answer, and needs nothing beside the language's own library
(PHP: its cURL extension).
"""

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from gateway.frontends.reference.examples import csharp, curl, java, javascript, php, python
from gateway.frontends.reference.examples.call import Call

MODULES: tuple[ModuleType, ...] = (curl, python, php, javascript, java, csharp)
"""The languages, in the order they are shown."""


def samples(call: Call) -> Iterator[dict[str, Any]]:
    """Give what OpenAPI's extension `x-codeSamples` holds for an operation."""
    for module in MODULES:
        source: Callable[[Call], str] = module.source
        yield {"lang": module.LANGUAGE, "label": module.LABEL, "source": source(call)}
