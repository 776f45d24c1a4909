"""Who may use the board: this computer, its own page, with the session's token, in small requests.

Another page of the same browser can send requests to a loopback address too. It cannot know the
token, its Origin differs, and a name that it points at this computer (DNS rebinding) is a different
Host: each of these is refused.

A browser is opened with a file that only its user can read, since the other users of a computer can
see the arguments of its processes. The file leads to the board with a code that works once; the
answer leads on to the page with the token.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from uvicorn.protocols.http.h11_impl import H11Protocol

from patrolplan.atomic import TEMPORARY_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send


MAX_CONNECTIONS = 100
"""Connections that are open at once; a browser uses six."""
MAX_BODY_BYTES = 64 * 1024
"""Maximum bytes of a request's body."""
BODY_TIMEOUT_SECONDS = 10.0
REQUESTS_PER_SECOND, MAX_BURST_REQUESTS = 50.0, 150.0
"""Maximum requests a second on average, and in a burst."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

SECURITY_HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode("ascii")),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cache-control", b"no-store"),
)

TOKEN_HEADER = b"x-patrolplan-token"
PUBLIC_PREFIX = "/page/"
"""Style sheets and scripts hold nothing of the week; they need no token."""


class RequestRefusedError(Exception):
    """A request that is refused, with the status of the answer and why."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status
        self.problem = problem


@dataclass
class RateLimit:
    """A token bucket: how many more requests may come now."""

    remaining: float = MAX_BURST_REQUESTS
    updated_at: float = field(default_factory=time.monotonic)

    def try_acquire(self) -> bool:
        """Whether one more is allowed; counts it if so."""
        now = time.monotonic()
        self.remaining = min(
            MAX_BURST_REQUESTS, self.remaining + (now - self.updated_at) * REQUESTS_PER_SECOND
        )
        self.updated_at = now
        if self.remaining < 1:
            return False
        self.remaining -= 1
        return True


class RequestGuard:
    """The app that every request reaches first: it refuses those that the board must not answer."""

    def __init__(self, app: ASGIApp, token: str, port: int, *, code: str = "") -> None:
        self._app = app
        self._token = token.encode("utf-8")
        self._code = code.encode("utf-8")
        self._hosts = {f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost", "[::1]")}
        self._origins = {b"http://" + host for host in self._hosts}
        self._rate_limits: defaultdict[bool, RateLimit] = defaultdict(RateLimit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        try:
            if self._use_code(scope):
                await _send_redirect(send, b"/?token=" + self._token)
                return
            self._check(scope)
            body = await self._read_body(scope, receive)
        except RequestRefusedError as refused:
            await _send_refusal(send, refused)
            return
        await self._app(scope, _replay_body(body, receive), _add_headers(send))

    def _use_code(self, scope: Scope) -> bool:
        """Whether the one-time code is given, which is then used up."""
        if not self._code or scope["path"] != "/":
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get("code", [])
        if not given or not secrets.compare_digest(given[0].encode("utf-8"), self._code):
            return False
        self._check_host(scope["headers"])
        self._code = b""
        return True

    def _check_host(self, headers: list[tuple[bytes, bytes]]) -> None:
        hosts = [value for name, value in headers if name == b"host"]
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            raise RequestRefusedError(403, "the board answers only at the address that it printed")

    def _check(self, scope: Scope) -> None:
        """Refuse what does not come from the board's own page."""
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        self._check_host(headers)
        for name, value in headers:
            if name == b"origin" and value.lower() not in self._origins:
                raise RequestRefusedError(403, "requests from another page are refused")
        has_token = self._has_token(scope, headers)
        if not self._rate_limits[has_token].try_acquire():
            raise RequestRefusedError(429, "too many requests at once; wait a second")
        if not has_token and not scope["path"].startswith(PUBLIC_PREFIX):
            problem = "open the board with the full address that it printed, including the token"
            raise RequestRefusedError(401, problem)

    def _has_token(self, scope: Scope, headers: list[tuple[bytes, bytes]]) -> bool:
        """Whether the token is given, in its header or for pages that are opened by address."""
        given = [value for name, value in headers if name == TOKEN_HEADER]
        if not scope["path"].startswith("/api/"):
            query = parse_qs(scope["query_string"].decode("latin-1"))
            given += [text.encode("utf-8") for text in query.get("token", [])]
        matches = [secrets.compare_digest(text, self._token) for text in given]
        return bool(matches) and all(matches)

    async def _read_body(self, scope: Scope, receive: Receive) -> bytes:
        """The whole body, cut off as soon as it is too long, whatever length it claims."""
        too_long = RequestRefusedError(
            413, f"the request is larger than {MAX_BODY_BYTES // 1024} kB"
        )
        for name, value in scope["headers"]:
            if name == b"content-length" and int(value) > MAX_BODY_BYTES:
                raise too_long
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise RequestRefusedError(400, "the request was interrupted")
                    body += message.get("body", b"")
                    if len(body) > MAX_BODY_BYTES:
                        raise too_long
                    if not message.get("more_body", False):
                        return bytes(body)
        except TimeoutError:
            raise RequestRefusedError(408, "the request took too long to arrive") from None


async def _send_redirect(send: Send, location: bytes) -> None:
    headers = [*SECURITY_HEADERS, (b"location", location), (b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


@contextmanager
def write_redirect_file(address: str, code: str) -> Iterator[Path]:
    """A page on the disk that leads a browser to the board, readable by this user alone."""
    target = f"{address}?code={code}"
    page = (
        '<!DOCTYPE html><meta charset="utf-8"><title>patrolplan board</title>'
        f'<meta http-equiv="refresh" content="0; url={target}">'
        f'<a href="{target}">Open the board</a>'
    )
    # The folder and the file can be read by this user alone.
    with tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX) as folder:
        path = Path(folder) / "board.html"
        path.touch(mode=0o600)
        path.write_text(page, encoding="utf-8")
        yield path


async def _send_refusal(send: Send, refused: RequestRefusedError) -> None:
    body = json.dumps({"problem": refused.problem}).encode("utf-8")
    headers = [
        *SECURITY_HEADERS,
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode("ascii")),
        (b"connection", b"close"),  # the rest of the body is not read
    ]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _replay_body(body: bytes, receive: Receive) -> Receive:
    """Returns the body that has been read already, and then what comes after it."""
    replayed = False

    async def replay() -> Message:
        nonlocal replayed
        if replayed:
            return await receive()
        replayed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _add_headers(send: Send) -> Send:
    """Adds the security headers that an answer does not set itself."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = list(message.get("headers", []))
            names = {name.lower() for name, _ in own}
            missing = [row for row in SECURITY_HEADERS if row[0] not in names]
            message = {**message, "headers": [*own, *missing]}
        await send(message)

    return send_with_headers


class LimitedProtocol(H11Protocol):
    """A connection that closes the one idle longest when there are too many.

    Any program on this computer can open connections and send nothing. With a fixed limit, a few
    hundred of them would shut out the page; without a limit, they would use up the files that a
    process may open. One whose request is being answered is never closed.
    """

    _numbers = itertools.count()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the new connection, and make room for it."""
        super().connection_made(transport)
        self.last_used = next(self._numbers)
        if len(self.connections) > MAX_CONNECTIONS:
            others = (one for one in self.connections if isinstance(one, LimitedProtocol))
            idle = [one for one in others if one is not self and one.is_idle]
            if idle:
                min(idle, key=lambda one: one.last_used).transport.abort()

    def data_received(self, data: bytes) -> None:
        """Note that the connection is in use, then read the data."""
        self.last_used = next(self._numbers)
        super().data_received(data)

    @property
    def is_idle(self) -> bool:
        """Whether no request of it is being answered; an unfinished head counts as idle."""
        return self.cycle is None or self.cycle.response_complete
