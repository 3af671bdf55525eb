"""JavaScript with fetch: Node 18 and later, as a module."""

from gateway.frontends.reference.examples.call import Call, block, lines, quoted

LANGUAGE = "JavaScript"
LABEL = "JavaScript"


def source(call: Call) -> str:
    """The module."""
    return block(
        [
            f"const answer = await fetch({quoted(call.url)}, {{",
            '  method: "POST",',
            _authorization(call),
            _parameters(call),
            "});",
            "console.log(await answer.text());",
        ]
    )


def _parameters(call: Call) -> str:
    if not call.parameters:
        return "  body: new URLSearchParams(),"
    given = lines(call, lambda name, value: f"    {quoted(name)}: {quoted(value)},")
    return f"  body: new URLSearchParams({{\n{given}  }}),"


def _authorization(call: Call) -> str | None:
    if call.basic is not None:
        return f'  headers: {{ Authorization: "Basic " + btoa({quoted(":".join(call.basic))}) }},'
    if call.bearer is not None:
        return f"  headers: {{ Authorization: {quoted(f'Bearer {call.bearer}')} }},"
    return None
