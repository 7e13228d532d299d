"""A scripted HTTP server: returns the responses that a test queued, in order, and records the requests."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Asked:
    method: str
    target: str
    headers: dict[str, str]
    body: str
    connection: tuple[str, int]

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def form(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body, keep_blank_values=True)


@dataclass
class Reply:
    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    fault: str = ""  # "", close, reset, garbage, truncated, chunk, hang, hang_in_body


class ScriptedServer:
    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.replies: deque[Reply] = deque()
        self.otherwise: Any = Reply()
        self.release = threading.Event()
        self._lock = threading.Lock()
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                asked = Asked(self.command, self.path, dict(self.headers), body, self.client_address)
                with script._lock:
                    script.asked.append(asked)
                    reply = script.replies.popleft() if script.replies else script.otherwise
                script._send(self, reply(asked) if callable(reply) else reply)

            do_GET = do_POST = do_DELETE = do_CONNECT = answer

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *args: object) -> None:
                pass  # the faults break connections on purpose

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        self._thread.start()

    @property
    def last(self) -> Asked:
        return self.asked[-1]

    def reply(self, status: int = 200, body: Any = None, *, fault: str = "", **headers: str) -> None:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        self.replies.append(Reply(status, {} if body is None else body, names, fault))

    def stop(self) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _send(self, handler: BaseHTTPRequestHandler, reply: Reply) -> None:
        out, fault = handler.wfile, reply.fault
        if fault == "hang":
            self.release.wait(30)
        if fault in ("close", "hang"):
            handler.close_connection = True
            return
        if fault == "reset":
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()
            handler.close_connection = True
            return
        if fault == "garbage":
            out.write(b"this is not HTTP\r\n\r\n")
            handler.close_connection = True
            return
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        handler.send_response(reply.status)
        handler.send_header("Content-Type", reply.headers.pop("Content-Type", "application/json"))
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        if fault == "chunk":
            handler.send_header("Transfer-Encoding", "chunked")
            handler.end_headers()
            out.write(b"40\r\n" + body)
            handler.close_connection = True
            return
        if reply.status == 204:
            handler.end_headers()
            return
        missing = 50 if fault in ("truncated", "hang_in_body") else 0
        handler.send_header("Content-Length", str(len(body) + missing))
        handler.end_headers()
        out.write(body)
        if fault == "hang_in_body":
            out.flush()
            self.release.wait(30)
        if fault:
            handler.close_connection = True
