"""The notebooks as pages: copied under `docs/` at every build, run there, shown with their output.

In `notebooks/` they hold no output, so nothing that ran somewhere else is shown as if it ran here.
"""

from pathlib import Path

from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    """Copy the notebooks before Sphinx looks for pages."""
    app.connect("builder-inited", _copy)
    return {"parallel_read_safe": True}


def _copy(app: Sphinx) -> None:
    docs = Path(app.srcdir)
    folder = docs / "notebooks"
    folder.mkdir(exist_ok=True)
    for notebook in sorted((docs.parent / "notebooks").glob("*.ipynb")):
        text = notebook.read_text(encoding="utf-8").replace("](../docs/", "](../")
        copy = folder / notebook.name
        if not copy.exists() or copy.read_text(encoding="utf-8") != text:
            copy.write_text(text, encoding="utf-8", newline="\n")
