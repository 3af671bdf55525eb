"""SOAP 1.1 and 1.2: the operations of the published contract at `/api/soap/`, which describes itself there."""

from collections.abc import Iterable

from gateway.frontends import Answers, Environ, Route, StartResponse, render
from gateway.frontends.soap import pages, service
from gateway.frontends.soap.pages import PATH
from gateway.frontends.soap.schema import contract


def routes(gateway: Answers) -> Iterable[Route]:
    """SOAP answers at `/api/soap/`: POST is a call, GET the page, `?wsdl` and `?xsd` the contract."""
    known = contract()
    documents = pages.documents(gateway.settings)

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        match environ["REQUEST_METHOD"]:
            case "POST":
                return service.answer(environ, start_response, gateway, known)
            case "GET" | "HEAD":
                return documents.answer(environ, start_response)
        return render.method_not_allowed(start_response, "GET, HEAD, POST")

    return [Route(PATH, application)]
