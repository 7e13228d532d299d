"""Outgoing signed requests: bundle status callbacks (forms) and event deliveries (JSON arrays).

Deliveries are stored rows, so pending ones are sent after a restart. A status callback is retried once, and only
if no connection was made, unless the URL's fragment overrides that (rc: retry count, rp=all: after any failure).
Events are retried for four hours. Source: docs/twilio.md section 6.5, 6.6 and 7.4.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import ssl
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl, urlencode, urlsplit

from .state import World
from .store import Obj

EVENT_LIFE = 4 * 3600.0
TIMEOUTS = {"status": 15.0, "event": 5.0}
FORM = "application/x-www-form-urlencoded"


def sign(token: str, text: str) -> str:
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def signed_request(token: str, row: Obj) -> tuple[str, bytes, dict[str, str]]:
    """(url, body, headers) of one delivery, without the URL's fragment (the connection overrides)."""
    url = row["url"].split("#")[0]
    if row["kind"] == "status":
        form: dict[str, str] = row["form"]
        body = urlencode(form).encode()
        signature = sign(token, url + "".join(name + form[name] for name in sorted(form)))
        headers = {"Content-Type": FORM}
    else:
        body = json.dumps(row["json"]).encode()
        url += ("&" if "?" in url else "?") + "bodySHA256=" + hashlib.sha256(body).hexdigest()
        signature = sign(token, url)
        headers = {"Content-Type": "application/json"}
    headers |= {"X-Twilio-Signature": signature, "I-Twilio-Idempotency-Token": row["token"]}
    return url, body, {**headers, "User-Agent": "TwilioProxy/1.1"}


def _retried(row: Obj, refused: bool) -> bool:
    """Whether a failed status callback is sent again, according to the overrides in its URL."""
    overrides = dict(parse_qsl(urlsplit(row["url"]).fragment))
    count = overrides.get("rc", "1")
    most = min(int(count), 5) if count.isdecimal() else 1
    return (refused or "all" in overrides.get("rp", "ct").split(",")) and row["attempts"] <= most


def _queue(world: World, row: Obj) -> Obj:
    key = f"{world.store.next_number('delivery'):08d}"
    state = {"state": "pending", "attempts": 0, "due": world.now, "made": world.now, "answer": None}
    private = {"_key": key, "_parent": "pending"}
    world.store.put("delivery", key, {"token": uuid.uuid4().hex, **row, **state, **private})
    world.wake.set()
    return row


def bundle_changed(world: World, bundle: Obj) -> None:
    """Queue the status callback of a bundle. The spelling of two keys varies, as it does at Twilio."""
    url = bundle.get("status_callback")
    if not url:
        return
    doc_style = world.store.next_number("callback_style") % 2 == 1
    account, sid = ("AccountSID", "BundleSID") if doc_style else ("AccountSid", "BundleSid")
    form = {account: world.config.account_sid, sid: bundle["sid"], "Status": bundle["status"]}
    if bundle.get("_failure_reason"):
        form["FailureReason"] = bundle["_failure_reason"]
    _queue(world, {"kind": "status", "url": url, "form": form, "about": bundle["sid"]})


def queue_event(world: World, url: str, events: list[Obj], sink: str) -> None:
    _queue(world, {"kind": "event", "url": url, "json": events, "about": sink})


def replay(world: World, about: str = "") -> int:
    """Send finished deliveries again (all, or those about one SID). Returns how many."""
    count = 0
    for row in world.store.all("delivery"):
        if row["state"] != "pending" and about in ("", row["about"]):
            row.update(state="pending", _parent="pending", attempts=0, due=world.now, made=world.now)
            world.store.put("delivery", row["_key"], row)
            count += 1
    world.store.commit()
    world.wake.set()
    return count


def _post(url: str, body: bytes, headers: dict[str, str], timeout: float) -> int:
    parts = urlsplit(url)
    port = parts.port
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(parts.hostname or "", port, timeout=timeout, context=context)
    else:
        connection = http.client.HTTPConnection(parts.hostname or "", port, timeout=timeout)
    try:
        connection.connect()
        target = parts.path or "/"
        connection.request("POST", target + (f"?{parts.query}" if parts.query else ""), body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


class CallbackSender:
    """Background threads that send queued deliveries. ``send_due`` hands over everything that is due."""

    def __init__(self, world: World, workers: int = 4) -> None:
        self.world = world
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="sandbox-callback")
        self._in_flight: set[str] = set()
        self._stopped = threading.Event()

    def send_due(self) -> None:
        world = self.world
        with world.lock:
            for row in world.store.by("delivery", "_parent", "pending"):
                if row["due"] <= world.now and row["_key"] not in self._in_flight:
                    self._in_flight.add(row["_key"])
                    self._pool.submit(self._send, dict(row))

    def _send(self, row: Obj) -> None:
        if self._stopped.is_set():
            return
        refused, answer = False, "error"
        try:
            url, body, headers = signed_request(self.world.config.auth_tokens[0], row)
            answer = str(_post(url, body, headers, TIMEOUTS[row["kind"]]))
        except (ConnectionRefusedError, OSError, http.client.HTTPException, ValueError) as error:
            refused = isinstance(error, ConnectionRefusedError)
            answer = type(error).__name__
        with self.world.lock:
            self._in_flight.discard(row["_key"])
            self._record(row["_key"], answer, refused)

    def _record(self, key: str, answer: str, refused: bool) -> None:
        world = self.world
        row = world.store.get("delivery", key)
        if row is None or self._stopped.is_set():
            return
        row["attempts"] += 1
        row["answer"] = answer
        wait = 2.0 ** (row["attempts"] - 1)
        again = (
            world.now - row["made"] < world.scaled(EVENT_LIFE)
            if row["kind"] == "event"
            else _retried(row, refused)
        )
        if answer.startswith("2"):
            row.update(state="delivered", _parent="done")
        elif again:
            row["due"] = world.now + (world.scaled(wait) if row["kind"] == "event" else 1.0)
        else:
            row.update(state="failed", _parent="done")
        world.store.put("delivery", key, row)
        world.store.commit()

    def stop(self) -> None:
        self._stopped.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
