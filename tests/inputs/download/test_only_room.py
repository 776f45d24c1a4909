"""Only the room of open data, and the command fetch, can reach the internet."""

import ast
from pathlib import Path

import pytest

import patrolplan

SOURCE = Path(patrolplan.__file__).parent
ROOM = SOURCE / "inputs" / "download"
REACHES_OUT = {
    "aiohttp", "ftplib", "http", "httpx", "imaplib", "poplib", "requests", "smtplib", "socket",
    "telnetlib", "urllib", "urllib3", "xmlrpc",
}  # fmt: skip
HARMLESS = {"urllib.parse", "http.cookies", "http.HTTPStatus"}
OTHERS = {
    "board": {"socket"},  # binds to loopback
    "inputs/graphml.py": {"osmnx"},  # reads files
}


def imported(path):
    """Full names of everything that a module imports, at its top or inside."""
    for part in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(part, ast.Import):
            yield from (alias.name for alias in part.names)
        elif isinstance(part, ast.ImportFrom) and part.module:
            yield from (f"{part.module}.{alias.name}" for alias in part.names)


def reaching(path):
    """What a module imports that can reach out."""
    names = [name for name in imported(path) if not name.startswith(tuple(HARMLESS))]
    roots = {name.split(".")[0] for name in names}
    rooms = {"download" for name in names if name.startswith("patrolplan.inputs.download")}
    return (roots & (REACHES_OUT | {"osmnx"})) | rooms


def test_the_room_is_seen_to_reach_out():
    """The check finds what it looks for, where it is."""
    assert reaching(ROOM / "client.py") >= {"requests", "urllib3"}


@pytest.mark.parametrize(
    "path",
    [path for path in sorted(SOURCE.rglob("*.py")) if ROOM not in path.parents],
    ids=lambda path: path.relative_to(SOURCE).as_posix(),
)
def test_no_other_module_reaches_out(path):
    """No module outside the room imports what talks to servers, nor the room, save the command."""
    name = path.relative_to(SOURCE).as_posix()
    allowed = next((what for start, what in OTHERS.items() if name.startswith(start)), set())
    if name == "cli/fetch.py":
        allowed = {"download"}
    assert reaching(path) <= allowed
