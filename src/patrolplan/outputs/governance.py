"""The back-test as files, and the governance pack: papers with facts of area, risk and back-test.

Markdown, the record also as data, and a page for residents; they name no street, hotspot or school.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Template

from patrolplan.area import StudyArea
from patrolplan.atomic import format_json
from patrolplan.crs import SQUARE_METRES
from patrolplan.errors import InputError
from patrolplan.notes import list_texts
from patrolplan.outputs import output_folder
from patrolplan.outputs.offline_page import open_templates, read_asset, render_page
from patrolplan.outputs.wording import SNAPPED_ACCURACY, list_area_attributions
from patrolplan.patrols.patrol_backtest import PatrolBacktest
from patrolplan.privacy import get_rounding_step
from patrolplan.provenance import compute_area_provenance, compute_short_id, read_package_versions
from patrolplan.risk.backtest import Backtest
from patrolplan.risk.priority import RISK_CLASSES
from patrolplan.risk.surface import Risk
from patrolplan.settings import DISCOVERED_CATEGORIES
from patrolplan.team.burden import KINDS, Burden
from patrolplan.team.shares import OUTSIDE
from patrolplan.text import format_percent

COVERAGE = RISK_CLASSES[0].limit  # of street length, at which the papers give figures
PAPERS = ("impact-assessment-annex.md", "transparency-record.md", "model-card.md")
RECORD_FILE, RECORD_WORDS = "transparency-record.json", "transparency-record.toml.j2"
STANDARD, STANDARD_VERSION = "Algorithmic Transparency Recording Standard", "4.0"
"""Sections, names and order of the record's fields are those of the UK's standard of May 2025, by
its guidance and change log; numbers that these do not print continue those of version 3.0."""
RESIDENTS_FILE = "for-residents.html"
BURDEN_PAPER = "who-gets-the-patrols.md"
TEMPLATES = Path(__file__).parent / "governance_templates"
NOT_KNOWN, NOBODY = "not known", "\N{EN DASH}"
PEOPLE = ("residents", "pupils")


def read_backtest(folder: Path) -> dict[str, Any]:
    """Read the document of `patrolplan backtest --out`."""
    path = folder / "backtest.json"
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        _select_chosen_results(document)
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = f" ({error.strerror or error})" if isinstance(error, OSError) else ""
        what = f"does not hold the results of a back-test{why}"
        remedy = "name a folder that `patrolplan backtest --out` wrote"
        raise InputError.one(path, what, remedy) from None
    return document


def build_backtest_document(risk: Backtest, patrols: PatrolBacktest | None) -> dict[str, Any]:
    """Results of risk and patrols for `backtest.json`; what cannot be computed is null."""
    summary = [] if patrols is None else _format_records(patrols.summary())
    return {"results": _format_records(risk.results), "patrols": summary}


def write_backtest(risk: Backtest, patrols: PatrolBacktest | None, folder: Path) -> None:
    """Write the results as JSON and CSV, and a coverage curve for each category."""
    output_folder.write_json(folder / "backtest.json", build_backtest_document(risk, patrols))
    risk.results.to_csv(folder / "risk.csv", index=False, lineterminator="\n")
    if patrols is not None:
        patrols.summary().to_csv(folder / "patrols.csv", index=False, lineterminator="\n")
    import matplotlib as mpl  # noqa: PLC0415 - of this alone, and heavy
    from matplotlib.figure import Figure  # noqa: PLC0415

    from patrolplan.outputs import plot  # noqa: PLC0415

    with mpl.rc_context({"svg.hashsalt": "patrolplan"}):
        for category in risk.categories:
            figure = Figure(figsize=(7, 4.5), layout="constrained")
            plot.coverage(risk, category, axes=figure.subplots())
            name = "".join(sign if sign.isalnum() else "-" for sign in category.lower())
            figure.savefig(folder / f"coverage-{name}.svg", metadata={"Date": None})


def _format_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table with plain numbers; NaN becomes null."""
    records: list[dict[str, Any]] = json.loads(table.to_json(orient="records", double_precision=6))
    return records


def collect_facts(area: StudyArea, risk: Risk, backtest: dict[str, Any]) -> dict[str, Any]:
    """Facts for the templates; for reports only what `patrolplan.privacy` allows to be shown."""
    settings, counted = area.settings, area.settings.crimes.risk_categories
    square = f"to within a square of {SQUARE_METRES:.0f} m"
    places = SNAPPED_ACCURACY if area.snapped else "as recorded"
    return {
        "area": area.name,
        "plan": compute_short_id(compute_area_provenance(area)),
        "created_from": compute_area_provenance(area),
        "versions": read_package_versions(),
        "settings": settings.model_dump(mode="json", by_alias=True),
        "counted": counted,
        "guarded": [name for name in DISCOVERED_CATEGORIES if name not in counted],
        "street_km": f"{area.network.metres / 1000:.1f}",
        "incidents": f"{len(area.incidents):,}",
        "months": [f"{month:%Y-%m}" for month in risk.months],
        "schools": len(area.schools),
        "groups": len(area.reports),
        "square": f"{SQUARE_METRES:.0f}",
        "step": get_rounding_step(settings.privacy.threshold),
        "model": risk.model,
        "times_known": area.times_known,
        "places": square if settings.privacy.threshold_for_crime else places,
        "notes": list_texts(risk.notes),
        "inputs": area.inputs,
        "left_out": [str(row) for row in area.left_out],
        "tested": _select_chosen_results(backtest),
        "patrols": backtest["patrols"],
        "coverage": format_percent(COVERAGE),
        "counts_pupils": bool(settings.way_home.exposure),
    }


def _select_chosen_results(backtest: dict[str, Any]) -> list[dict[str, Any]]:
    """Results of the chosen models at `COVERAGE`, one row per category."""
    return [row for row in backtest["results"] if row["chosen"] and row["coverage"] == COVERAGE]


def write_governance(
    area: StudyArea,
    risk: Risk,
    backtest: dict[str, Any],
    out: str | Path,
    *,
    burden: Burden | None = None,
) -> Path:
    """Write the papers completely or not at all."""
    out = Path(out)
    facts = collect_facts(area, risk, backtest) | {"is_burden_measured": burden is not None}
    page = render_page(
        TEMPLATES / f"{RESIDENTS_FILE}.j2",
        *((), (read_asset(TEMPLATES / "for-residents.css"),), None),
        **facts,
        period=" to ".join(f"{month:%B %Y}" for month in risk.months),
        exact=not (area.snapped or area.settings.privacy.threshold_for_crime),
        attributions=list_area_attributions(area.name, snapped=area.snapped),
    )
    texts, plain = {RESIDENTS_FILE: page}, {"autoescape": False, "keep_trailing_newline": True}
    words = open_templates(TEMPLATES, finalize=escape_toml, **plain)
    record = build_record_document(words.get_template(RECORD_WORDS), facts)
    texts[RECORD_FILE], facts = format_json(record), facts | {"record": record}
    papers: tuple[str, ...] = PAPERS
    if burden is not None:
        facts |= {"burden": burden, "burden_tables": build_burden_tables(burden)}
        papers = (*PAPERS, BURDEN_PAPER)
    templates = open_templates(TEMPLATES, finalize=escape_markdown, **plain)
    texts |= {name: templates.get_template(f"{name}.j2").render(facts) for name in papers}
    files = {name: text.encode("utf-8") for name, text in texts.items()}
    with output_folder.replace_folder(out, output_folder.build_manifest_header(area)) as folder:
        output_folder.write_files(folder, files)
    return out


def escape_markdown(value: object) -> object:
    r"""Escape a value for Markdown and HTML; None becomes "not known".

    >>> escape_markdown("*a* | <b>"), escape_markdown(1.5), escape_markdown(None)
    ('\\*a\\* \\| \\<b\\>', 1.5, 'not known')
    """
    if value is None:
        return "not known"
    if isinstance(value, str):
        return re.sub(r"([\\`*_{}\[\]<>#|~])", r"\\\1", " ".join(value.split()))
    return value


def build_record_document(template: Template, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The record, from TOML with a row per field: number, name, texts; several texts are a list."""
    # Only the force can fill values that are null: nothing is guessed.
    sections = tomllib.loads(template.render(facts))["sections"]
    for section in sections:
        section["fields"] = [
            {
                "reference": reference or None,
                "name": name,
                "value": texts if len(texts) > 1 else next(iter(texts), None),
            }
            for reference, name, *texts in section["fields"]
        ]
    return {
        "schema": 1,
        "standard": STANDARD,
        "version": STANDARD_VERSION,
        "area": facts["area"],
        "created_from": facts["created_from"],
        "sections": sections,
    }


def escape_toml(value: object) -> object:
    r"""A value inside the quotes of a TOML text; None becomes "not known".

    >>> escape_toml('a "b" \\ c\n'), escape_toml(None), escape_toml(1.5)
    ('a \\"b\\" \\\\ c', 'not known', 1.5)
    """
    if value is None:
        return "not known"
    return json.dumps(" ".join(value.split()))[1:-1] if isinstance(value, str) else value


def build_burden_tables(burden: Burden) -> list[dict[str, Any]]:
    """One table by area, and one by each column of the audit."""
    tables = [("area", burden.by_area), *burden.by_group.items()]
    return [_write_table(table, name.replace("_", " ")) for name, table in tables]


def _write_table(table: pd.DataFrame, key: str) -> dict[str, Any]:
    """A table in words; without columns for delivered minutes where the audit is of a plan."""
    kinds = [kind for kind in KINDS if table[f"{kind}_minutes"].notna().any()]
    has_minutes = table[[f"{kind}_minutes" for kind in kinds]].astype(bool).any(axis=1)
    table = table[has_minutes | (table.index.astype(str) != OUTSIDE)]

    def write(column: str, digits: int = 0, of: str = "") -> list[str]:
        """The cells of a column; `of` names the people without whom there is no figure."""
        is_of_nobody = table[of] == 0 if of else table[column].isna() & False
        form = format_percent if column.endswith("_share") else _format_number
        return [
            NOBODY if is_none else NOT_KNOWN if np.isnan(value) else form(value, digits)
            for value, is_none in zip(table[column], is_of_nobody, strict=True)
        ]

    columns = [(key, [*map(str, table.index)]), *((one, write(one)) for one in PEOPLE)]
    columns.append(("share of harm", write("harm_share", 1)))
    for kind in kinds:
        columns += [
            (f"minutes {'delivered' if kind == 'presence' else kind}", write(f"{kind}_minutes")),
            ("share of minutes", write(f"{kind}_share", 1)),
            ("per 1,000 residents", write(f"{kind}_per_1000_residents", 1, "residents")),
            ("per pupil", write(f"{kind}_per_pupil", 2, "pupils")),
            ("minutes to harm", write(f"{kind}_ratio", 2)),
        ]
    header, cells = zip(*columns, strict=True)
    return {"title": f"By {key}", "header": header, "rows": list(zip(*cells, strict=True))}


def _format_number(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}"
