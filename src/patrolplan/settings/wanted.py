"""What a key takes, in words for the person who writes it."""

from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from types import NoneType
from types import UnionType
from typing import Annotated
from typing import Any
from typing import Literal
from typing import Union
from typing import get_args
from typing import get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

PLAIN = {str: "text in quotes", bool: "true or false", int: "a whole number", float: "a number"}


@dataclass(frozen=True)
class Said:
    """What a key takes, where its kind alone does not say it; stands among the `Annotated`."""

    words: str


def wanted(kind: Any, notes: Sequence[Any] = ()) -> str:  # noqa: ANN401, PLR0911 - any annotation, each its words
    """What a value of this kind is, to stand after "write".

    Parameters
    ----------
    kind
        Annotation of a field.
    notes
        What else is known of it: limits, or words of its own.

    Examples
    --------
    >>> wanted(Literal["auto"] | int)
    "'auto' or a whole number"
    """
    for note in notes:
        if isinstance(note, Said):
            return note.words
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return wanted(inner[0], (*notes, *_flat(inner[1:])))
    if origin in {Union, UnionType}:
        return _either([wanted(one, notes) for one in inner if one is not NoneType])
    if origin is Literal:
        return _either([f"'{one}'" for one in inner])
    if origin is tuple:
        return 'a list of texts in quotes, ["...", "..."]'
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        names = [field.alias or name for name, field in kind.model_fields.items()]
        return f"a table of its keys ({', '.join(names)})"
    if origin is dict:
        return f"a table of names, each with {wanted(inner[1])}"
    return PLAIN[kind] + _limits(notes)


def choices(kind: Any) -> tuple[str, ...]:  # noqa: ANN401 - any annotation
    """Texts that a key may be, where it is one of some.

    Examples
    --------
    >>> choices(Literal["gate", "base"])
    ('gate', 'base')
    """
    if get_origin(kind) is Literal:
        return tuple(str(one) for one in get_args(kind))
    return tuple(one for part in get_args(kind) for one in choices(part))


def _flat(notes: Sequence[Any]) -> Iterator[Any]:
    """Notes of an annotation, those inside a field's description among them."""
    for note in notes:
        yield from note.metadata if isinstance(note, FieldInfo) else (note,)


def _limits(notes: Sequence[Any]) -> str:
    """Bounds of a number or text, to stand after what it is."""
    names = ("ge", "gt", "le", "max_length")
    low, above, high, longest = (_noted(notes, name) for name in names)
    if longest is not None:
        return f" of at most {longest} signs"
    if low is not None and high is not None:
        return f" from {low:,} to {high:,}"
    said = [f" above {above:,}"] if above is not None else []
    said += [f" of {low:,} or more"] if low is not None else []
    said += [f" up to {high:,}"] if high is not None else []
    return ",".join(said)


def _noted(notes: Sequence[Any], name: str) -> Any:  # noqa: ANN401 - a bound of any kind
    return next((value for note in notes if (value := getattr(note, name, None)) is not None), None)


def _either(parts: Sequence[str]) -> str:
    *first, last = dict.fromkeys(parts)
    return f"{', '.join(first)} or {last}" if first else last
