"""The command that removes old caches and outputs: purge."""

import datetime as dt
import re
from dataclasses import asdict
from pathlib import Path

from patrolplan.cli import console, options
from patrolplan.cli.app import command


def _parse_age(text: str) -> dt.timedelta:
    """Days or weeks as typed; anything else is a usage error."""
    match = re.fullmatch(r"(\d{1,5})([dw]?)", text.strip())
    if match is None:
        options.refuse(f"'{text}' is not a valid age; write days or weeks, such as 90d or 12w")
    return dt.timedelta(days=int(match[1]) * (7 if match[2] == "w" else 1))


@command
def purge(
    older_than: dt.timedelta = options.option(
        "Such as 90d or 12w.", "AGE", default=..., parser=_parse_age
    ),
    folder: list[Path] | None = options.option(
        "Output folder to purge; may be repeated.", options.FOLDER
    ),
    record: Path | None = options.option(
        "File to add the record to; default in the cache folder.", options.FILE
    ),
    dry_run: bool = options.flag("--dry-run", "Only list what would be removed."),
    config: options.Config = options.DEFAULT_CONFIG,
    as_json: options.Json = False,
) -> None:
    """Remove old caches and outputs, never your own files."""
    from patrolplan.outputs.purge import purge as remove

    items = remove(older_than, folder or [], home=config.parent, record=record, dry_run=dry_run)
    removed = "would be removed" if dry_run else "removed"
    lines = [
        f"{removed if item.removed else 'kept'}: {item.path} ({item.what}; {item.why})"
        for item in items
    ]
    count = sum(item.removed for item in items)
    document = {"dry_run": dry_run, "found": [asdict(item) for item in items]}
    console.print_result(document, [*lines, f"{count or 'Nothing'} {removed}."], as_json=as_json)
