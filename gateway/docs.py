"""The pages that are made from the code: operations from the catalogue, settings from their declaration.

`python -m gateway.docs` writes them into `docs/`; a test holds them equal to what is written here.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

import gateway.operations  # noqa: F401 - fills the catalogue
from gateway.operations.catalogue import CATALOGUE, Operation
from gateway.operations.errors import MEANING, Code
from gateway.settings import Settings

GENERATED = "<!-- Made from the code by `make docs`; change it there. -->"

_COMMON = """\
# Operations

{generated}

Every operation can be called through every front end. Its parameters stand beside the credentials, `class`
and `method`, which are never repeated below. An empty value counts as not given; unknown parameters are
ignored; one that is given twice with different values is INCORRECT_PARAM.

Any call can be answered MISSING_USER, MISSING_PASSWORD, MISSING_CLASS, MISSING_METHOD, TOO_MANY_REQUESTS,
IP_NOT_ALLOWED, INCORRECT_USER_PASSWORD, INCORRECT_CLASS, INCORRECT_METHOD, NOT_PERMITTED,
MISSING_COMPULSORY_PARAM, INCORRECT_PARAM, UNAVAILABLE or INTERNAL_ERROR; `detail` says in a sentence what was
wrong. The errors listed with an operation come on top. See [errors](errors.md).
"""

_SETTINGS = """\
# Settings

{generated}

An option of the command line wins over a variable, a variable over the file that `--config` names (TOML, the
names below).

| name | variable | default | meaning |
|---|---|---|---|
"""

_ERRORS = """\
# Errors

{generated}

A refused call is answered `{{"status": "ERROR", "error": CODE, "detail": "…"}}`. The first of these that applies
wins, in this order; an operation's own come last. UNAVAILABLE and INTERNAL_ERROR can come at any point. A send
that was answered with an error sent nothing and cost nothing, except that after UNAVAILABLE it may have been
stored just before the database went away: repeat it with an `idempotencykey` to be sure that it goes out once.

| code | meaning and what to do |
|---|---|
"""

_NEVER = """
## What a front end never answers

Every other code can come at every door. SOAP answers what is no valid call with a Fault, which is none of these;
`/api/jwt/token` and `/api/jwt/revoke` put OAuth 2.0's `error` beside the code ([jwt](jwt.md)).

| front end | code | why not |
|---|---|---|
"""

NEVER: Mapping[tuple[str, Code], str] = {
    ("jwt", Code.MISSING_PASSWORD): "A token is one piece: without it the call has no user either.",
    ("soap", Code.MISSING_CLASS): "A method names its class: there is no class to leave out.",
    ("soap", Code.INCORRECT_CLASS): "A method names its class: an element `class` is unknown, and ignored.",
    ("soap", Code.MISSING_METHOD): "A Body without an element is no call, and is answered with a Fault.",
    ("soap", Code.INCORRECT_METHOD): "An element that the WSDL does not have is no call: a Fault says so.",
}
"""By protocol and code: what cannot reach a front end, and why."""


def operations_page() -> str:
    """docs/operations.md."""
    sections = [_COMMON.format(generated=GENERATED)]
    for name in sorted({operation.class_name for operation in CATALOGUE.values()}):
        sections.append(f"## {name}\n")
        sections.extend(_section(operation) for operation in CATALOGUE.values() if operation.class_name == name)
    return "\n".join(sections)


def settings_page() -> str:
    """docs/settings.md."""
    rows = [
        f"| `{name}` | `TRUNKLINE_{name.upper()}` | {_default(field)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return _SETTINGS.format(generated=GENERATED) + "\n".join(rows) + "\n"


def errors_page() -> str:
    """docs/errors.md."""
    rows = [f"| `{code}` | {meaning} |\n" for code, meaning in MEANING.items()]
    never = [f"| {protocol} | `{code}` | {why} |\n" for (protocol, code), why in NEVER.items()]
    return "".join([_ERRORS.format(generated=GENERATED), *rows, _NEVER, *never])


def _section(operation: Operation) -> str:
    return "\n".join(
        [
            f"### {operation.name}\n",
            f"{operation.summary}\n",
            *_parameters(operation),
            f"Result: {_result(operation.result)}\n",
            *_errors(operation),
            "```",
            _example(operation),
            "```",
            "",
        ]
    )


def _parameters(operation: Operation) -> Iterator[str]:
    fields = operation.parameters.model_fields
    if not fields:
        yield "No parameters.\n"
        return
    yield "| parameter | | meaning |\n|---|---|---|"
    for name, field in sorted(fields.items(), key=lambda item: not item[1].is_required()):
        need = "compulsory" if field.is_required() else "optional"
        yield f"| `{field.alias or name}` | {need} | {field.description or ''} |"
    yield ""


def _errors(operation: Operation) -> Iterator[str]:
    if operation.errors:
        yield f"Errors: {', '.join(operation.errors)}.\n"


def _example(operation: Operation) -> str:
    call = {"class": operation.class_name, "method": operation.method, **operation.example}
    return "\n".join(f"{name}={value}" for name, value in call.items())


def _result(shape: Any) -> str:
    if shape is None or shape is type(None):
        return "nothing (`null`)."
    if get_origin(shape) is list:
        return f"a list of {_result(get_args(shape)[0])}"
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        return "an object.\n\n" + "\n".join(_result_fields(shape))
    return f"{_type(shape)}."


def _result_fields(model: type[BaseModel]) -> Iterator[str]:
    yield "| field | type | meaning |\n|---|---|---|"
    for name, field in model.model_fields.items():
        yield f"| `{field.alias or name}` | {_type(field.annotation)} | {field.description or ''} |"


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(str(argument) for argument in arguments)
    if origin in (Union, UnionType):
        return " or ".join("null" if argument is type(None) else _type(argument) for argument in arguments)
    if origin is list:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return "object"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "{" + ", ".join(field.alias or name for name, field in annotation.model_fields.items()) + "}"
    return {
        "str": "text",
        "int": "whole number",
        "Decimal": "number",
        "bool": "true or false",
        "datetime": "date",
    }.get(getattr(annotation, "__name__", ""), str(annotation))


def _default(field: FieldInfo) -> str:
    value = field.default
    if value in ("", (), frozenset()):
        return "empty"
    return "none" if value is None else f"`{value}`"


PAGES = {"errors.md": errors_page, "operations.md": operations_page, "settings.md": settings_page}


def main() -> None:
    """Write the pages into `docs/` of the working directory."""
    for name, page in PAGES.items():
        Path("docs", name).write_text(page(), encoding="utf-8")
        sys.stdout.write(f"docs/{name}\n")


if __name__ == "__main__":
    main()
