"""Python 3, standard library."""

import json

from gateway.frontends.reference.examples.call import Call, block, lines

LANGUAGE = "Python"
LABEL = "Python"


def quoted(text: str) -> str:
    """A text in double quotes; JSON's escapes, but for those of characters beyond U+FFFF, which are two there."""
    return json.dumps(text, ensure_ascii=False)


def source(call: Call) -> str:
    """The script."""
    return block(
        [
            "from base64 import b64encode" if call.basic else None,
            "from urllib.error import HTTPError",
            "from urllib.parse import urlencode",
            "from urllib.request import Request, urlopen",
            "",
            _parameters(call),
            f"request = Request({quoted(call.url)}, data=urlencode(parameters).encode())",
            _authorization(call),
            "try:",
            "    answer = urlopen(request, timeout=30)",
            "except HTTPError as error:",
            "    answer = error",
            "print(answer.read().decode())",
        ]
    )


def _parameters(call: Call) -> str:
    if not call.parameters:
        return "parameters = {}"
    return "parameters = {\n" + lines(call, lambda name, value: f"    {quoted(name)}: {quoted(value)},") + "}"


def _authorization(call: Call) -> str | None:
    if call.basic is not None:
        return (
            f"credentials = b64encode({quoted(':'.join(call.basic))}.encode()).decode()\n"
            'request.add_header("Authorization", "Basic " + credentials)'
        )
    if call.bearer is not None:
        return f'request.add_header("Authorization", {quoted(f"Bearer {call.bearer}")})'
    return None
