"""The governance pack as a folder of Markdown."""

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment
from jinja2 import FileSystemLoader
from jinja2 import StrictUndefined

from patrolplan.area import StudyArea
from patrolplan.area.provenance import about
from patrolplan.outputs.files import whole_folder
from patrolplan.outputs.governance.facts import facts
from patrolplan.risk.surface import Risk

PAPERS = ("impact-assessment-annex.md", "transparency-record.md", "model-card.md")


def write_governance(area: StudyArea, risk: Risk, tested: dict[str, Any], out: str | Path) -> Path:
    """Write the papers whole or not at all.

    Parameters
    ----------
    tested
        Document of a back-test, see `patrolplan.outputs.tested.backtest_document`.
    out
        Folder: `impact-assessment-annex.md`, `transparency-record.md`, `model-card.md`.

    Raises
    ------
    OutputError
        When the folder cannot be written, or holds files that are not in its manifest.
    """
    out = Path(out)
    papers = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown, whose signs `plain` escapes in every value
        finalize=plain,
    )
    known = facts(area, risk, tested)
    with whole_folder(out, about(area)) as folder:
        for name in PAPERS:
            text = papers.get_template(f"{name}.j2").render(known)
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return out


def plain(value: object) -> object:
    r"""A value without power over Markdown or HTML; what is not known is said.

    Examples
    --------
    >>> plain("*a* | <b>"), plain(1.5), plain(None)
    ('\\*a\\* \\| \\<b\\>', 1.5, 'not known')
    """
    if value is None:
        return "not known"
    if isinstance(value, str):
        return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", " ".join(value.split()))
    return value
