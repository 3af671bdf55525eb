"""The row that every call leaves in `call_log`: who, from where, what, the answer, and no secret.

Bounded: a value of 1,000 characters, 8 kB of parameters, 4 kB of response. What was cut says so in its place.
"""

from collections.abc import Mapping
from time import perf_counter_ns
from typing import Any

import orjson

from gateway.messaging.money import format_credits
from gateway.operations.catalogue import Operation, class_names, method_names, wire_names
from gateway.operations.context import Credits, Moment, Rows
from gateway.pipeline.call import Call, Reply
from gateway.pipeline.redact import REDACTED, Secrets, dumps, is_secret_name, line
from gateway.storage.records import Access
from gateway.storage.submission import Row

IGNORED = "[ignored]"
"""What is kept of a parameter that no operation asked for: under a misspelt name it may be a secret."""

VALUE_LIMIT = 1000
PARAMETERS_LIMIT = 8192
RESPONSE_LIMIT = 4096

_NAME_LIMIT = 64
_LOGIN_SHOWN = 3
_RESULT_TEXT_LIMIT = 200
_RESULT_ITEMS = 20
_MOST_MICROSECONDS = 2**31 - 1
_NONE: frozenset[str] = frozenset()

# In a result these are a message's text, which its own row keeps.
_RESULT_TEXTS = frozenset(("sms", "text", "message"))
_TEXT = "[text]"


def row(
    call: Call,
    reply: Reply,
    access: Access | None,
    operation: Operation | None,
    log_id: int,
    *,
    message_id: int | None = None,
    text: str | None = None,
) -> Row:
    """Make a call's row, in `submission.LOG_COLUMNS` order.

    `access` is the one the call was made with, or the one whose login a refused stranger gave; `operation` None
    where class and method name none. `message_id` and `text` are those of the one message that was accepted: a
    parameter with just that text is not copied but refers to it (`{"message": "<id>"}`).
    """
    secrets, parameters = _parameters(call, access, operation, message_id, text)
    return (
        log_id,
        call.received_at,
        None if access is None else access.account.id,
        None if access is None else access.id,
        _login(secrets, call, access),
        call.source_ip[:45],
        call.protocol,
        *_names(call, operation),
        parameters,
        reply.outcome,
        _response(reply, secrets),
        message_id,
        _http_status(call, reply),
        min(_MOST_MICROSECONDS, (perf_counter_ns() - call.started) // 1000),
        _hidden(secrets, call.user_agent, 200) if call.user_agent else None,
        _hidden(secrets, call.request_id, 64),
        1,
    )


def _login(secrets: Secrets, call: Call, access: Access | None) -> str | None:
    """The login that was used; of one that nobody has only the beginning, since it may be a secret gone astray."""
    if access is not None:
        return line(access.login, 254)
    shown = _hidden(secrets, call.login, 254) or None
    if shown is None or len(shown) <= _LOGIN_SHOWN:
        return shown
    return REDACTED if REDACTED in shown else f"{shown[:_LOGIN_SHOWN]}…"


def _names(call: Call, operation: Operation | None) -> tuple[str | None, str | None]:
    """Class and method; of one that is in no catalogue only the length, since it may be a secret gone astray."""
    named = operation or call.operation
    if named is not None:
        return named.class_name, named.method
    return _known(call.class_name, class_names()), _known(call.method, method_names())


def _known(given: str | None, names: frozenset[str]) -> str | None:
    if given is None:
        return None
    name = given.lower()
    return name if name in names else f"?[{len(given)}]"


def _http_status(call: Call, reply: Reply) -> int | None:
    if reply.error is None or call.statuses is None:
        return call.http_status
    return call.statuses[reply.error]


def _hidden(secrets: Secrets, text: str | None, limit: int) -> str | None:
    return None if text is None else line(secrets.hide(text), limit)


def _parameters(
    call: Call, access: Access | None, operation: Operation | None, message_id: int | None, text: str | None
) -> tuple[Secrets, str]:
    """Give the call's secrets, and its parameters as JSON without them."""
    declared = _NONE if operation is None else operation.parameters.SECRETS
    texts = _NONE if operation is None else operation.parameters.TEXTS
    names = _NONE if operation is None else wire_names(operation.parameters)
    redact_text = access is not None and access.account.redact_text
    hidden = [call.secret]
    kept: dict[str, Any] = {}
    for name, value in call.parameters.items():
        if name in declared or is_secret_name(name):
            hidden.append(value)
            kept[name] = REDACTED
        elif name not in names and name != "output":
            kept[name] = IGNORED
        elif name not in texts:
            kept[name] = value
        elif redact_text:
            hidden.append(value)
            kept[name] = REDACTED
        elif message_id is not None and value == text:
            kept[name] = {"message": str(message_id)}
        else:
            kept[name] = value
    secrets = Secrets(hidden)
    json = dumps(kept)
    if secrets.within(json):
        kept = secrets.hide_all(kept)
        json = dumps(kept)
    # Only after hiding: half a secret would not be found.
    if len(json) > VALUE_LIMIT:
        json = _fitted(kept)
    return secrets, json.decode()


def _fitted(parameters: Mapping[str, Any]) -> bytes:
    fitted: dict[str, Any] = {}
    room = PARAMETERS_LIMIT - 100
    for count, (name, value) in enumerate(parameters.items()):
        short = line(name, _NAME_LIMIT) or ""
        cut = _cut(value, VALUE_LIMIT)
        room -= len(dumps(short)) + len(dumps(cut)) + 2
        if room < 0:
            fitted["…"] = f"[{len(parameters) - count} more]"
            break
        fitted[short] = cut
    return dumps(fitted)


def _cut(value: Any, limit: int) -> Any:
    if isinstance(value, str) and len(value) > limit:
        return f"{value[:limit]}…[{len(value)} characters]"
    return value


def _response(reply: Reply, secrets: Secrets) -> str:
    body: dict[str, Any]
    if reply.error is None:
        body = {"status": "SUCCESS", "result": _brief(reply.result, secrets)}
    else:
        detail = reply.detail and secrets.hide(reply.detail)
        body = {"status": "ERROR", "error": reply.error.value, "detail": _cut(detail, VALUE_LIMIT)}
    json = dumps(body, _rendered)
    if len(json) > RESPONSE_LIMIT:
        json = dumps({"status": body["status"], "result": f"[{len(json)} bytes]"})
    return json.decode()


def _brief(value: Any, secrets: Secrets) -> Any:
    """Give a result as the log shows it: long lists and texts cut, the texts of messages left out."""
    if isinstance(value, str):
        return _cut(secrets.hide(value), _RESULT_TEXT_LIMIT)
    if isinstance(value, dict):
        return {secrets.hide(str(name)): _brief_field(str(name), inner, secrets) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        brief = [_brief(inner, secrets) for inner in value[:_RESULT_ITEMS]]
        return brief if len(value) <= _RESULT_ITEMS else [*brief, f"[{len(value) - _RESULT_ITEMS} more]"]
    return value


def _brief_field(name: str, value: Any, secrets: Secrets) -> Any:
    if not isinstance(value, str):
        return _brief(value, secrets)
    if name in _RESULT_TEXTS:
        return _TEXT
    return REDACTED if is_secret_name(name) else _brief(value, secrets)


def _rendered(value: Any) -> Any:
    if isinstance(value, Credits):
        return orjson.Fragment(format_credits(value.micro))
    if isinstance(value, Moment):
        return value.text
    if isinstance(value, Rows):
        return "[rows]"
    return f"[{type(value).__name__}]"
