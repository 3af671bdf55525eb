"""Pages and files that are the same for everybody: served from memory, compressed, by their hash."""

import gzip
from collections.abc import Callable, Iterable
from functools import cache
from hashlib import blake2b

from gateway.frontends import Application, Environ, StartResponse
from gateway.frontends.render import method_not_allowed

FOREVER = "public, max-age=31536000, immutable"
"""Cache-Control of what never changes at its path, since its hash is in the path."""

ASK = "no-cache"
"""Cache-Control of what may be kept but must be asked for each time (RFC 9111, section 5.2.2.4)."""


def digest(body: bytes) -> str:
    """The hash that names a file's content."""
    return blake2b(body, digest_size=12).hexdigest()


class Resource:
    """A file in memory, plain and gzipped. `headers` are added to those that every resource has."""

    def __init__(self, body: bytes, content_type: str, kept: str, headers: Iterable[tuple[str, str]] = ()) -> None:
        self.body = body
        self.zipped = gzip.compress(body, mtime=0)
        self.hash = digest(body)
        self._headers = (
            ("Content-Type", content_type),
            ("Cache-Control", kept),
            ("Vary", "Accept-Encoding"),
            ("X-Content-Type-Options", "nosniff"),
            *headers,
        )

    def __call__(self, environ: Environ, start_response: StartResponse) -> list[bytes]:
        """Answer GET and HEAD: 304 where the client has it already (RFC 9110, section 13.1.2)."""
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            return method_not_allowed(start_response, "GET, HEAD")
        zipped = _takes_gzip(environ.get("HTTP_ACCEPT_ENCODING", ""))
        # The two forms are different bytes, so their tags differ (RFC 9110, section 8.8.3.3).
        tag = f'"{self.hash}-gzip"' if zipped else f'"{self.hash}"'
        headers = [*self._headers, ("ETag", tag)]
        known = [one.strip().removeprefix("W/") for one in environ.get("HTTP_IF_NONE_MATCH", "").split(",")]
        if tag in known or known == ["*"]:
            start_response("304 Not Modified", headers)
            return []
        body = self.zipped if zipped else self.body
        if zipped:
            headers.append(("Content-Encoding", "gzip"))
        start_response("200 OK", [*headers, ("Content-Length", str(len(body)))])
        return [body]


def on_demand(make: Callable[[], Resource]) -> Application:
    """Give an application that makes its resource when it is first asked for, and keeps it."""
    made = cache(make)

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        return made()(environ, start_response)

    return application


def _takes_gzip(accepted: str) -> bool:
    """Whether Accept-Encoding (RFC 9110, section 12.5.3) names gzip, and not to refuse it."""
    for one in accepted.lower().split(","):
        name, _, weight = one.partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
