"""What the record of fetched files, `fetched.json`, says."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MANIFEST = "fetched.json"


def list_corrections(folder: Path, months: Sequence[str] | None = None) -> list[str]:
    """Published months whose crimes were other ones when they were fetched again: these, or all."""
    notes = []
    for record in read_records(folder).values():
        month, earlier = "".join(record.get("months", ())), record.get("earlier")
        if earlier and (months is None or month in months):
            first, last = (at["fetched_at"][:10] for at in (earlier, record))
            rows = f"{earlier['rows']:,} crimes on {first}, {record['rows']:,} on {last}"
            notes.append(f"Crime of {month} was corrected after it was published: {rows}.")
    return notes


def read_records(folder: Path) -> dict[str, dict[str, Any]]:
    """The record of each fetched file, by name; empty where there is none, or no good one."""
    try:
        document = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files = document["files"].items()
        return {str(name): dict(record) for name, record in files}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
