"""The board's pages and answers, served to this computer alone."""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import uvicorn
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from xstatic.pkg import leaflet

from patrolplan.board.requests import (
    ChangeRequest,  # noqa: TC001 - FastAPI reads it
    CheckRequest,  # noqa: TC001 - FastAPI reads it
    DosesRequest,  # noqa: TC001 - FastAPI reads it
    PrintRequest,  # noqa: TC001 - FastAPI reads it
    VersionedRequest,  # noqa: TC001 - FastAPI reads it
)
from patrolplan.board.security import RequestGuard
from patrolplan.board.session import ConflictError
from patrolplan.errors import InputError, PatrolplanError
from patrolplan.outputs.week.roster import format_week
from patrolplan.terminal import stderr_console

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from patrolplan.board.board import Board


PAGE = Path(__file__).parent / "page"
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css"}
LOOPBACK_ADDRESS = "127.0.0.1"
PAPER_POLICY = "script-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""For PDFs: browsers show them by styles and objects of their own."""


def build_app(board: Board, token: str, port: int) -> ASGIApp:
    """The board behind its guard.

    Parameters
    ----------
    board
        What it shows and changes.
    token
        Of this session; whoever knows it may use the board.
    port
        The port that it will be served on.
    """
    app = FastAPI(title="patrolplan board", openapi_url=None, docs_url=None, redoc_url=None)
    _add_pages(app, board, token)
    _add_queries(app, board)
    _add_changes(app, board)
    _add_jobs(app, board)
    _add_error_handlers(app, board)
    return RequestGuard(app, token, port)


def _add_pages(app: FastAPI, board: Board, token: str) -> None:
    files = _list_static_files()
    scripts = [path.name for path in sorted(PAGE.glob("*.js")) if path.stem != "board"]

    @app.get("/")
    def page() -> HTMLResponse:
        week = board.session.state.week
        area = week.plan.area
        text = _build_jinja_environment().get_template("board.html.j2")
        facts = {"token": token, "area": area.name, "week_name": format_week(week)}
        facts["marking"] = area.settings.output.marking
        return HTMLResponse(text.render(**facts, scripts=scripts))

    @app.get("/page/{name}")
    def static(name: str) -> Response:
        if name not in files:
            raise HTTPException(404, "there is no such page")
        kind, content = files[name]
        return Response(content(), media_type=kind)

    @app.get("/papers/{name:path}")
    def papers(name: str) -> Response:
        content = board.read_paper(name)
        if content is None:
            raise HTTPException(404, "there is no such paper")
        return Response(
            content,
            media_type="application/pdf",
            headers={"content-disposition": "inline", "content-security-policy": PAPER_POLICY},
        )


def _add_queries(app: FastAPI, board: Board) -> None:
    @app.get("/api/state")
    def state(since: int | None = None) -> Response:
        board.session.reload_if_changed()
        if since is not None and not board.has_news(since):
            return Response(status_code=204)
        return JSONResponse(board.build_state())

    @app.get("/api/map")
    def ground() -> dict[str, Any]:
        return board.build_map()

    @app.post("/api/check")
    def check(asked: CheckRequest) -> dict[str, Any]:
        return board.check(asked.change)


def _add_changes(app: FastAPI, board: Board) -> None:
    @app.post("/api/change")
    def change(asked: ChangeRequest) -> dict[str, Any]:
        return _build_change_response(board, board.change(asked.version, asked.change))

    @app.post("/api/undo")
    def undo(asked: VersionedRequest) -> dict[str, Any]:
        return _build_change_response(board, board.undo(asked.version))

    @app.post("/api/redo")
    def redo(asked: VersionedRequest) -> dict[str, Any]:
        return _build_change_response(board, board.redo(asked.version))

    @app.post("/api/doses")
    def doses(asked: DosesRequest) -> dict[str, Any]:
        return _build_change_response(board, board.record(asked))


def _add_jobs(app: FastAPI, board: Board) -> None:
    @app.post("/api/solve", status_code=202)
    def solve(asked: VersionedRequest) -> dict[str, Any]:
        board.start_solving(asked.version)
        return {"solving": board.build_solving_status()}

    @app.get("/api/solving")
    def solving() -> dict[str, Any]:
        return board.build_solving_status()

    @app.post("/api/solve/cancel")
    def cancel() -> dict[str, Any]:
        board.cancel_solving()
        return board.build_solving_status()

    @app.get("/api/proposal")
    def proposal() -> dict[str, Any]:
        found = board.build_proposal()
        if found is None:
            raise HTTPException(404, "there is no proposal; solve again")
        return found

    @app.post("/api/proposal/take")
    def take(asked: VersionedRequest) -> dict[str, Any]:
        return _build_change_response(board, board.accept_proposal(asked.version))

    @app.post("/api/proposal/drop")
    def drop() -> dict[str, Any]:
        board.discard_proposal()
        return {"proposal": False}

    @app.post("/api/print", status_code=202)
    def print_papers(asked: PrintRequest) -> dict[str, Any]:
        board.start_printing(asked)
        return {"job": board.build_printing_status()}

    @app.get("/api/print")
    def printing() -> dict[str, Any]:
        return board.build_printing_status()


def _build_change_response(board: Board, said: str) -> dict[str, Any]:
    return {"state": board.build_state(), "said": said}


def _add_error_handlers(app: FastAPI, board: Board) -> None:
    """Every problem as a status and plain words; never a trace of the code."""

    @app.exception_handler(ConflictError)
    def conflict(_: Request, error: ConflictError) -> JSONResponse:
        body = {"problem": "changed", "by_others": error.by_others, "state": board.build_state()}
        return JSONResponse(body, status_code=409)

    @app.exception_handler(PatrolplanError)
    def problem(_: Request, error: PatrolplanError) -> JSONResponse:
        status = 422 if isinstance(error, ValueError) else 503
        return JSONResponse({"problem": str(error)}, status_code=status)

    @app.exception_handler(RequestValidationError)
    def malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        rows = [
            f"{'.'.join(str(part) for part in row['loc'][1:]) or 'request'}: {row['msg']}"
            for row in error.errors()[:5]
        ]
        told = "the request is not of a known form: " + "; ".join(rows)
        return JSONResponse({"problem": told}, status_code=400)

    @app.exception_handler(HTTPException)
    def unknown(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"problem": error.detail}, status_code=error.status_code)

    @app.exception_handler(Exception)
    def fault(_: Request, __: Exception) -> JSONResponse:
        told = "the board itself is at fault; what was saved is safe. Look at its terminal"
        return JSONResponse({"problem": told}, status_code=500)


def _list_static_files() -> dict[str, tuple[str, Callable[[], bytes]]]:
    """Name -> kind and content of every file that the page may load; no other path is read."""
    own = {
        path.name: (MEDIA_TYPES[path.suffix], path.read_bytes)
        for path in sorted(PAGE.iterdir())
        if path.suffix in MEDIA_TYPES
    }
    return {
        **own,
        "leaflet.js": (MEDIA_TYPES[".js"], _read_leaflet_script),
        "leaflet.css": (MEDIA_TYPES[".css"], _read_leaflet_style),
    }


@lru_cache(maxsize=1)
def _read_leaflet_script() -> bytes:
    source = (Path(leaflet.BASE_DIR) / "leaflet.js").read_text(encoding="utf-8")
    return re.sub(r"//# sourceMappingURL=\S+", "", source).encode("utf-8")


@lru_cache(maxsize=1)
def _read_leaflet_style() -> bytes:
    """Leaflet's style sheet without its images, which the page does not use."""
    source = (Path(leaflet.BASE_DIR) / "leaflet.css").read_text(encoding="utf-8")
    return re.sub(r"url\(images/[\w-]+\.png\)", "none", source).encode("utf-8")


@lru_cache(maxsize=1)
def _build_jinja_environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(PAGE, encoding="utf-8"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def find_loopback_address(host: str) -> str:
    """The loopback address that a host stands for.

    Raises
    ------
    InputError
        When it is any other address.

    Examples
    --------
    >>> find_loopback_address("localhost")
    '127.0.0.1'
    """
    if host == "localhost":
        return LOOPBACK_ADDRESS
    try:
        if ipaddress.ip_address(host).is_loopback:
            return host
    except ValueError:
        pass
    what = f"the board is for this computer alone and does not listen on '{host}'"
    where = "--host"
    raise InputError.one(where, what, f"leave it out, or write {LOOPBACK_ADDRESS}")


def open_listener(host: str, port: int) -> socket.socket:
    """A socket that listens on this computer; port 0 takes any that is free.

    Raises
    ------
    InputError
        When the address is not this computer's own, or the port is taken.
    """
    home = find_loopback_address(host)
    family = socket.AF_INET6 if ":" in home else socket.AF_INET
    try:
        return socket.create_server((home, port), family=family)
    except OSError as error:
        what = f"port {port} cannot be listened on ({error.strerror or error})"
        where = "--port"
        raise InputError.one(where, what, "name another, or 0 for any that is free") from None


def build_server(board: Board, listener: socket.socket, token: str) -> uvicorn.Server:
    """What serves the board on a socket that listens, see `listening`."""
    port = listener.getsockname()[1]
    config = uvicorn.Config(
        build_app(board, token, port),
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=5,
        limit_concurrency=200,
        h11_max_incomplete_event_size=32 * 1024,
        lifespan="off",
        ws="none",
    )
    return uvicorn.Server(config)


def serve(board: Board, listener: socket.socket, token: str) -> None:
    """Serve the board until it is stopped (Ctrl+C)."""
    server = build_server(board, listener, token)
    try:
        with suppress(KeyboardInterrupt):  # the way to close it
            asyncio.run(server.serve(sockets=[listener]))
    finally:
        board.close()
        stderr_console.print("The board is closed; everything was saved as it was changed.")
