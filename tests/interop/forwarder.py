"""An HTTP proxy that stands where www.afilnet.com is: the host of a client is changed without touching it."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOST = "www.afilnet.com"


@contextmanager
def forwarder(url: str) -> Iterator[str]:
    """Forward what is asked of http://www.afilnet.com to the server at `url`; give the proxy's own URL."""
    target = urlsplit(url)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urlsplit(self.path)
            if asked.hostname != HOST:
                self.send_error(502, f"only {HOST} is forwarded")
                return
            upstream = http.client.HTTPConnection(target.hostname or "", target.port, timeout=30)
            upstream.request("GET", asked._replace(scheme="", netloc="").geturl(), headers={"Host": HOST})
            answer = upstream.getresponse()
            body = answer.read()
            upstream.close()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.getheader("Content-Type", ""))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
