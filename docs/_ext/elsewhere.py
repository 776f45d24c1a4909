"""Links to the documentation of other libraries, without a network at the build.

Sphinx would fetch each library's list of names. `elsewhere.toml` has the few that our signatures
use, and this makes the lists from it, in the form that intersphinx reads.
"""

import tomllib
import zlib
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

NAMES = Path(__file__).with_suffix(".toml")
HEAD = "# Sphinx inventory version 2\n# Project: {}\n# Version: \n# zlib-compressed from here\n"


def setup(app: Sphinx) -> dict[str, bool]:
    """Make the lists before intersphinx looks for them."""
    app.connect("config-inited", _make_lists, priority=100)
    return {"parallel_read_safe": True}


def _make_lists(app: Sphinx, config: Config) -> None:
    folder = Path(app.doctreedir) / "elsewhere"
    folder.mkdir(parents=True, exist_ok=True)
    for project, pages in tomllib.loads(NAMES.read_text(encoding="utf-8")).items():
        base = pages.pop("base")
        lines = [f"{name} py:class 1 {page} -\n" for page, names in pages.items() for name in names]
        path = folder / f"{project}.inv"
        path.write_bytes(
            HEAD.format(project).encode() + zlib.compress("".join(lines).encode("utf-8"))
        )
        config.intersphinx_mapping[project] = (base, str(path))
