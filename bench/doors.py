"""What a call costs at each door of the web server: HTTP Basic, JWT and SOAP beside plain HTTP, in the same run."""

import http.client
import json
import statistics
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from bench import wrk
from bench.databases import KINDS
from bench.gateway_run import Gateway, GatewayFailed, running
from bench.load import Load, drive
from bench.table import Figure, Section, Target
from bench.workspace import Workspace

Access = tuple[str, str]
Requests = Callable[[Gateway, list[Access]], list[wrk.Request]]

_QUERY = f"?class=sms&method=sendsms&from=Bench&to=346%d%07d&sms={wrk.literal(wrk.TEXT)}"
_ENVELOPE = (
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    '<sendsms xmlns="urn:trunkline:sms:1"><user>{user}</user><password>{secret}</password>'
    "<from>Bench</from><to>346%d%07d</to><sms>{text}</sms></sendsms></soap:Body></soap:Envelope>"
)


def plain(_: Gateway, accesses: list[Access]) -> list[wrk.Request]:
    """Plain HTTP: a GET with the credentials among its parameters."""
    return wrk.gets(wrk.sendsms_paths(accesses))


def basic(_: Gateway, accesses: list[Access]) -> list[wrk.Request]:
    """HTTP Basic: the same GET, credentials in its header."""
    return [
        _authorized("basic", f"Basic {b64encode(f'{user}:{secret}'.encode()).decode()}") for user, secret in accesses
    ]


def jwt(gateway: Gateway, accesses: list[Access]) -> list[wrk.Request]:
    """JWT: the same GET with an access token, which is got beforehand."""
    return [_authorized("jwt", f"Bearer {token(gateway, access)}") for access in accesses]


def _authorized(door: str, header: str) -> wrk.Request:
    return wrk.Request(f"/api/{door}/{_QUERY}", {"Authorization": header})


def soap(_: Gateway, accesses: list[Access]) -> list[wrk.Request]:
    """SOAP 1.1: the credentials are elements, as in the calls that are made from the WSDL."""
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '"urn:trunkline:sms:1#sendsms"'}
    bodies = [
        _ENVELOPE.format(user=_xml(user), secret=_xml(secret), text=_xml(wrk.TEXT)) for user, secret in accesses
    ]
    return [wrk.Request("/api/soap/", headers, body) for body in bodies]


DOORS: dict[str, Requests] = {"plain HTTP": plain, "HTTP Basic": basic, "JWT": jwt, "SOAP 1.1": soap}
TARGETS = {"HTTP Basic": Target(most=1.15), "JWT": Target(most=1.15), "SOAP 1.1": Target(most=1.5)}


def token(gateway: Gateway, access: Access) -> str:
    """Trade a login and secret for an access token; raise GatewayFailed where that is refused."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
    try:
        body = urlencode({"user": access[0], "password": access[1]})
        connection.request("POST", "/api/jwt/token", body, {"Content-Type": "application/x-www-form-urlencoded"})
        answer = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    if "access_token" not in answer:
        raise GatewayFailed(f"no token was given: {answer.get('error_description')}")
    return str(answer["access_token"])


def measure(workspace: Workspace, kinds: list[str]) -> Section:
    """Drive each door in turn, three times (once with --quick) and each time in another order."""
    rounds, seconds = (1, 5) if workspace.quick else (3, 15)
    several = len(kinds) > 1
    columns = [f"{KINDS[kind]}, {door}" if several else door for kind in kinds for door in DOORS]
    loads: dict[str, list[dict[str, Load]]] = {kind: [] for kind in kinds}
    for turn in range(rounds):
        for kind in kinds:
            done = {door: _drive(workspace, kind, DOORS[door], seconds) for door in order(list(DOORS), turn)}
            loads[kind].append(done)
    section = Section("doors", "Front ends: what an accepted message costs at each door", columns)

    def line(label: str, unit: str, value: Callable[[dict[str, Load], str], float], bounded: bool = False) -> None:
        values = [statistics.median(value(run, door) for run in loads[kind]) for kind in kinds for door in DOORS]
        doors = [door for _ in kinds for door in DOORS]
        targets = {at: TARGETS[door] for at, door in enumerate(doors) if bounded and door in TARGETS}
        section.figures.append(Figure(label, unit, tuple(values), targets))

    line("accepted", "messages/s", lambda run, door: run[door].accepted_rate)
    line("latency, median", "ms", lambda run, door: run[door].report.p50)
    line("CPU until the last final state", "ms/message", lambda run, door: cost(run[door]))
    line("the same, plain HTTP = 1", "", lambda run, door: cost(run[door]) / cost(run["plain HTTP"]), bounded=True)
    line("CPU of the web processes alone", "ms/message", lambda run, door: web_cost(run[door]))
    section.notes = _notes(kinds, loads, f"{rounds} runs of {seconds} s each, medians, ratios within each run")
    return section


def order(doors: list[str], turn: int) -> list[str]:
    """Give the order of a turn: every other one is backwards, so that what changes slowly weighs on all alike."""
    shifted = doors[turn // 2 :] + doors[: turn // 2]
    return shifted[::-1] if turn % 2 else shifted


def cost(load: Load) -> float:
    """CPU of all processes for a stored message, in ms."""
    return load.cpu * 1000 / load.stored


def web_cost(load: Load) -> float:
    """CPU of the web processes for a stored message, in ms."""
    return sum(used for name, used in load.cpu_parts.items() if name.endswith(" web")) * 1000 / load.stored


def _drive(workspace: Workspace, kind: str, requests: Requests, seconds: int) -> Load:
    with workspace.trial(kind) as installation, running(installation.data, installation.store.url) as gateway:
        return drive(gateway, installation, seconds, requests(gateway, installation.accesses))


def _xml(text: str) -> str:
    return escape(text).replace("%", "%%")


def _notes(kinds: list[str], loads: dict[str, list[dict[str, Load]]], how: str) -> list[str]:
    notes = [
        f"{how}; the doors take turns, in another order each time, and share the machine with wrk.",
        "GET with the parameters in the URL, except SOAP: a POST with user and password as elements. A JWT is one of"
        " ours, got before and used for every call of its access.",
    ]
    for kind in kinds:
        for run in loads[kind]:
            notes += [f"{KINDS[kind]}, {door}: {doubt}." for door, load in run.items() for doubt in load.doubts()]
    return notes
