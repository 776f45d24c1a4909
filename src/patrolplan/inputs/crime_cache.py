"""Open crime files read once, each kept by its content in the user's cache folder.

Only files that give months and no clock time, as open data does, are kept: a force's own extract
stays where it is. A file counts as the same when its bytes are the same; its date and size tell
nothing, for files are copied and unpacked anew.
"""

import hashlib
import json
import re
from collections.abc import Callable
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa

from patrolplan.inputs.cache import cache_folder
from patrolplan.inputs.cache import digest
from patrolplan.inputs.cache import keep_whole
from patrolplan.projection import Projection

FORMAT = "crimes-3"
"""Change this when what is read from a file changes."""

FOLDER = re.compile(r"crimes-\d+")
"""Names of the cache's folders, this version's and earlier ones'."""

ENTRY = re.compile(r"[0-9a-f]{32}\.parquet|\.new-\w+")
"""Names of the files in them, whole and interrupted."""

Reader = Callable[[Path, Projection, Mapping[str, str]], pd.DataFrame]


def read_through(
    path: Path, projection: Projection, columns: Mapping[str, str], read: Reader
) -> pd.DataFrame:
    """A file's rows from the cache where the same bytes were read before, else from the file.

    A cache that cannot be read or written is passed over: it only saves time.

    Parameters
    ----------
    path, projection, columns
        As the reader takes them; all that the rows hang on.
    read
        Reads a file; the rows hold `month` and `occurred_at`.
    """
    if not path.is_file():
        return read(path, projection, columns)
    key = json.dumps([FORMAT, projection.crs, dict(sorted(columns.items())), digest(path)])
    kept = cache_folder() / FORMAT / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.parquet"
    try:
        return pd.read_parquet(kept)
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        table = read(path, projection, columns)
    if table["occurred_at"].isna().all():
        keep_whole(kept, table.to_parquet)
    return table
