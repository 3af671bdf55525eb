"""The reference as it is served: the document, the page, and the page's files."""

import gzip
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.cli import cli
from gateway.frontends import reference
from gateway.frontends.reference.doors import DOORS
from gateway.frontends.reference.static import digest
from tests.support.gateway import Gateway
from tests.support.rawhttp import Response, ask

ROOT = Path(__file__).parents[3]
FOREVER = "public, max-age=31536000, immutable"


def get(gateway: Gateway, path: str, *fields: str, method: str = "GET") -> Response:
    head = "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", "Connection: close", *fields, "", ""])
    return ask(gateway.port, head.encode(), head=method == "HEAD")


@pytest.fixture(scope="module")
def html(web: Gateway) -> str:
    answer = get(web, reference.PAGE)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return answer.body.decode()


@pytest.fixture(scope="module")
def files(html: str) -> dict[str, str]:
    """The path of each file that the page loads, by its name."""
    return {path.rpartition("/")[2]: path for path in re.findall(r'(?:src|href)="(/docs/[^"]+)"', html)}


def test_document_is_served(web: Gateway) -> None:
    answer = get(web, reference.DOCUMENT)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert json.loads(answer.body)["openapi"].startswith("3.1.")
    assert answer.headers["access-control-allow-origin"] == "*"


def test_document_is_what_the_command_prints(web: Gateway) -> None:
    printed = CliRunner().invoke(cli, ["openapi"], env={"TRUNKLINE_HTTP": f"127.0.0.1:{web.port}"})
    assert printed.exit_code == 0
    assert json.loads(printed.stdout) == json.loads(get(web, reference.DOCUMENT).body)


def test_paths_of_the_document_are_served(web: Gateway) -> None:
    for path, methods in json.loads(get(web, reference.DOCUMENT).body)["paths"].items():
        assert get(web, path).status in ((200, 401) if "get" in methods else (405,)), path


@pytest.mark.parametrize("path", [reference.DOCUMENT, reference.PAGE])
def test_what_did_not_change_is_not_sent_again(web: Gateway, path: str) -> None:
    first = get(web, path)
    assert first.headers["cache-control"] == "no-cache"
    again = get(web, path, f"If-None-Match: {first.headers['etag']}")
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert get(web, path, 'If-None-Match: "of-another"').status == 200


@pytest.mark.parametrize(
    ("accepted", "zipped"),
    [
        pytest.param("gzip, br", True, id="gzip"),
        pytest.param("br;q=1.0, GZIP;q=0.8", True, id="with a weight"),
        pytest.param("*", True, id="anything"),
        pytest.param("gzip;q=0", False, id="refused"),
        pytest.param("br", False, id="another"),
        pytest.param("identity", False, id="as it is"),
    ],
)
def test_compression(web: Gateway, accepted: str, zipped: bool) -> None:
    plain, answer = get(web, reference.DOCUMENT), get(web, reference.DOCUMENT, f"Accept-Encoding: {accepted}")
    assert answer.headers["vary"] == "Accept-Encoding"
    assert (answer.headers.get("content-encoding") == "gzip") is zipped
    assert (answer.headers["etag"] != plain.headers["etag"]) is zipped
    assert (gzip.decompress(answer.body) if zipped else answer.body) == plain.body


def test_head(web: Gateway) -> None:
    whole, head = get(web, reference.DOCUMENT), get(web, reference.DOCUMENT, method="HEAD")
    assert (head.status, head.headers["content-length"]) == (200, str(len(whole.body)))


@pytest.mark.parametrize("path", [reference.DOCUMENT, reference.PAGE])
def test_other_methods(web: Gateway, path: str) -> None:
    answer = get(web, path, method="POST")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


def test_page_may_load_nothing_from_elsewhere(web: Gateway, html: str) -> None:
    policy = get(web, reference.PAGE).headers["content-security-policy"]
    directives = {words[0]: words[1:] for words in (part.split() for part in policy.split(";"))}
    assert directives["default-src"] == ["'none'"]
    assert directives["script-src"] == directives["connect-src"] == ["'self'"]
    assert directives["frame-ancestors"] == directives["base-uri"] == directives["form-action"] == ["'none'"]
    sources = {source for words in directives.values() for source in words}
    assert sources == {"'none'", "'self'", "'unsafe-inline'", "data:"}
    assert [name for name, words in directives.items() if "'unsafe-inline'" in words] == ["style-src"]
    assert "//" not in html.replace("<!doctype html>", "")
    assert re.findall(r"<script(?![^>]*\bsrc=)", html) == []
    assert re.findall(r"\son[a-z]+=", html) == []


def test_page_shows_every_door(html: str) -> None:
    assert re.findall(r'href="\?door=([a-z]+)"', html) == [door.name for door in DOORS]


def test_files_are_kept_for_ever_by_their_hash(web: Gateway, files: dict[str, str]) -> None:
    assert set(files) == {"openapi-explorer.min.js", "page.js", "page.css"}
    for name, path in files.items():
        answer = get(web, path)
        assert (answer.status, answer.headers["cache-control"]) == (200, FOREVER)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-type"].startswith("text/css" if name.endswith("css") else "text/javascript")
        assert answer.body == (reference.ASSETS / name).read_bytes()
        assert digest(answer.body) == path.split("/")[3]


@pytest.mark.parametrize(
    "path",
    [
        "{folder}/../__init__.py",
        "{folder}/%2e%2e/__init__.py",
        "{folder}/..%2f__init__.py",
        "{folder}/NOTICE",
        "{folder}/",
        "/docs/api/page.js",
        "/docs/api/0/page.js",
        "/docs/api//etc/passwd",
        "/docs/",
    ],
)
def test_nothing_else_is_served(web: Gateway, files: dict[str, str], path: str) -> None:
    assert get(web, path.format(folder=files["page.js"].rpartition("/")[0])).status == 404


def test_viewer_is_the_one_that_is_pinned() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (version,) = re.findall(r"^VIEWER := (\S+)$", makefile, re.MULTILINE)
    banner = (reference.ASSETS / "openapi-explorer.min.js").read_text("utf-8")[:200]
    notice = (reference.ASSETS / "NOTICE").read_text("utf-8")
    assert f"OpenAPI Explorer {version} " in banner
    assert f"OpenAPI Explorer {version} " in notice
    assert "Apache License" in (reference.ASSETS / "openapi-explorer.LICENSE").read_text("utf-8")
