"""Plain HTTP: the credentials are the parameters `user` and `password`, the status is always 200."""

from collections.abc import Iterable

from gateway.frontends import Answers, Environ, Route, StartResponse, render, request

PATH = "/api/http/"


def routes(gateway: Answers) -> Iterable[Route]:
    """Plain HTTP answers at `/api/http/` and, for each operation, at `/api/http/CLASS/METHOD`."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in ("GET", "POST"):
            return render.method_not_allowed(start_response, "GET, POST")
        call, output = request.read(environ, gateway.settings, "http")
        call.http_status = 200
        reply = gateway.handle(call)
        return render.respond(start_response, reply, output, call.request_id)

    return request.paths(PATH, application)
