"""The sandbox's HTTP server: authentication, faults, request log, commit, response. Standard library only."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import struct
import sys
import threading
import time
import traceback
import uuid
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from . import control, faults, panel, seed
from .callbacks import CallbackSender
from .control import ControlError
from .state import Config, World
from .store import Obj, Store
from .wire import ApiError, Call, Reply

HTML_PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
BODY_LIMIT = 1_000_000


def _authenticated(config: Config, header: str) -> bool:
    scheme, _, encoded = header.partition(" ")
    try:
        user, _, password = base64.b64decode(encoded).decode().partition(":")
    except ValueError:
        return False
    if scheme.lower() != "basic":
        return False
    if user == config.account_sid:
        return password in config.auth_tokens
    return bool(config.api_key_sid) and (user, password) == (config.api_key_sid, config.api_key_secret)


def answer(world: World, call: Call, authorization: str, latency_ms: int = 0) -> tuple[Reply, str]:
    """Handle one API request: (reply, fault action or ""). Commits before it returns."""
    with world.lock:
        started = time.perf_counter()
        rule = faults.pick(world, call)
        action = rule["action"] if rule else ""
        created: list[str] = []
        request_id = "RQ" + uuid.uuid4().hex
        if rule and not faults.ACTIONS[action]:
            reply = _fault_reply(action, rule)
        elif not _authenticated(world.config, authorization):
            reply = Reply(401, ApiError(401, 20003, "Authenticate"))
        else:
            reply, created = _handled(world, call)
        code = reply.body.code if isinstance(reply.body, ApiError) else None
        entry: Obj = {
            "time": world.iso(),
            "at": world.now,
            "method": call.method,
            "path": call.path,
            "params": call.params,
            "version": call.version,
            "status": reply.status,
            "code": code,
            "created": created,
            "fault": action or None,
            "reply_dropped": action in ("drop_before", "drop_after", "truncated"),
            "request_id": request_id,
            "ms": round((time.perf_counter() - started) * 1000, 2),
        }
        world.store.add_log(entry)
        if action == "500_after":
            reply = Reply(500, ApiError(500, 20500, "Internal server error"))
        if isinstance(reply.body, ApiError):
            error = reply.body
            is_rfc9457 = action == "rfc9457"
            reply.body = error.rfc9457() if is_rfc9457 else error.body()
            if is_rfc9457:
                reply.headers["Content-Type"] = "application/problem+json"
        reply.headers["Twilio-Request-Id"] = request_id
        world.store.commit()
    delay = (rule["delay_ms"] if rule and action == "delay" else 0) + latency_ms
    if delay:
        threading.Event().wait(delay / 1000)
    return reply, action


def _handled(world: World, call: Call) -> tuple[Reply, list[str]]:
    try:
        return world.handle(call)
    except Exception:
        # A bug of ours: print it, and respond as Twilio would.
        traceback.print_exc()
        return Reply(500, ApiError(500, 20500, "Internal server error")), []


def _fault_reply(action: str, rule: Obj) -> Reply:
    if action == "429":
        error = ApiError(429, 20429, "Too many requests")
        return Reply(429, error, {"Retry-After": str(rule["retry_after"])})
    if action == "error":
        error = ApiError(rule["status"], rule["code"], rule["message"])
        return Reply(rule["status"], error)
    if action in ("html", "drop_before"):
        return Reply(502, None)
    status = int(action)
    return Reply(status, ApiError(status, {500: 20500, 503: 20503}.get(status, status), "Server error"))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Sandbox"
    # Without these two, Nagle's algorithm and delayed ACK slow keep-alive down: 44 ms per call instead of 1 ms.
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    timeout = 300

    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        """No console output: the request log is at /_sandbox/log."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_LIMIT:
            self.close_connection = True
            return self._send(413, b"", "text/plain", {})
        raw = self.rfile.read(length)
        path = unquote(parts.path)
        if path == "/" or path.startswith("/_sandbox"):
            return self._control(path, raw)
        text = raw.decode("utf-8", "replace") if self.command == "POST" else parts.query
        params = parse_qs(text, keep_blank_values=True)
        call = Call(self.command, path, params, self.headers.get("X-Twilio-Api-Version", ""))
        world = self.server.world
        auth = self.headers.get("Authorization", "")
        reply, action = answer(world, call, auth, self.server.latency_ms)
        self._deliver(reply, action)

    def _deliver(self, reply: Reply, action: str) -> None:
        if action in ("drop_before", "drop_after"):
            # Linger 0 turns the close into a connection reset, as from a crashed proxy.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        if action in ("html", "html_after"):
            status = 502 if action == "html" else reply.status
            return self._send(status, HTML_PAGE, "text/html", {})
        body = b"" if reply.status == 204 else json.dumps(reply.body).encode()
        headers = {"Content-Type": "application/json", **reply.headers}
        kind = headers.pop("Content-Type")
        self._send(reply.status, body, kind, headers, cut=action == "truncated")

    def _control(self, path: str, raw: bytes) -> None:
        world = self.server.world
        # The control pages have no password, so reject requests from other web sites.
        if self.command != "GET" and self.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
            return self._json(403, {"error": "only from this page"})
        try:
            if self.command == "GET" and path == "/":
                return self._send(200, panel.page(world).encode(), "text/html; charset=utf-8", {})
            parts = [part for part in path.split("/") if part][1:]
            if self.command == "GET":
                return self._json(200, control.get(world, "/".join(parts)))
            if self.command == "DELETE" and parts == ["faults"]:
                return self._json(200, control.post(world, ["faults", "clear"], {}))
            if self.command != "POST":
                raise ControlError("method not allowed", 405)
            is_form = "form" in self.headers.get("Content-Type", "")
            data: Any
            if is_form:
                data = {key: values[-1] for key, values in parse_qs(raw.decode()).items()}
            else:
                data = json.loads(raw or b"{}")
            result = control.post(world, parts, data)
            self.server.send_due()
            if is_form:
                return self._send(303, b"", "text/plain", {"Location": "/"})
            return self._json(200, result)
        except ControlError as error:
            return self._json(error.status, {"error": str(error)})
        except ValueError as error:
            return self._json(400, {"error": f"not JSON: {error}"})

    def _json(self, status: int, body: Any) -> None:
        self._send(status, json.dumps(body, indent=1).encode(), "application/json", {})

    def _send(
        self, status: int, body: bytes, kind: str, headers: dict[str, str], *, cut: bool = False
    ) -> None:
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.wfile.flush()
        if cut:
            self.close_connection = True


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], world: World, latency_ms: int) -> None:
        super().__init__(address, Handler)
        self.world, self.latency_ms = world, latency_ms
        self.sender = CallbackSender(world)
        self._open: set[socket.socket] = set()

    def send_due(self) -> None:
        self.sender.send_due()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Close kept-alive connections, so that none outlives the server."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect; print everything else, because it is a bug of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class SandboxServer:
    """The sandbox as a library: ``start()`` serves ``url`` in a thread until ``stop()``.

    ``port=0`` picks a free port. ``state`` is a SQLite path or ":memory:". ``latency_ms`` delays every API response.
    ``reset`` deletes the stored state first. ``config`` are the fields of ``Config``.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        state: str = ":memory:",
        latency_ms: int = 0,
        reset: bool = False,
        **config: Any,
    ) -> None:
        given = {name: value for name, value in config.items() if value not in (None, "")}
        self.world = World(Config(**given), Store(state))
        if reset:
            self.world.reset()
        seed.seed(self.world)
        self._server = Server((host, port), self.world, latency_ms)
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def start(self) -> SandboxServer:
        # `stop` waits for up to one poll interval, and many tests stop a sandbox.
        serve = partial(self._server.serve_forever, poll_interval=0.02)
        for target in (serve, self._tick):
            thread = threading.Thread(target=target, daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def _tick(self) -> None:
        """Run timers and send callbacks on time, even when no requests arrive."""
        world = self.world
        while not self._stopping.is_set():
            try:
                world.run_due()
                self._server.send_due()
            except Exception:
                traceback.print_exc()
            due = world.next_due()
            wait = 0.25 if due is None else min(0.25, max(0.005, due))
            world.wake.wait(wait)
            world.wake.clear()

    def stop(self) -> None:
        self._stopping.set()
        self.world.wake.set()
        self._server.shutdown()
        self._server.server_close()
        self._server.close_connections()
        self._server.sender.stop()
        for thread in self._threads:
            thread.join(timeout=5)
        with self.world.lock:
            self.world.store.close()

    def __enter__(self) -> SandboxServer:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
