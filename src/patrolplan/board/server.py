"""The board's pages and answers, served to this computer alone."""

import asyncio
import ipaddress
import os
import re
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Query
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp
from xstatic.pkg import leaflet

from patrolplan.board import requests
from patrolplan.board.board import Board
from patrolplan.board.security import RequestGuard
from patrolplan.board.shared_week import ConflictError
from patrolplan.board.views import build_map_document, find_place_documents
from patrolplan.errors import InputError, PatrolplanError
from patrolplan.outputs import webmap
from patrolplan.outputs.offline_page import load_template
from patrolplan.outputs.week.roster import format_week

PAGE = Path(__file__).parent / "page"
PHONE = Path(webmap.__file__).parent
LEAFLET = Path(leaflet.BASE_DIR)
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css"}
LOOPBACK_ADDRESS = "127.0.0.1"
MAX_CONNECTIONS = 100  # connections with which requests are answered; a browser uses six
STARTS = {"/api/solve", "/api/print"}  # requests that begin work in the background
PAPER_POLICY = "script-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""For PDFs: browsers show them by styles and objects of their own."""


def build_app(board: Board, token: str, port: int, *, code: str = "") -> ASGIApp:
    """The board behind its guard; anyone who knows the token may use it."""
    app = FastAPI(title="patrolplan board", openapi_url=None, docs_url=None, redoc_url=None)
    _add_pages(app, board, token)
    shared = board.shared

    def state(since: int | None = None) -> Response:
        shared.check_folder()
        if since == shared.version and not board.planning_job.status.running:
            return Response(status_code=204)
        return JSONResponse(board.build_state())

    def places(text: Annotated[str, Query(min_length=1, max_length=200)]) -> dict[str, Any]:
        return find_place_documents(shared.state.planned_area.area, text)

    answers: dict[str, Callable[..., Any]] = {
        "/api/state": state,
        "/api/map": lambda: build_map_document(shared.state.planned_area),
        "/api/places": places,
        "/api/solving": board.build_planning_status,
        "/api/proposal": board.build_proposal,
        "/api/print": board.build_printing_status,
    }
    acts: dict[str, Callable[..., Any]] = {
        "/api/check": board.check,
        "/api/offers": board.find_offers,
        "/api/solve": board.start_solving,
        "/api/solve/cancel": board.cancel_solving,
        "/api/proposal/drop": board.discard_proposal,
        "/api/print": board.start_printing,
    }
    for path, answer in answers.items():
        app.get(path)(answer)
    for path, act in acts.items():
        app.post(path, status_code=202 if path in STARTS else 200)(act)
    # These change the week: each answers with the state after it, and what was done.
    for path, kind, change in (
        ("/api/change", requests.ChangeRequest, board.change),
        ("/api/undo", requests.VersionedRequest, lambda one: shared.step_back(one.version, "undo")),
        ("/api/redo", requests.VersionedRequest, lambda one: shared.step_back(one.version, "redo")),
        ("/api/doses", requests.DosesRequest, board.record),
        ("/api/offers/take", requests.TakeOfferRequest, board.take_offer),
        ("/api/proposal/take", requests.VersionedRequest, board.accept_proposal),
    ):
        app.post(path)(_answer_change(board, kind, change))
    _add_error_handlers(app, board)
    return RequestGuard(app, token, port, code=code)


def _answer_change(
    board: Board, kind: type[requests.VersionedRequest], change: Callable[[Any], str]
) -> Callable[[requests.VersionedRequest], dict[str, Any]]:
    def answer(request: requests.VersionedRequest) -> dict[str, Any]:
        board.check_not_planning()
        message = change(request)
        return {"state": board.build_state(), "message": message}

    answer.__annotations__["request"] = kind
    return answer


def _add_pages(app: FastAPI, board: Board, token: str) -> None:
    """The page, what it loads, and the papers."""
    own = [path for path in PAGE.iterdir() if path.suffix in MEDIA_TYPES]
    phone = [PHONE / "packed.js", PHONE / "ground.js"]
    leaflets = [LEAFLET / "leaflet.js", LEAFLET / "leaflet.css"]
    files = {path.name: path for path in [*own, *phone, *leaflets]}  # no other path is read
    scripts = [path.name for path in sorted(PAGE.glob("*.js")) if path.stem != "board"]

    @app.get("/")
    def page() -> HTMLResponse:
        week = board.shared.state.week
        html = load_template(PAGE / "board.html.j2").render(
            token=token, area=week.plan.area.name, week_name=format_week(week), scripts=scripts
        )
        return HTMLResponse(html)

    @app.get("/page/{name}")
    def static(name: str) -> Response:
        if name not in files:
            raise HTTPException(404, "there is no such page")
        path = files[name]
        content = path.read_bytes()
        if path.parent == LEAFLET:  # without the source map and the images, which we do not serve
            content = re.sub(rb"//# sourceMappingURL=\S+", b"", content)
            content = re.sub(rb"url\(images/[\w-]+\.png\)", b"none", content)
        return Response(content, media_type=MEDIA_TYPES[path.suffix])

    @app.get("/papers/{name:path}")
    def papers(name: str) -> Response:
        content = board.shared.store.read_paper(name)
        if content is None:
            raise HTTPException(404, "there is no such paper")
        headers = {"content-disposition": "inline", "content-security-policy": PAPER_POLICY}
        return Response(content, media_type="application/pdf", headers=headers)


def _add_error_handlers(app: FastAPI, board: Board) -> None:
    """Every problem as a status and plain words, without a traceback."""

    def answer(_: Request, error: Exception) -> JSONResponse:
        more: dict[str, Any] = {}
        what = "the board failed; what was saved is safe, and the window in which the board was"
        status, problem = 500, f"{what} started says more"
        if isinstance(error, ConflictError):
            more = {"by_others": error.by_others, "state": board.build_state()}
            status, problem = 409, "changed"
        elif isinstance(error, PatrolplanError):
            status, problem = 422 if isinstance(error, ValueError) else 503, str(error)
        elif isinstance(error, RequestValidationError):
            rows = (
                f"{'.'.join(map(str, row['loc'][1:])) or 'request'}: {row['msg']}"
                for row in error.errors()[:5]
            )
            status, problem = 400, "the request is not valid: " + "; ".join(rows)
        elif isinstance(error, HTTPException):
            status, problem = error.status_code, error.detail
        return JSONResponse({"problem": problem, **more}, status_code=status)

    for kind in (PatrolplanError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, answer)


def find_loopback_address(host: str) -> str:
    """The loopback address of a host; raises InputError for any other address."""
    if host == "localhost":
        return LOOPBACK_ADDRESS
    with suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return host
    what = f"the board serves this computer only and does not listen on '{host}'"
    where = "--host"
    raise InputError.one(where, what, f"leave it out, or write {LOOPBACK_ADDRESS}")


def open_listener(host: str, port: int) -> socket.socket:
    """A socket that listens on this computer alone; port 0 takes any that is free."""
    address = find_loopback_address(host)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        return socket.create_server((address, port), family=family)
    except OSError as error:
        what = f"port {port} cannot be used ({os.strerror(error.errno) if error.errno else error})"
        where = "--port"
        raise InputError.one(where, what, "choose another, or 0 for any free port") from None


def build_server(
    board: Board, listener: socket.socket, token: str, *, code: str = ""
) -> uvicorn.Server:
    """A server of the board on a socket that listens, see `open_listener` and `RequestGuard`."""
    config = uvicorn.Config(
        build_app(board, token, listener.getsockname()[1], code=code),
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=5,
        http="h11",
        limit_concurrency=MAX_CONNECTIONS,
        h11_max_incomplete_event_size=32 * 1024,
        lifespan="off",
        ws="none",
    )
    return uvicorn.Server(config)


def serve(board: Board, listener: socket.socket, token: str, *, code: str = "") -> None:
    """Serve the board until it is stopped (Ctrl+C)."""
    server = build_server(board, listener, token, code=code)
    try:
        with suppress(KeyboardInterrupt):  # the way to close it
            asyncio.run(server.serve(sockets=[listener]))
    finally:
        board.close()
