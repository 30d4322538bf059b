"""A web server on loopback that takes webhooks, keeps what it got and answers as it is told."""

from __future__ import annotations

import http.server
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Receiver:
    """script: what to do with each call in turn: a status, ``"hang_up"`` or seconds to drip; then 200."""

    url: str = ""
    script: list = field(default_factory=list)
    headers: dict = field(default_factory=dict)
    calls: list = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.calls]


def handler_of(receiver):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            receiver.calls.append(({k.lower(): v for k, v in self.headers.items()}, body))
            receiver.came.set()
            answer(self, receiver.script.pop(0) if receiver.script else 200, receiver.headers)

        def log_message(self, *args):
            pass

    return Handler


def answer(handler, what, headers):
    if what == "hang_up":
        return handler.connection.close()
    if isinstance(what, float):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(200):
            time.sleep(what)
            try:
                handler.wfile.write(b"x: y\r\n")
            except OSError:
                return None
    handler.send_response(what)
    for name, value in headers.items():
        handler.send_header(name, value)
    return handler.end_headers()


@contextmanager
def receiving(*script, tls=None, headers=None):
    receiver = Receiver(script=list(script), headers=headers or {})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler_of(receiver))
    server.daemon_threads = True
    server.block_on_close = False
    server.handle_error = lambda *args: None
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    receiver.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
