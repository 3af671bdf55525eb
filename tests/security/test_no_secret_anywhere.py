"""A running gateway writes no secret down: not in its database, its files, its logs, its metrics, its processes."""

import base64
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import quote, quote_plus
from uuid import uuid4

import psycopg
import pytest

from gateway.hosting.welcome import FILE
from gateway.smpp import pdu
from gateway.smpp.codec import encode
from gateway.storage.keyfile import KEY_FILE
from tests.support.door import FORM, JSON, MULTIPART, Door, Login, form, given, multipart
from tests.support.gateway import Gateway, descendants, gateway
from tests.support.postgresql import Server
from tests.support.rawhttp import ask
from tests.support.smpp import Esme, Gone
from tests.support.wait import settled, until

# Characters that every way of writing it down would change.
AWKWARD = ' ä/%+&="q'
BEGINNING = 12


def secret(awkward: bool = False) -> str:
    return f"Zk{uuid4().hex[:18]}" + (AWKWARD if awkward else "")


@dataclass
class Traces:
    """What a gateway that was used in every way left behind, by where; and the secrets it was used with."""

    secrets: dict[str, str] = field(default_factory=dict)
    places: dict[str, bytes] = field(default_factory=dict)


# Where callers put a secret by mistake, beside its own parameter: parameters, header fields.
MISTAKES: list[tuple[dict[str, str], dict[str, str]]] = [
    ({}, {}),
    ({"pass": "{}"}, {}),
    ({"note": "my password is {}"}, {}),
    ({"output": "{}"}, {}),
    ({"class": "{}"}, {}),
    ({"method": "{}"}, {}),
    ({"{}": "1"}, {}),
    ({"method": "sendsms", "from": "{}", "to": "34600000001", "sms": "Hi"}, {}),
    ({"method": "sendsms", "from": "Shop", "to": "{}", "sms": "Hi"}, {}),
    ({"method": "sendsms", "from": "Shop", "to": "0", "sms": "The password is {}"}, {}),
    ({"method": "sendsms", "from": "Shop", "to": "34600000001", "sms": "Hi", "scheduledatetime": "{}"}, {}),
    ({"method": "sendsms", "from": "Shop", "to": "34600000001", "sms": "Hi", "idempotencykey": "{}\n"}, {}),
    ({"method": "sendsmsfromtemplate", "to": "34600000001", "idtemplate": "{}", "params": "{}:{}"}, {}),
    ({"method": "getdeliverystatus", "messages": "1,{}"}, {}),
    ({}, {"User-Agent": "client {}"}),
    ({}, {"X-Request-Id": "{}"}),
    ({}, {"Referer": "https://shop.example/?password={}"}),
    ({}, {"Cookie": "password={}"}),
    ({}, {"Authorization": "Bearer {}"}),
    ({}, {"X-Forwarded-For": "{}"}),
]

# How callers call the password that is then missing.
MISSPELT = ["pass", "Password", "PASSWORD", "pasword", "passw", "passwd", "pass_word", "pwd"]


# Calls in which the password stands where nobody looks for one: what is given in place of user and password.
ASTRAY: list[dict[str, str]] = [
    {"user": "{password}"},
    {"user": "{password}", "password": ""},
    {"user": "{password}", "password": "no password of anybody"},
    {"user": "{password}", "password": "{password}"},
    {"user": "{password}", "password": "{user}"},
    {"user": "{user}:{password}"},
    {"user": "{user}:{password}", "password": "no password of anybody"},
    {"user": "{user}:{password}", "password": "{password}"},
    {"user": "{user} {password}", "password": "{user}"},
    {"clave": "{password}"},
    {"user": "{user}", "clave": "{password}"},
    {"user": "{user}", "password": "", "clave": "{password}"},
    {"user": "{user}", "password": "no password of anybody", "clave": "{password}"},
    {"user": "{user}", "password": "{password}", "clave": "{password}"},
    {"usuario": "{user}", "clave": "{password}"},
    {"user": "{password}", "clave": "{password}"},
]

# Of a stranger's calls only the first ten a minute leave a row each; each of these has to leave one.
SOURCES = (f"127.{n >> 8 & 255}.{n & 255}.7" for n in count(256))

# What such a call asks for: an operation, one with parameters of its own, and none that there is.
WANTED: list[dict[str, str]] = [
    {"class": "user", "method": "getbalance"},
    {"class": "sms", "method": "sendsms", "from": "Shop", "to": "34600000001", "sms": "Hi"},
    {"class": "sms", "method": "sendfax", "to": "34600000001"},
    {},
]


def astray(door: Door, user: str, password: str) -> None:
    """Call by query, by form and by JSON with the password in a place that is not its own."""
    for wanted in WANTED:
        for template in ASTRAY:
            values = wanted | {name: text.format(user=user, password=password) for name, text in template.items()}
            source = next(SOURCES)
            door.send(form(values), source=source)
            door.send(b"", form(values), FORM, source=source)
            door.send(b"", json.dumps(values).encode(), JSON, source=source)
    source = next(SOURCES)
    for login in (f"{password}:", f"{password}:{user}", f"{user}:{password}:", f"{user} {password}:x", password):
        basic = base64.b64encode(login.encode()).decode()
        head = f"GET /api/basic/?class=user&method=getbalance HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {basic}"
        ask(door.gateway.port, f"{head}\r\nConnection: close\r\n\r\n".encode(), source)


def bind(door: Door, user: str, password: str) -> None:
    """Bind with this password, right or wrong, in its place and beside it."""
    octets = password.encode().decode("latin-1")
    for login, word in ((user, octets), (octets, user), (octets, octets), (octets, ""), (f"{user}:{octets}", "")):
        with suppress(Gone), Esme(door.gateway.smpp_port, source=next(SOURCES)) as esme:
            esme.request(pdu.BindTransceiver(login, word, system_type=octets, address_range=octets))
    with suppress(Gone, TimeoutError), Esme(door.gateway.smpp_port, source=next(SOURCES)) as esme:
        esme.send_bytes(encode(pdu.BindTransceiver(user, octets))[:-6])
        esme.send_bytes(octets.encode("latin-1") * 4)


def use(door: Door, user: str, password: str) -> None:
    """Call in every way with this password, right or wrong."""
    login = Login(user, password)
    for parameters, headers in MISTAKES:
        values = given(login, "sms.getdeliverystatus") if "method" in parameters else given(login, "user.getbalance")
        values |= {name.replace("{}", password): value.replace("{}", password) for name, value in parameters.items()}
        fields = [f"{name}: {value.replace('{}', quote(password))}" for name, value in headers.items()]
        door.send(form(values), headers=fields)
    for name in MISSPELT:
        door.send(form(given(None, "user.getbalance", {"user": user, name: password})))
    values = given(login, "user.getbalance")
    door.send(b"", form(values), FORM)
    door.send(b"", json.dumps(values).encode(), JSON)
    door.send(b"", multipart(values), MULTIPART)
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    door.send(form(given(None, "user.getbalance")), headers=[f"Authorization: Basic {basic}"])
    break_off(door, password, form(values))


def break_off(door: Door, password: str, query: bytes) -> None:
    """Requests that do not get as far as a call, or fall apart on the way."""
    whole = json.dumps({"user": "u", "password": password}).encode()
    door.send(b"", whole[:-1], JSON)
    door.send(b"", query, "text/plain")
    door.send(b"", multipart({"password": password})[:-20], MULTIPART)
    door.send(b"", query + b"&sms=" + b"a" * 1_100_000, FORM)
    door.send(query + b"&password=another", headers=["Expect: nothing"])
    escaped = quote(password).encode()
    for line in (
        b"GET /api/http/%s HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PUT /api/http/?password=%s HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /api/http/?password=%s HTTP/3\r\n\r\n",
        b"GET /api/http/?password=%s HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /api/http/?password=%%00%s HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /api/http/?x=" + b"a" * 70_000 + b"&password=%s HTTP/1.1\r\n\r\n",
    ):
        ask(door.gateway.port, line % escaped)


def traces(running: Gateway, door: Door, folder: Path) -> Traces:
    """Make accounts, accesses and a carrier, use them rightly and wrongly, and collect what is left of it."""
    found = Traces()
    found.secrets |= zip(("operator", "demo password", "demo access"), shown(running), strict=True)
    chosen, upstream = secret(awkward=True), secret(awkward=True)
    door.cli("account", "create", "ana@example.com", "--password-file", "-", "--credits", "50", typed=chosen)
    access = door.access("ana@example.com", name="shop")
    rotated = door.cli("access", "rotate", "ana@example.com", "shop")["secret"]
    (folder / "upstream").write_text(upstream)
    options = ("host=192.0.2.1", "system_id=me", f"password=@{folder / 'upstream'}")
    door.cli(
        "carrier", "add", "upstream", "--kind", "smpp", *(word for text in options for word in ("--option", text))
    )
    found.secrets |= {"password": chosen, "first secret": access.password, "secret": rotated, "carrier's": upstream}
    logins = {"password": "ana@example.com", "secret": access.user, "first secret": access.user}
    wrong = {"wrong password": "ana@example.com", "wrong secret": access.user, "wrong of nobody": "nobody"}
    for name, user in wrong.items():
        found.secrets[name] = secret(awkward=True)
        logins[name] = user
    new = Login(access.user, rotated)
    settled(lambda: door.outcome(new, "user.getbalance") == "SUCCESS", "the new secret")
    for name, user in logins.items():
        use(door, user, found.secrets[name])
        bind(door, user, found.secrets[name])
        astray(door, user, found.secrets[name])
    change(door, "ana@example.com", found)
    written(door, new)
    found.places |= collect(running)
    return found


def change(door: Door, email: str, found: Traces) -> None:
    """Another password, twice: one that was chosen, one that was made."""
    found.secrets["second password"] = second = secret(awkward=True)
    door.cli("account", "password", email, "--password-file", "-", typed=second)
    found.secrets["made password"] = door.cli("account", "password", email)["secret"]


def written(door: Door, login: Login) -> None:
    """Wait until the log has a last call, so that those before it are there too."""
    mark = f"last-{uuid4().hex}"
    door.send(form(given(login, "user.getbalance")), headers=[f"X-Request-Id: {mark}"])
    start = time.monotonic()
    # Of this access alone: strangers' calls, by ids of the web server's other process, would fill a page of all.
    search = ("log", "list", "--since", "1h", "--access", login.user, "--limit", "1000")
    until(lambda: any(row["request_id"] == mark for row in door.cli(*search)), what="the log")
    # What is posted by another process of the web server is flushed as soon as that.
    until(lambda: time.monotonic() - start > 1.5, what="the other process's log")


def shown(running: Gateway) -> list[str]:
    """The passwords that the first start printed: the operator's, the demo account's and its access's."""
    return re.findall(r"^\s+password +(\S+)$", running.output, re.MULTILINE)


def collect(running: Gateway) -> dict[str, bytes]:
    """Everything that can be read of the gateway, but what is meant to hold secrets."""
    found = {
        str(path.relative_to(running.data)): path.read_bytes()
        for path in running.data.rglob("*")
        if path.is_file() and path.name not in (KEY_FILE, FILE)
    }
    found["stderr"] = running.errors.encode()
    found["stdout"] = running.output.encode()
    found["/metrics"] = ask(running.port, b"GET /metrics HTTP/1.0\r\n\r\n").body
    for pid in (running.pid, *descendants(running.pid)):
        for name in ("cmdline", "environ"):
            found[f"/proc/{pid}/{name}"] = Path(f"/proc/{pid}/{name}").read_bytes()
    return found


def tables(url: str) -> Iterator[tuple[str, bytes]]:
    """Every table, as its rows' bytes; and what the server logged."""
    with psycopg.connect(url) as connection:
        query = (
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        for schema, table in connection.execute(query).fetchall():
            with connection.cursor().copy(
                f'COPY (SELECT * FROM "{schema}"."{table}") TO STDOUT (FORMAT binary)'
            ) as copy:
                yield f"table {schema}.{table}", b"".join(bytes(piece) for piece in copy)
        folder = connection.execute("SHOW data_directory").fetchone()
    for path in Path(folder[0] if folder else "").glob("*log*"):
        if path.is_file():
            yield f"server's {path.name}", path.read_bytes()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def left(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traces]:
    """The traces of a gateway on either database, running and stopped."""
    folder = tmp_path_factory.mktemp("secrets")
    if request.param == "sqlite":
        with gateway(folder / "data") as running:
            found = traces(running, Door(running), folder)
            running.stop()
    else:
        server: Server = request.getfixturevalue("postgresql")
        with server.database() as name:
            url = server.url(name)
            with gateway(folder / "data", TRUNKLINE_DATABASE_URL=url) as running:
                found = traces(running, Door(running, "--database-url", url), folder)
                running.stop()
            found.places |= dict(tables(url))
    for path in (folder / "data").rglob("*"):
        if path.is_file() and path.name not in (KEY_FILE, FILE):
            found.places[f"{path.relative_to(folder / 'data')} after the end"] = path.read_bytes()
    found.places["stderr after the end"] = running.errors.encode()
    yield found


def forms(value: str) -> Mapping[str, bytes]:
    """How a secret may be written down. Of the plain one its beginning is looked for."""
    plain = value.encode()
    return {
        "plain": plain[:BEGINNING],
        "reversed": plain[::-1],
        "percent-encoded": quote(value, safe="").encode(),
        "form-encoded": quote_plus(value).encode(),
        "JSON": json.dumps(value)[1:-1].encode(),
        "base64": base64.b64encode(plain).rstrip(b"=")[:-1],
        "base64 of user:password": base64.b64encode(b"x:" + plain)[4:-4],
        "base64 with a byte before": base64.b64encode(b"x" + plain)[4:-4],
        "URL-safe base64": base64.urlsafe_b64encode(plain).rstrip(b"=")[:-1],
        "hexadecimal": plain.hex().encode(),
        "UTF-16": value.encode("utf-16-le"),
    }


def test_no_secret_is_found(left: Traces) -> None:
    told = {"operator", "demo password", "demo access"}  # on the terminal, this once
    found = [
        (name, form_, place)
        for name, value in left.secrets.items()
        for form_, needle in forms(value).items()
        for place, content in left.places.items()
        if needle in content and not (place == "stdout" and name in told)
    ]
    assert found == []


def test_the_search_finds_what_is_there(left: Traces) -> None:
    """Logins, and what the calls left, are in what is searched: an empty search would find nothing either."""
    whole = b"".join(left.places.values())
    for text in (b"ana@example.com", b"getbalance", b"INCORRECT_USER_PASSWORD", b"[redacted]", b"[ignored]"):
        assert text in whole, text
    for beginning in ("nob…", "ana…"):  # of logins that nobody has
        assert beginning.encode() in whole, beginning
    assert b"clave" in whole and b"no password of anybody" not in whole
    assert len(left.secrets) == len(set(left.secrets.values())) == 12
    assert {"stdout", "stderr", "/metrics"} < set(left.places)
    assert sum(place.startswith("/proc/") for place in left.places) >= 8
    assert b"trunkline_calls_total" in left.places["/metrics"]
    assert b'"event":"call"' in left.places["stderr after the end"]
