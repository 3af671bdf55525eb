"""What an example is made of, and how its texts are written in the languages."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """A POST of urlencoded parameters, as an example makes it.

    `basic` is the login and the secret of HTTP Basic, `bearer` a token; at most one of them is given. The
    credentials of plain HTTP are among the parameters.
    """

    url: str
    parameters: Mapping[str, str]
    basic: tuple[str, str] | None = None
    bearer: str | None = None


def quoted(text: str) -> str:
    """A text as JavaScript, Java and C# write it in double quotes: all of them read JSON's escapes."""
    return json.dumps(text)


def single(text: str) -> str:
    """A text in single quotes, as PHP writes it."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def lines(call: Call, line: Callable[[str, str], str]) -> str:
    """A line of source for each parameter; nothing where there is none."""
    return "".join(line(name, value) + "\n" for name, value in call.parameters.items())


def block(parts: Iterable[str | None]) -> str:
    """Lines of source, without those that this call does not need."""
    return "\n".join(part for part in parts if part is not None) + "\n"
