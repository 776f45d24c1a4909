"""What is wrong with a key of the settings, said to the person who wrote it.

What a key takes, in words for the person who writes it.
"""

import datetime as dt
import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from patrolplan.errors import Problem

TYPE_NAMES = {
    str: "text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
}


@dataclass(frozen=True)
class KeyDescription:
    """What a key takes, where its kind alone does not say it; stands among the `Annotated`."""

    text: str


def describe_type(kind: Any, notes: Sequence[Any] = ()) -> str:  # noqa: ANN401, PLR0911 - any annotation, each its words
    """What a value of this kind is, to stand after "write".

    Parameters
    ----------
    kind
        Annotation of a field.
    notes
        What else is known of it: limits, or words of its own.

    Examples
    --------
    >>> describe_type(Literal["auto"] | int)
    "'auto' or a whole number"
    """
    for note in notes:
        if isinstance(note, KeyDescription):
            return note.text
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return describe_type(inner[0], (*notes, *_flatten_notes(inner[1:])))
    if origin in {Union, UnionType}:
        return _join_with_or([describe_type(one, notes) for one in inner if one is not NoneType])
    if origin is Literal:
        return _join_with_or([f"'{one}'" for one in inner])
    if origin is tuple:
        return 'a list of texts in quotes, ["...", "..."]'
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        names = [field.alias or name for name, field in kind.model_fields.items()]
        return f"a table of its keys ({', '.join(names)})"
    if origin is dict:
        return f"a table of names, each with {describe_type(inner[1])}"
    return TYPE_NAMES[kind] + _describe_limits(notes)


def list_choices(kind: Any) -> tuple[str, ...]:  # noqa: ANN401 - any annotation
    """Texts that a key may be, where it is one of some.

    Examples
    --------
    >>> list_choices(Literal["gate", "base"])
    ('gate', 'base')
    """
    if get_origin(kind) is Literal:
        return tuple(str(one) for one in get_args(kind))
    return tuple(one for part in get_args(kind) for one in list_choices(part))


def _flatten_notes(notes: Sequence[Any]) -> Iterator[Any]:
    """Notes of an annotation, those inside a field's description among them."""
    for note in notes:
        yield from note.metadata if isinstance(note, FieldInfo) else (note,)


def _describe_limits(notes: Sequence[Any]) -> str:
    """Bounds of a number or text, to stand after what it is."""
    names = ("ge", "gt", "le", "max_length")
    low, above, high, longest = (_find_limit(notes, name) for name in names)
    if longest is not None:
        return f" of at most {longest} signs"
    if low is not None and high is not None:
        return f" from {low:,} to {high:,}"
    said = [f" above {above:,}"] if above is not None else []
    said += [f" of {low:,} or more"] if low is not None else []
    said += [f" up to {high:,}"] if high is not None else []
    return ",".join(said)


def _find_limit(notes: Sequence[Any], name: str) -> Any:  # noqa: ANN401 - a bound of any kind
    return next((value for note in notes if (value := getattr(note, name, None)) is not None), None)


def _join_with_or(parts: Sequence[str]) -> str:
    *first, last = dict.fromkeys(parts)
    return f"{', '.join(first)} or {last}" if first else last


MAX_VALUE_LENGTH = 60
"""Letters of a value that stand in a message."""


@dataclass(frozen=True)
class _Key:
    """A key of the settings, as far as its writer knows it by name."""

    path: tuple[str, ...]
    kind: Any = None
    notes: Sequence[Any] = ()
    secret: bool = False


def list_problems(
    file: object, error: ValidationError, data: Mapping[str, Any], root: type[BaseModel]
) -> tuple[Problem, ...]:
    """What is wrong in a file with the sections of `root`: one problem a key, in plain words.

    Parameters
    ----------
    file
        To be named.
    error
        What pydantic found in `data`; it tells a key with several kinds once for each of them.
    """
    found: dict[tuple[str, ...], Problem] = {}
    for detail in error.errors():
        key = _find_key(detail["loc"], root)
        found.setdefault(key.path, _build_problem(str(file), key, detail, data, root))
    return tuple(found.values())


def _build_problem(
    file: str, key: _Key, detail: ErrorDetails, data: Mapping[str, Any], root: type[BaseModel]
) -> Problem:
    name = ".".join(key.path)
    place = f"key '{name}'" if name else ""
    if detail["type"] == "extra_forbidden":
        known = _list_known_keys(key.path, root)
        return Problem(
            file, f"no such key{suggest_name(key.path[-1], known)}", "mend or remove it", place
        )
    if detail["type"] == "value_error":
        message = detail["msg"].removeprefix("Value error, ")
        return Problem(file, message, "see `patrolplan init` for an example", place)
    takes = describe_type(key.kind, key.notes)
    if detail["type"] == "missing" and len(key.path) == len(detail["loc"]):
        return Problem(file, "the key is missing", f"add it, as {takes}", place)
    value = _find_value(key.path, data, detail["input"])
    if key.secret:
        return Problem(file, "the value does not fit", f"write {takes}", place)
    known = list_choices(key.kind) if isinstance(value, str) else ()
    close = difflib.get_close_matches(str(value), known, n=1, cutoff=0.6) if known else []
    meant = f", did you mean '{close[0]}'?" if close else ""
    return Problem(file, f"{format_value(value)} does not fit{meant}", f"write {takes}", place)


def _find_key(loc: tuple[int | str, ...], root: type[BaseModel]) -> _Key:
    """The key that a location lies in: what follows it is the business of its value alone."""
    key = _Key((), root)
    for part in loc:
        path = (*key.path, str(part))
        if isinstance(key.kind, type) and issubclass(key.kind, BaseModel):
            fields = key.kind.model_fields
            field = next((f for name, f in fields.items() if part in {name, f.alias}), None)
            if field is None:
                return _Key(path)
            key = _Key(path, field.annotation, field.metadata, secret=not (field.repr))
        elif get_origin(key.kind) is dict:
            key = _Key(path, get_args(key.kind)[1])
        else:
            break
    return key


def _find_value(path: Sequence[str], data: Any, default: object) -> object:  # noqa: ANN401 - a file's
    """What stands at a key, whole."""
    for part in path:
        if not (isinstance(data, Mapping) and part in data):
            return default
        data = data[part]
    return data


def format_value(value: object) -> str:
    """A value as the settings file would have it, short.

    Examples
    --------
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
        return "a number of very many digits"  # Python refuses to write out the longest
    else:
        text = repr(value)
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[: MAX_VALUE_LENGTH - 1]}…"


def _list_known_keys(path: tuple[str, ...], root: type[BaseModel]) -> tuple[str, ...]:
    """Names of the keys that are known where an unknown one was found."""
    model = _find_key(path[:-1], root).kind
    return tuple(info.alias or name for name, info in model.model_fields.items())


def suggest_name(name: str, known: Sequence[str]) -> str:
    """The name that was meant, or all that are known; to stand after what is wrong."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f", did you mean '{close[0]}'?" if close else f" (known: {', '.join(known)})"
