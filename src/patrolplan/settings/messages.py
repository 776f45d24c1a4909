"""Error messages about keys of the settings: the problem, and what the key accepts."""

import datetime as dt
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from patrolplan.errors import Problem
from patrolplan.text import find_similar

TYPE_NAMES = {
    str: "text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}

MAX_VALUE_LENGTH = 60  # Maximum letters of a value in a message


@dataclass(frozen=True)
class KeyDescription:
    """What a key accepts, if its type alone is not enough; part of an `Annotated` type."""

    text: str


@dataclass(frozen=True)
class _Key:
    """A key of the settings: its path, its type, and whether its value may be shown."""

    path: tuple[str, ...]
    kind: Any = None
    metadata: Sequence[Any] = ()
    secret: bool = False


def list_problems(
    file: object, error: ValidationError, data: Mapping[str, Any], root: type[BaseModel]
) -> tuple[Problem, ...]:
    """Problems of a file with the sections of `root`: one per key, in plain words."""
    problems: dict[tuple[str, ...], Problem] = {}
    for detail in error.errors():
        key = _find_key(detail["loc"], root)
        problems.setdefault(key.path, _build_problem(str(file), key, detail, data, root))
    return tuple(problems.values())


def _build_problem(
    file: str, key: _Key, detail: ErrorDetails, data: Mapping[str, Any], root: type[BaseModel]
) -> Problem:
    name = ".".join(key.path)
    place = f"key '{name}'" if name else ""
    if detail["type"] == "extra_forbidden":
        fields = _find_key(key.path[:-1], root).kind.model_fields
        what = format_unknown("unknown key", key.path[-1], _list_names(fields))
        return Problem(file, what, "correct or remove it", place)
    if detail["type"] == "value_error":  # raised by our own validators
        text = str(detail["ctx"]["error"])
        what, _, remedy = text.rpartition("; ")  # they may have a remedy after a semicolon
        if not what or text.endswith("?"):
            what, remedy = text, "look the key up in the documentation"
        return Problem(file, what, remedy, place)
    accepted = describe_type(key.kind, key.metadata)
    if detail["type"] == "missing" and len(key.path) == len(detail["loc"]):
        return Problem(file, "the key is missing", f"add it as {accepted}", place)
    if key.secret:
        return Problem(file, "the value is not valid", f"write {accepted}", place)
    value = _find_value(key.path, data, detail["input"])
    what = f"{format_value(value)} is not valid"
    if isinstance(value, str):
        close = find_similar(value, list_choices(key.kind))
        what += f"; did you mean '{close}'?" if close else ""
    return Problem(file, what, f"write {accepted}", place)


def _find_key(loc: tuple[int | str, ...], root: type[BaseModel]) -> _Key:
    """The key of an error's location; the rest of the location is inside its value."""
    key = _Key((), root)
    for part in loc:
        path = (*key.path, str(part))
        if isinstance(key.kind, type) and issubclass(key.kind, BaseModel):
            fields = key.kind.model_fields
            field = next((f for name, f in fields.items() if part in {name, f.alias}), None)
            if field is None:
                further = key.kind.__annotations__.get("__pydantic_extra__")  # keys of any name
                return _Key(path, further and get_args(further)[1])
            key = _Key(path, field.annotation, field.metadata, secret=not field.repr)
        elif get_origin(key.kind) is dict:
            key = _Key(path, get_args(key.kind)[1])
        else:
            break
    return key


def _find_value(path: Sequence[str], data: Any, default: object) -> object:  # noqa: ANN401 - any TOML
    """The whole value of a key."""
    for part in path:
        if not (isinstance(data, Mapping) and part in data):
            return default
        data = data[part]
    return data


def describe_type(kind: Any, metadata: Sequence[Any] = ()) -> str:  # noqa: ANN401, PLR0911 - one return for each kind of annotation
    """Description of a value of this type, to follow "write".

    >>> describe_type(Literal["auto"] | int)
    "'auto' or a whole number"
    """
    for item in metadata:
        if isinstance(item, KeyDescription):
            return item.text
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        of_field = ((one.metadata if isinstance(one, FieldInfo) else (one,)) for one in inner[1:])
        return describe_type(inner[0], (*metadata, *chain(*of_field)))
    if origin in {Union, UnionType}:
        return _join_with_or([describe_type(one, metadata) for one in inner if one is not NoneType])
    if origin is Literal:
        return _join_with_or([f"'{one}'" for one in inner])
    if origin is tuple:
        return 'a list of texts in quotes, ["...", "..."]'
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        names = ", ".join(_list_names(kind.model_fields))
        return f"a table of its keys ({names})" if names else "a table"
    if origin is dict:
        return f"a table of names, each with {describe_type(inner[1])}"
    return TYPE_NAMES[kind] + _describe_limits(metadata)


def _describe_limits(metadata: Sequence[Any]) -> str:
    """Bounds of a number or text, to follow the name of its type."""
    limits = {
        name: getattr(item, name)
        for name in ("ge", "gt", "le", "max_length")
        for item in reversed(metadata)  # the first one applies
        if getattr(item, name, None) is not None
    }
    if "max_length" in limits:
        return f" of at most {limits['max_length']} characters"
    if limits.keys() >= {"ge", "le"}:
        return f" from {limits['ge']:,} to {limits['le']:,}"
    forms = {"gt": " above {:,}", "ge": " of {:,} or more", "le": " up to {:,}"}
    return ",".join(form.format(limits[name]) for name, form in forms.items() if name in limits)


def _join_with_or(parts: Sequence[str]) -> str:
    *first, last = dict.fromkeys(parts)
    return f"{', '.join(first)} or {last}" if first else last


def list_choices(kind: Any) -> tuple[str, ...]:  # noqa: ANN401 - any annotation
    """The texts that a key accepts, if they are limited."""
    if get_origin(kind) is Literal:
        return tuple(str(one) for one in get_args(kind))
    return tuple(one for part in get_args(kind) for one in list_choices(part))


def format_value(value: object) -> str:
    """A value as in a settings file, shortened.

    >>> format_value([True, "a"])
    "[true, 'a']"
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        text = f"[{', '.join(map(format_value, value))}]"
    elif isinstance(value, Mapping):
        text = "{" + ", ".join(f"{name} = {format_value(one)}" for name, one in value.items()) + "}"
    elif isinstance(value, int) and value.bit_length() > MAX_VALUE_LENGTH * 3:
        return "a number of very many digits"  # Python refuses to print the longest
    else:
        text = repr(value)
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[: MAX_VALUE_LENGTH - 1]}…"


def format_unknown(what: str, name: str, names: Sequence[str]) -> str:
    """A message about an unknown name, with the closest known one, otherwise with all.

    >>> format_unknown("unknown key", "seeds", ["seed", "area"])
    "unknown key; did you mean 'seed'?"
    """
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"{what}; did you mean '{close[0]}'?" if close else f"{what} (known: {', '.join(names)})"


def _list_names(fields: Mapping[str, FieldInfo]) -> list[str]:
    """Names of a section's keys, as in the file."""
    return [field.alias or name for name, field in fields.items()]
