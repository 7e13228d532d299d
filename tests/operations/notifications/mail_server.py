"""A mail server that takes whatever it is sent: enough of SMTP (RFC 5321) for one client at a time and no more."""

import email
import socketserver
import threading
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default


@dataclass(frozen=True)
class Letter:
    """One message, with the addresses of its envelope."""

    sender: str
    to: list[str]
    message: EmailMessage


class MailServer:
    """`got`: every message that was accepted, in order; `url`: for EMAIL_URL."""

    def __init__(self) -> None:
        self.got: list[Letter] = []
        server = self

        class Handler(socketserver.StreamRequestHandler):
            def say(self, line: str) -> None:
                self.wfile.write(line.encode() + b"\r\n")

            def handle(self) -> None:
                self.say("220 desk.example")
                sender, to = "", []
                while line := self.rfile.readline().decode().strip():
                    verb = line.upper().split(":")[0]
                    if verb == "MAIL FROM":
                        sender, to = _address(line), []
                    elif verb == "RCPT TO":
                        to.append(_address(line))
                    elif verb == "DATA":
                        self.say("354 go on")
                        server.got.append(Letter(sender, to, self.message()))
                    elif verb == "QUIT":
                        self.say("221 bye")
                        return
                    self.say("250 ok")

            def message(self) -> EmailMessage:
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line.removeprefix(b"."))
                return email.message_from_bytes(b"".join(lines), policy=default)  # type: ignore[return-value]

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"smtp://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _address(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]
