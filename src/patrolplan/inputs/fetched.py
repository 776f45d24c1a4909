"""What the record of fetched files says of published months that were corrected later."""

import json
from pathlib import Path

MANIFEST = "fetched.json"


def list_corrections(folder: Path) -> list[str]:
    """A note on each month whose crimes were other ones when they were fetched again."""
    try:
        files = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"].values()
        return [str(one["corrected"]) for one in files if one.get("corrected")]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # no record, or no good one
        return []
