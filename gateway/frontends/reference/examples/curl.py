"""curl in a POSIX shell."""

from gateway.frontends.reference.examples.call import Call

LANGUAGE = "Shell"
LABEL = "curl"


def quoted(text: str) -> str:
    """A word in single quotes, as a POSIX shell reads it."""
    return "'" + text.replace("'", "'\\''") + "'"


def source(call: Call) -> str:
    """The command."""
    words = [f"curl -sS {quoted(call.url)}"]
    if call.basic is not None:
        words.append(f"-u {quoted(':'.join(call.basic))}")
    if call.bearer is not None:
        words.append(f"-H {quoted(f'Authorization: Bearer {call.bearer}')}")
    words.extend(f"--data-urlencode {quoted(f'{name}={value}')}" for name, value in call.parameters.items())
    if not call.parameters:
        words.append("-d ''")
    return " \\\n  ".join(words) + "\n"
