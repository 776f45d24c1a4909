"""What is wrong with a key of the settings, said to the person who wrote it."""

import difflib
from pathlib import Path
from typing import get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from patrolplan.errors import Problem


def problem_of(file: str | Path, detail: ErrorDetails, root: type[BaseModel]) -> Problem:
    """What pydantic found wrong in a file with the sections of `root`, in its writer's words."""
    key = ".".join(str(part) for part in detail["loc"])
    place = f"key '{key}'" if key else ""
    if detail["type"] == "extra_forbidden":
        known = _keys_beside(detail["loc"], root)
        what = f"no such key{nearest(str(detail['loc'][-1]), known)}"
        return Problem(file, what, "mend or remove it", place)
    if detail["type"] == "missing" and isinstance(detail["loc"][-1], str):
        return Problem(file, "the key is missing", "add it", place)
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "value_error":
        return Problem(file, message, "see `patrolplan init` for an example", place)
    return Problem(file, f"{detail['input']!r}: {message}", "mend the value", place)


def _keys_beside(loc: tuple[int | str, ...], root: type[BaseModel]) -> tuple[str, ...]:
    """Names of the keys that are known where an unknown one was found."""
    model = root
    for part in loc[:-1]:
        field = model.model_fields.get(str(part))
        kinds = (field.annotation, *get_args(field.annotation)) if field else ()
        for kind in kinds:  # a section, or a table of sections by name
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                model = kind
    return tuple(info.alias or name for name, info in model.model_fields.items())


def nearest(name: str, known: tuple[str, ...]) -> str:
    """The name that was meant, or all that are known; to stand after what is wrong."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f", did you mean '{close[0]}'?" if close else f" (known: {', '.join(known)})"
