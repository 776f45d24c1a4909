"""Typesetting: a folder with a template, its data and pictures becomes a tagged PDF."""

from importlib import resources
from pathlib import Path

import typst

from patrolplan.outputs.card.lettering import FONT_FOLDER


def lay_template(package: str, name: str, root: Path) -> None:
    """Copy a template of one of our packages into the folder that typst may read."""
    template = resources.files(package) / name
    (root / name).write_text(template.read_text(encoding="utf-8"), encoding="utf-8")


def compiler(root: Path, name: str) -> typst.Compiler:
    """Typst on one template; it reads nothing outside the folder and no typeface but ours."""
    return typst.Compiler(
        root / name, root=root, font_paths=[FONT_FOLDER], ignore_system_fonts=True
    )


def typeset(root: Path, name: str) -> bytes:
    """A template as one tagged PDF; equal folders give equal bytes.

    Raises
    ------
    RuntimeError
        When typst warns: a paper with a missing glyph or picture must not reach anyone.
    """
    pages, warnings = compiler(root, name).compile_with_warnings(format="pdf", timestamp=0)
    if warnings or not isinstance(pages, bytes):
        message = f"typesetting {name}: {'; '.join(warning.message for warning in warnings)}"
        raise RuntimeError(message)
    return pages
