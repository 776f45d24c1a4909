"""Who may use the board: this computer, its own page, with the session's token, in small requests.

Another page of the same browser can send requests to a loopback address too. It cannot know the
token, its Origin differs, and a name that it points at this computer (DNS rebinding) is a different
Host: each of these is refused.
"""

import asyncio
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from patrolplan.atomic import TEMPORARY_PREFIX

MAX_BODY_BYTES, BODY_TIMEOUT_SECONDS = 64 * 1024, 10.0
SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}

TOKEN_HEADER = "x-patrolplan-token"  # noqa: S105 - a name
PUBLIC_PREFIX = "/page/"  # style sheets and scripts hold nothing of the week; they need no token


class RequestGuard:
    """The app that every request reaches first: it refuses those that the board must not answer."""

    def __init__(self, app: ASGIApp, token: str, port: int, *, code: str = "") -> None:
        self._app, self._token, self._code = app, token, code
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
        self._origins = {f"http://{host}" for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        if scope["type"] != "http":  # nothing else is served
            return
        request = Request(scope, receive)
        answer: Response | None = None
        try:
            if self._use_code(request):
                answer = RedirectResponse(f"/?token={self._token}", 303)
            else:
                self._check(request)
                receive = await _read_body(request)
        except HTTPException as refused:
            # The rest of the body is not read.
            headers = {"connection": "close"}
            answer = JSONResponse({"problem": refused.detail}, refused.status_code, headers)
        await (answer or self._app)(scope, receive, _with_security_headers(send))

    def _use_code(self, request: Request) -> bool:
        """Whether the one-time code is given, which is then used up."""
        given = request.query_params.get("code", "")
        if not self._code or request.scope["path"] != "/" or not _is_equal(given, self._code):
            return False
        self._check_host(request)
        self._code = ""
        return True

    def _check_host(self, request: Request) -> None:
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            raise HTTPException(403, "the board answers only at the address that it printed")

    def _check(self, request: Request) -> None:
        """Refuse what does not come from the board's own page."""
        self._check_host(request)
        if not {one.lower() for one in request.headers.getlist("origin")} <= self._origins:
            raise HTTPException(403, "requests from another page are refused")
        # The token is in its header or, for pages that are opened by address, in the address.
        path, given = request.scope["path"], request.headers.getlist(TOKEN_HEADER)
        if not path.startswith("/api/"):
            given += request.query_params.getlist("token")
        has_token = bool(given) and all(_is_equal(text, self._token) for text in given)
        if not has_token and not path.startswith(PUBLIC_PREFIX):
            problem = "open the board with the full address that it printed, including the token"
            raise HTTPException(401, problem)


def _is_equal(given: str, secret: str) -> bool:
    """Whether a secret is given; takes as long whatever is given."""
    return secrets.compare_digest(given.encode("utf-8"), secret.encode("utf-8"))


async def _read_body(request: Request) -> Receive:
    """Gives the whole body again; it is cut off once it is too long, whatever length it claims."""
    too_long = HTTPException(413, f"the request is larger than {MAX_BODY_BYTES // 1024} kB")
    if int(request.headers.get("content-length", 0)) > MAX_BODY_BYTES:
        raise too_long
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise too_long
    except ClientDisconnect:
        raise HTTPException(400, "the request was interrupted") from None
    except TimeoutError:
        raise HTTPException(408, "the request took too long to arrive") from None
    messages: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await request.receive()

    return replay


def _with_security_headers(send: Send) -> Send:
    """Adds the security headers that an answer does not set itself."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers


@contextmanager
def write_redirect_file(address: str, code: str) -> Iterator[Path]:
    """A page on the disk that leads a browser to the board with a code that works once."""
    # The folder and the file can be read by this user alone, while all users of a computer can see
    # the arguments of its processes.
    target = f"{address}?code={code}"
    page = (
        '<!DOCTYPE html><meta charset="utf-8"><title>patrolplan board</title>'
        f'<meta http-equiv="refresh" content="0; url={target}">'
        f'<a href="{target}">Open the board</a>'
    )
    with tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX) as folder:
        path = Path(folder) / "board.html"
        path.touch(mode=0o600)
        path.write_text(page, encoding="utf-8")
        yield path
