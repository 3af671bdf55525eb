"""The web server's paths: the front ends' own, and those that tell how the gateway is."""

from collections.abc import Callable, Collection, Iterable
from ipaddress import ip_address

import orjson

from gateway import __version__, metrics
from gateway.frontends import Answers, Application, Environ, Route, StartResponse, web_routes
from gateway.frontends.render import method_not_allowed, page
from gateway.frontends.status import RECOVERED
from gateway.pipeline.ipfilter import client_address
from gateway.settings import Settings

_JSON = "application/json"
_HTML = "text/html; charset=utf-8"
_POLICY = ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")

_HOME = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Trunkline</title>
<style>body{{font:1rem/1.6 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}}</style>
<h1>Trunkline</h1>
<p>An SMS gateway, version {__version__}.</p>
<h2>Doors</h2>
<ul>%s</ul>
<h2>How it is</h2>
<ul><li><a href="/healthz">/healthz</a>: the web server is alive</li>
<li><a href="/readyz">/readyz</a>: the database and the dispatcher are there</li>
<li>/metrics: numbers for Prometheus</li></ul>
<h2>Documentation</h2>
<p><a href="/docs/api">/docs/api</a> shows every operation, with examples, from
<a href="/api/openapi.json">/api/openapi.json</a>.</p>
<p>README.md and the folder docs/ of the installed version: docs/operations.md lists every operation with its
parameters, results and errors.</p>
"""

Ready = Callable[[], dict[str, str]]
Names = Callable[[], Collection[str]]


def site(gateway: Answers, ready: Ready, carriers: Names) -> Application:
    """The whole web server as one WSGI application.

    `ready` gives for each part that the gateway needs "ok" or what is wrong with it, as one sentence; `carriers`
    the names of those there are.
    """
    doors = list(web_routes(gateway))
    settings = gateway.settings
    routes = [
        *doors,
        Route("/", _getting(lambda _, start: page(start, "200 OK", _home(doors), _HTML, [_POLICY]))),
        Route("/healthz", _getting(lambda _, start: page(start, "200 OK", b'{"status":"alive"}\n', _JSON))),
        Route("/readyz", _getting(lambda _, start: _ready(start, ready()))),
        Route("/metrics", _getting(lambda environ, start: _metrics(environ, start, settings, carriers()))),
    ]
    return dispatcher(routes)


def dispatcher(routes: Iterable[Route]) -> Application:
    """Route by path: those that match exactly first, then the longest one above."""
    exact: dict[str, Application] = {}
    above: list[tuple[str, Application]] = []
    for route in routes:
        bare = route.path.rstrip("/")
        exact[bare + "/"] = route.application
        if bare:
            exact[bare] = route.application
        if route.below:
            above.append((bare + "/", route.application))
    above.sort(key=lambda pair: len(pair[0]), reverse=True)

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        found = exact.get(path)
        if found is None:
            found = next((below for prefix, below in above if path.startswith(prefix)), _missing)
        return found(environ, start_response)

    return application


def _getting(answer: Callable[[Environ, StartResponse], list[bytes]]) -> Application:
    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return method_not_allowed(start_response, "GET, HEAD")
        return answer(environ, start_response)

    return application


def _missing(_: Environ, start_response: StartResponse) -> list[bytes]:
    return page(start_response, "404 Not Found", b"There is nothing here; / lists what there is.\n")


def _home(doors: Iterable[Route]) -> bytes:
    return (_HOME % "".join(f"<li>{door.path}</li>" for door in doors if door.listed)).encode()


def _ready(start_response: StartResponse, parts: dict[str, str]) -> list[bytes]:
    ready = all(state == "ok" for state in parts.values())
    body = orjson.dumps({"ready": ready, **parts}, option=orjson.OPT_APPEND_NEWLINE)
    if ready:
        return page(start_response, "200 OK", body, _JSON)
    return page(start_response, "503 Service Unavailable", body, _JSON, [RECOVERED])


def _metrics(
    environ: Environ, start_response: StartResponse, settings: Settings, carriers: Collection[str]
) -> list[bytes]:
    if not _may_see_metrics(environ, settings):
        text = b"The metrics are shown to this machine and to the networks of TRUNKLINE_METRICS_NETWORKS alone.\n"
        return page(start_response, "403 Forbidden", text)
    body, content_type = metrics.exposition(carriers)
    return page(start_response, "200 OK", body, content_type)


def _may_see_metrics(environ: Environ, settings: Settings) -> bool:
    peer, forwarded = environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", "")
    source = client_address(peer, forwarded, settings.trusted_proxies)
    try:
        address = ip_address(source)
    except ValueError:
        return False
    # What a proxy on this machine passes on comes from elsewhere, whether or not the proxy is a known one.
    passed_on = bool(forwarded or environ.get("HTTP_FORWARDED")) and source == peer
    if address.is_loopback:
        return not passed_on
    return any(address in network for network in settings.metrics_networks)
