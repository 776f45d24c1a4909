"""The governance pack: Markdown papers filled with facts of an area, its risk and its back-test."""

import json
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from patrolplan.area import StudyArea
from patrolplan.crs import SQUARE_METRES
from patrolplan.errors import InputError
from patrolplan.outputs.note_words import describe_notes
from patrolplan.outputs.output_folder import build_manifest_header, replace_folder
from patrolplan.outputs.wording import SNAPPED_ACCURACY
from patrolplan.privacy import get_rounding_step
from patrolplan.provenance import compute_area_provenance, compute_short_id, read_package_versions
from patrolplan.risk.surface import Risk
from patrolplan.settings import DISCOVERED_CATEGORIES
from patrolplan.text import format_percent

COVERAGE = 0.05
"""Share of street length at which the papers give the back-test's figures."""

REMEDY = "name a folder that `patrolplan backtest --out` wrote"

PAPERS = ("impact-assessment-annex.md", "transparency-record.md", "model-card.md")


def read_backtest(folder: Path) -> dict[str, Any]:
    """Read the document of `patrolplan backtest --out`.

    Raises
    ------
    InputError
        When the folder does not hold one.
    """
    path = folder / "backtest.json"
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        _select_chosen_results(document)
    except OSError as error:
        what = f"the results of a back-test cannot be read ({error.strerror or error})"
        raise InputError.one(path, what, REMEDY) from None
    except (ValueError, KeyError, TypeError):
        what = "does not hold the results of a back-test"
        raise InputError.one(path, what, REMEDY) from None
    return document


def collect_facts(area: StudyArea, risk: Risk, backtest: dict[str, Any]) -> dict[str, Any]:
    """Facts for the templates; of reports only what `patrolplan.privacy` allows to show.

    `backtest` is a document of `patrolplan.outputs.backtest_report.build_backtest_document`.
    """
    settings = area.settings
    return {
        "area": area.name,
        "plan": compute_short_id(compute_area_provenance(area)),
        "created_from": compute_area_provenance(area),
        "versions": read_package_versions(),
        "settings": settings.model_dump(mode="json", by_alias=True),
        "counted": settings.crimes.risk_categories,
        "guarded": [
            name for name in DISCOVERED_CATEGORIES if name not in settings.crimes.risk_categories
        ],
        "street_km": f"{area.network.metres / 1000:.1f}",
        "incidents": f"{len(area.incidents):,}",
        "months": [f"{month:%Y-%m}" for month in risk.months],
        "schools": len(area.schools),
        "groups": len(area.reports),
        "square": f"{SQUARE_METRES:.0f}",
        "step": get_rounding_step(settings.privacy.threshold),
        "model": risk.model,
        "margin": risk.margin,
        "times_known": area.times_known,
        "places": _describe_place_accuracy(area),
        "notes": describe_notes(risk.notes),
        "inputs": area.inputs,
        "left_out": [str(row) for row in area.left_out],
        "tested": _select_chosen_results(backtest),
        "patrols": backtest["patrols"],
        "coverage": format_percent(COVERAGE),
    }


def _describe_place_accuracy(area: StudyArea) -> str:
    """How exact the places of recorded crime are."""
    if area.settings.privacy.threshold_for_crime:
        return f"to within a square of {SQUARE_METRES:.0f} m"
    return SNAPPED_ACCURACY if area.snapped else "as recorded"


def _select_chosen_results(backtest: dict[str, Any]) -> list[dict[str, Any]]:
    """Results of the chosen models at `COVERAGE`, one row per category."""
    return [row for row in backtest["results"] if row["chosen"] and row["coverage"] == COVERAGE]


def write_governance(
    area: StudyArea, risk: Risk, backtest: dict[str, Any], out: str | Path
) -> Path:
    """Write the papers completely or not at all.

    Parameters
    ----------
    backtest
        Document of a back-test, see `patrolplan.outputs.backtest_report.build_backtest_document`.
    out
        Folder: `impact-assessment-annex.md`, `transparency-record.md`, `model-card.md`.

    Raises
    ------
    OutputError
        When the folder cannot be written, or holds files that are not in its manifest.
    """
    out = Path(out)
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "governance_templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown; `finalize` escapes every value
        finalize=escape_markdown,
    )
    facts = collect_facts(area, risk, backtest)
    with replace_folder(out, build_manifest_header(area)) as folder:
        for name in PAPERS:
            text = templates.get_template(f"{name}.j2").render(facts)
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return out


def escape_markdown(value: object) -> object:
    r"""Escape a value for Markdown and HTML; a missing one becomes "not known".

    Examples
    --------
    >>> escape_markdown("*a* | <b>"), escape_markdown(1.5), escape_markdown(None)
    ('\\*a\\* \\| \\<b\\>', 1.5, 'not known')
    """
    if value is None:
        return "not known"
    if isinstance(value, str):
        return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", " ".join(value.split()))
    return value
