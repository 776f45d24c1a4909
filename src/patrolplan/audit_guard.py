"""How risk and planning refuse columns that are for audit only, without access to values.

Deprivation and the like may show who gets patrols, never decide where they go: `AuditColumns`.
"""

import re
from collections.abc import Iterator, Mapping

import pandas as pd

from patrolplan.errors import InputError, Problem

AUDIT_MARK = "audit_only_"
"""Prefix of the name of every column for audit in any table, so that it is recognised after a
merge, or in a file, as well."""

SENSITIVE_NAME = re.compile(r"depriv|ethnic|(^|[^a-z])(imd|idaci|fsm)|free.?school.?meal|decile")
"""Words in the names of such columns, in lower case."""

REMEDY = "use it in measure_burden alone: risk and patrols must not depend on it"


def is_marked(name: object) -> bool:
    """Whether a column has the mark."""
    return str(name).strip().casefold().startswith(AUDIT_MARK)


def is_for_audit(name: object) -> bool:
    """Whether a column has the mark, or an unambiguous name.

    >>> [is_for_audit(name) for name in ("IMD decile", "PercentageFSM", "ethnicity", "time")]
    [True, True, True, False]
    """
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(name))
    return is_marked(name) or SENSITIVE_NAME.search(split.strip().casefold()) is not None


def refuse_audit_columns(where: str, *given: object, by_name: bool = False) -> None:
    """Refuse objects and tables that have columns for audit."""
    test = is_for_audit if by_name else is_marked
    names = dict.fromkeys(name for one in given for name in _list_columns(one) if test(name))
    if names:
        raise InputError(
            Problem(where, f"column '{name.removeprefix(AUDIT_MARK)}' is for audit only", REMEDY)
            for name in names
        )


def _list_columns(given: object) -> Iterator[str]:
    """Names of columns for audit, or of a table, also in lists and mappings."""
    if isinstance(given, pd.DataFrame | pd.Series):
        own = given.columns if isinstance(given, pd.DataFrame) else [given.name]
        yield from map(str, (*own, *given.index.names))
    elif isinstance(given, Mapping | list | tuple | set | frozenset):
        for one in given.values() if isinstance(given, Mapping) else given:
            yield from _list_columns(one)
    else:
        yield from (f"{AUDIT_MARK}{name}" for name in getattr(given, "audit_column_names", ()))
