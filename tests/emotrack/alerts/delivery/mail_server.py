"""A mail server on loopback that keeps what it got and answers each step as it is told."""

from __future__ import annotations

import email
import email.policy
import socketserver
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage


@dataclass
class MailServer:
    """script: step (``connect``, ``RCPT``, ``DATA``, ``END``) to a line to say, ``hang_up`` or ``hang``."""

    port: int = 0
    script: dict[str, str] = field(default_factory=dict)
    mails: list[EmailMessage] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)


def handler_of(server):
    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            if not self.say("connect", "220 here"):
                return
            while line := self.rfile.readline():
                step = line.decode().split(" ")[0].strip().split(":")[0].upper()
                if step == "DATA":
                    if self.say("DATA", "354 go on"):
                        self.take()
                    else:
                        return
                elif step == "QUIT" or not self.say(step, "250 fine"):
                    return

        def take(self):
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line)
            mail = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
            server.mails.append(mail)
            self.say("END", "250 taken")

        def say(self, step, line):
            what = server.script.get(step, line)
            if what == "hang":
                server.stop.wait(20)
            if what in ("hang", "hang_up"):
                self.connection.close()
                return False
            self.wfile.write(f"{what}\r\n".encode())
            return True

    return Handler


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request, client_address):
        """A client that hangs up first is part of the play."""


@contextmanager
def mail_server(**script):
    """``with mail_server(RCPT="550 nobody") as server``."""
    told = MailServer(script=script)
    with _Server(("127.0.0.1", 0), handler_of(told)) as server:
        told.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield told
        finally:
            told.stop.set()
            server.shutdown()
