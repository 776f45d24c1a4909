"""The page of classes: every one that annotations lead to from `patrolplan`.

Sphinx' autodoc would print what pydantic reads from annotations; these tables have the kinds and
the texts below fields alone.
"""

import ast
import dataclasses
import inspect
import re
import sys
import typing
from collections.abc import Iterator
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path

from pydantic import BaseModel
from sphinx.util.typing import restify

import patrolplan

HEAD = """
Classes
=======

What calls take and give, and what that consists of: every class that annotations lead to from
``patrolplan``. :doc:`results` has an example of each that a call gives; the ledger and errors are
in :doc:`api`.
"""


def build_classes_page() -> str:
    """The page: a part for each module."""
    lines, module = [HEAD], ""
    for one in sorted(find_classes(), key=lambda one: (one.__module__, one.__name__)):
        if one.__module__ != module:
            module = one.__module__
            lines += [module.removeprefix("patrolplan."), "-" * len(module), ""]
        lines += _describe(one)
    return "\n".join(lines)


def find_classes() -> set[type]:
    """Every class of ours that annotations lead to from a public name."""
    found: set[type] = set()
    for name in patrolplan.__all__:
        public = getattr(patrolplan, name)
        for member in vars(public).values() if inspect.ismodule(public) else [public]:
            _follow(member, found)
    return found


def _follow(hint: object, found: set[type]) -> None:
    for part in [*typing.get_args(hint), *(hint if isinstance(hint, list) else ())]:
        _follow(part, found)
    hint = typing.get_origin(hint) or hint
    is_ours = getattr(hint, "__module__", "").startswith("patrolplan")
    if inspect.isfunction(hint) and is_ours:
        _follow([*_read_hints(hint).values()], found)
    elif isinstance(hint, type) and is_ours and hint not in found:
        found.add(hint)
        members = [vars(hint).get("__init__"), *(function for _, function in _list_members(hint))]
        _follow([*members, *_read_hints(hint).values()], found)


def _list_members(kind: type) -> Iterator[tuple[str, typing.Any]]:
    """Public methods and what computes public properties, in the order of the source."""
    for name, member in vars(kind).items():
        found = getattr(member, "fget", None) or getattr(member, "func", None) or member
        function = inspect.unwrap(getattr(found, "__func__", found))
        if not name.startswith("_") and inspect.isfunction(function):
            yield name, function


def _read_hints(owner: typing.Any) -> dict[str, typing.Any]:
    """Annotations without what pydantic reads, also those imported for the type checker alone."""
    module = sys.modules[owner.__module__]
    names = dict(vars(module))
    for node in _parse(owner.__module__).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            exec(ast.unparse(node.body), names)  # noqa: S102 - our own imports
    return typing.get_type_hints(owner, globalns=names, localns=names)


def _describe(kind: type) -> Iterator[str]:
    """The class as Sphinx' own directive, so that other pages and sites can link to it."""
    if kind.__name__ == "Ledger" or issubclass(kind, Exception):
        return  # on the page of the API
    full = f"{kind.__module__}.{kind.__qualname__}"
    is_public = getattr(patrolplan, kind.__name__, None) is kind
    yield f".. py:class:: {f'patrolplan.{kind.__name__}' if is_public else full}"
    yield from [f"   :canonical: {full}"] if is_public else []
    text = inspect.getdoc(kind) or ""
    if text.startswith(f"{kind.__name__}("):  # a text that Python wrote
        text = ""
    text = re.split(r"\n\n[A-Z]\w+\n---+\n", text)[0]
    lines = ["", *_mark_code(text).split("\n"), ""]
    if issubclass(kind, BaseModel) and kind.__module__.startswith("patrolplan.settings"):
        lines += ["Its keys: :doc:`settings`."]
    elif rows := list(_list_rows(kind)):
        lines += [".. list-table::", "   :widths: 25 35 40", ""]
        lines += [line for row in rows for line in row]
    yield from (f"   {line}".rstrip() for line in [*lines, ""])


def _list_rows(kind: type) -> Iterator[tuple[str, str, str]]:
    """Fields with the text below them, then properties and methods with their first paragraph."""
    fields = getattr(kind, "model_fields", None) or vars(kind).get("__annotations__", {})
    for name, hint in _read_hints(kind).items():
        is_field = dataclasses.is_dataclass(kind) or name in fields
        if is_field and not name.startswith("_") and typing.get_origin(hint) is not typing.ClassVar:
            yield _build_row(name, hint, _find_text(kind, name))
    for name, function in _list_members(kind):
        given = [
            one for one in inspect.signature(function).parameters if one not in {"self", "cls"}
        ]
        is_value = isinstance(inspect.getattr_static(kind, name), (property, cached_property))
        text = (inspect.getdoc(function) or "").split("\n\n")[0].replace("\n", " ")
        shown = name if is_value else f"{name}({', '.join(given)})"
        yield _build_row(shown, _read_hints(function).get("return"), text)


def _build_row(name: str, hint: typing.Any, text: str) -> tuple[str, str, str]:
    return f"   * - ``{name}``", f"     - {restify(hint, 'smart')}", f"     - {_mark_code(text)}"


def _mark_code(text: str) -> str:
    """A text as reStructuredText: code in its backticks, and no link by a final underscore."""
    text = re.sub(r"_(?!\w)", r"\_", text)
    return re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", text)


def _find_text(kind: type, name: str) -> str:
    """The text below a field, in the class or the one that it has the field from."""
    for owner in kind.__mro__:
        if owner.__module__.startswith("patrolplan"):
            tree = _parse(owner.__module__)
            body = next(
                (one.body for one in tree.body if getattr(one, "name", "") == owner.__name__), []
            )
            for field, text in pairwise(body):
                is_field = isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr)
                if is_field and ast.unparse(field.target) == name:
                    return inspect.cleandoc(text.value.value).replace("\n", " ")
    return ""


@cache
def _parse(module: str) -> ast.Module:
    return ast.parse(Path(sys.modules[module].__file__).read_text(encoding="utf-8"))
