"""The reference that programs and people read: `/api/openapi.json`, and a page that shows it at `/docs/api`.

The page's files are in `assets/`; nothing is loaded from another host. `assets/NOTICE` says whose they are.
"""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import orjson

from gateway.frontends import Answers, Route
from gateway.frontends.reference import static
from gateway.frontends.reference.document import document
from gateway.frontends.reference.static import ASK, FOREVER, Resource, on_demand
from gateway.settings import Settings

DOCUMENT = "/api/openapi.json"
PAGE = "/docs/api"
ASSETS = Path(__file__).parent / "assets"

_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
_SHOWN = ("openapi-explorer.min.js", "page.js", "page.css")

# The viewer sets styles of its own; scripts are files of ours alone, and nothing talks to another host.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def routes(gateway: Answers) -> Iterable[Route]:
    """The document, the page, and the page's files, each at a path that holds the hash of its content."""
    files = {name: (ASSETS / name).read_bytes() for name in _SHOWN}
    paths = {name: f"{PAGE}/{static.digest(body)}/{name}" for name, body in files.items()}
    yield Route(DOCUMENT, on_demand(lambda: _document(gateway.settings)), listed=False)
    yield Route(PAGE, on_demand(lambda: _page(paths)), listed=False)
    for name, body in files.items():
        yield Route(paths[name], on_demand(partial(_file, name, body)), listed=False)


def as_json(settings: Settings) -> bytes:
    """The document as it is served."""
    return orjson.dumps(document(settings))


def _document(settings: Settings) -> Resource:
    # Any page may read it: there is nothing in it that is not public.
    return Resource(as_json(settings), "application/json", ASK, [("Access-Control-Allow-Origin", "*")])


def _page(paths: dict[str, str]) -> Resource:
    text = (ASSETS / "page.html").read_text("utf-8")
    for name, path in paths.items():
        text = text.replace(f'"{name}"', f'"{path}"')
    return Resource(text.encode(), "text/html; charset=utf-8", ASK, [("Content-Security-Policy", _POLICY)])


def _file(name: str, body: bytes) -> Resource:
    return Resource(body, _TYPES[Path(name).suffix], FOREVER)
