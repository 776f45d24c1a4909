"""Every class that can be reached by annotation from `patrolplan`, found and described.

What a public call takes or gives has fields, which are of other classes, and so on; a reader who
holds any of them finds it here. Fields and their meanings come from annotations and the texts below
them.
"""

import ast
import dataclasses
import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

import patrolplan

PACKAGE = patrolplan.__name__
ROOMS = {
    "area": "An area and what was read",
    "network": "Streets",
    "risk": "Risk",
    "hotspots": "Hotspots",
    "pupils": "Pupils on their way home",
    "patrols": "Patrols",
    "patrols.solver": "The solver",
    "team": "The week",
    "team.ledger": "The ledger",
    "outputs": "Briefs, saved plans, maps",
    "errors": "Notes and problems",
    "settings": "Settings",
}
"""Room -> title of its part; a class of no room stands in the first of them that uses it."""
HOME = {
    "crs": "network",
    "inputs": "area",
    "notes": "errors",
    "parallel": "patrols",
    "plausibility": "area",
    "privacy": "area",
    "tables": "area",
    "times": "area",
}
"""Modules of the ground and the doors -> the part of the page that they stand in."""
FIRST = {"self", "cls"}


class Row(NamedTuple):
    """A field, a property or a method."""

    name: str
    kind: str
    meaning: str


@cache
def find_classes() -> tuple[type, ...]:
    """Every class of ours that annotations lead to from a public name, by module and name."""
    found: dict[type, None] = {}
    for name in patrolplan.__all__:
        public = getattr(patrolplan, name)
        members = vars(public).items() if inspect.ismodule(public) else [(name, public)]
        for member, value in members:
            if not member.startswith("_"):
                _follow(value, found)
    return tuple(sorted(found, key=lambda one: (one.__module__, one.__name__)))


def _follow(hint: object, found: dict[type, None]) -> None:
    for part in typing.get_args(hint):
        _follow(part, found)
    hint = typing.get_origin(hint) or hint
    if isinstance(hint, list):
        for part in hint:
            _follow(part, found)
    elif inspect.isfunction(hint) or isinstance(hint, type):
        if not getattr(hint, "__module__", "").startswith(PACKAGE) or hint in found:
            return
        if isinstance(hint, type):
            found[hint] = None
            _follow(vars(hint).get("__init__"), found)
            for _, function in _list_functions(hint):
                _follow(function, found)
        for part in _read_hints(hint).values():
            _follow(part, found)


def _list_functions(kind: type) -> Iterator[tuple[str, Callable[..., object]]]:
    """Public methods and what computes public properties, in the order of the source."""
    for name, member in vars(kind).items():
        if isinstance(member, property):
            member = member.fget  # noqa: PLW2901
        elif isinstance(member, cached_property):
            member = member.func  # noqa: PLW2901
        member = inspect.unwrap(getattr(member, "__func__", member))  # noqa: PLW2901
        if not name.startswith("_") and inspect.isfunction(member):
            yield name, member


def _read_hints(owner: Any) -> dict[str, Any]:
    """Annotations without what pydantic reads, also those imported for the type checker alone."""
    module = sys.modules[owner.__module__]
    names = dict(vars(module))
    for node in _parse(module.__file__).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            exec(ast.unparse(node.body), names)  # noqa: S102 - our own imports
    return typing.get_type_hints(owner, globalns=names, localns=names)


def classes_pages() -> dict[str, str]:
    """A page of classes for each room, in the order that data flows, and their contents."""
    pages = {
        "classes.md": "\n".join(
            [
                "# Classes",
                "",
                "What calls take and give, and what that consists of: every class that annotations",
                "lead to from `patrolplan`. [Results](results.md) has an example of each that a",
                "call gives; the ledger and errors are in [the Python API](api.md).",
                "",
                "```{toctree}",
                *(f"classes/{room}" for room in ROOMS),
                "```",
                "",
            ]
        )
    }
    for room, title in ROOMS.items():
        lines = [f"# {title}: classes", ""]
        for one in find_classes():
            if _find_room(one) == room and not _is_elsewhere(one):
                lines += _describe(one)
        pages[f"classes/{room}.md"] = "\n".join(lines)
    return pages


def _is_elsewhere(kind: type) -> bool:
    """Whether the page of the API documents it: the ledger with all its methods, and errors."""
    return kind.__name__ == "Ledger" or issubclass(kind, Exception)


def _find_room(kind: type) -> str:
    parts = kind.__module__.removeprefix(f"{PACKAGE}.").split(".")
    if ".".join(parts[:2]) in ROOMS:
        return ".".join(parts[:2])
    return HOME.get(parts[0], parts[0])


def _describe(kind: type) -> Iterator[str]:
    """The class as Sphinx' own directive, so that other pages and sites can link to it."""
    full = f"{kind.__module__}.{kind.__qualname__}"
    is_public = getattr(patrolplan, kind.__name__, None) is kind
    yield f"::::{{py:class}} {PACKAGE}.{kind.__name__}" if is_public else f"::::{{py:class}} {full}"
    if is_public:
        yield f":canonical: {full}"
    yield ""
    text = "" if _has_no_text(kind) else inspect.getdoc(kind) or ""
    yield re.split(r"\n\n[A-Z]\w+\n---+\n", text)[0].replace("::\n", ":\n").strip()
    yield ""
    if issubclass(kind, BaseModel) and _find_room(kind) == "settings":
        yield "Its keys: [settings](../settings.md)."
    elif rows := list(_list_rows(kind)):
        yield "| | kind | meaning |"
        yield "| --- | --- | --- |"
        for row in rows:
            yield f"| `{row.name}` | {row.kind} | {row.meaning} |"
    yield "::::"
    yield ""


def _has_no_text(kind: type) -> bool:
    """Whether the text is one that Python wrote, not we."""
    return (kind.__doc__ or "").startswith(f"{kind.__name__}(")


def _list_rows(kind: type) -> Iterator[Row]:
    """Fields with the text below them, then properties and methods with their first sentence."""
    hints = _read_hints(kind)
    for name in hints:
        if typing.get_origin(hints[name]) is typing.ClassVar:
            continue
        if not name.startswith("_") and (dataclasses.is_dataclass(kind) or name in _get_own(kind)):
            yield Row(name, _name_kind(hints[name]), _cell(_find_text(kind, name)))
    for name, function in _list_functions(kind):
        gives = _name_kind(_read_hints(function).get("return", types.NoneType))
        given = [one for one in inspect.signature(function).parameters if one not in FIRST]
        is_value = isinstance(inspect.getattr_static(kind, name), (property, cached_property))
        shown = name if is_value else f"{name}({', '.join(given)})"
        yield Row(shown, gives, _cell((inspect.getdoc(function) or "").split("\n\n")[0]))


def _get_own(kind: type) -> dict[str, Any]:
    return getattr(kind, "model_fields", None) or vars(kind).get("__annotations__", {})


def _find_text(kind: type, name: str) -> str:
    """The text below a field, in the class or the one that it has the field from."""
    for owner in kind.__mro__:
        if owner.__module__.startswith(PACKAGE):
            texts = _read_texts(sys.modules[owner.__module__].__file__)
            if text := texts.get((owner.__name__, name)) or _find_parameter(owner, name):
                return text
    return ""


def _find_parameter(kind: type, name: str) -> str:
    """The text of a field in the class's own NumPy section of parameters."""
    _, _, section = (inspect.getdoc(kind) or "").partition("\nParameters\n----------\n")
    for entry in re.split(r"\n(?=\S)", section.partition("\n\n")[0]):
        names, *text = entry.split("\n")
        if name in names.partition(":")[0].replace(",", " ").split():
            return " ".join(line.strip() for line in text)
    return ""


@cache
def _read_texts(path: str) -> dict[tuple[str, str], str]:
    """The text below each field of a module's classes, by class and field."""
    texts = {}
    for node in _parse(path).body:
        for field, text in pairwise(node.body if isinstance(node, ast.ClassDef) else ()):
            if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
                texts[node.name, ast.unparse(field.target)] = inspect.cleandoc(text.value.value)
    return texts


@cache
def _parse(path: str) -> ast.Module:
    return ast.parse(Path(path).read_text(encoding="utf-8"))


def _name_kind(hint: Any) -> str:
    """A kind in words, with links to classes of ours."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(_name_kind(one) for one in parts)
    if origin is Literal:
        return ", ".join(f"`{one!r}`" for one in parts)
    if origin is Callable or hint is types.NoneType:
        return "function" if hint is not types.NoneType else "None"
    if origin and parts:
        return _name_parts(origin, parts)
    if hint in find_classes():
        return f"{{py:class}}`~{hint.__module__}.{hint.__qualname__}`"
    return f"`{getattr(hint, '__name__', str(hint))}`"


def _name_parts(origin: Any, parts: tuple[Any, ...]) -> str:
    """A container with what it holds; of arrays, whose kinds say little, only that it is one."""
    if origin.__name__ == "ndarray":
        return "array"
    held = (parts[0],) if parts[-1] is Ellipsis else parts
    return f"{origin.__name__} of {', '.join(_name_kind(one) for one in held)}"


def _cell(text: str) -> str:
    return re.sub(r"``(.+?)``", r"`\1`", text).replace("|", "\\|").replace("\n", " ")
