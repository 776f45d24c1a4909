"""The page of a trial's results: one side of A4, also as Markdown and as data.

It gives the answer, its interval and its p-value, the published measure, what was
delivered, and the cautions. It names no hotspot, so it may be shown to participants of the trial.
"""

from pathlib import Path
from typing import Any

import numpy as np

from patrolplan.area import StudyArea
from patrolplan.outputs.cartography.fonts import (
    copy_template,
    list_unprintable_notes,
    make_printable,
    open_template_folder,
    typeset,
)
from patrolplan.outputs.output_folder import (
    build_manifest_header,
    replace_folder,
    write_files,
    write_json,
)
from patrolplan.outputs.trial_words import (
    describe_answer,
    describe_counting,
    describe_delivery,
    describe_design,
    describe_displacement,
    list_cautions,
)
from patrolplan.outputs.wording import list_area_attributions
from patrolplan.team.trial.results import TrialResult

TEMPLATE = "trial.typ"
PAGE_FILE, TEXT_FILE, DATA_FILE = "trial.pdf", "trial.md", "trial.json"
NOTHING = "\N{EN DASH}"
SCALE = 2.0
"""Maximum factor on the drawn scale: twice as many incidents."""
ROWS = ("With patrols", "Without patrols", "Around those with patrols", "Around those without")


def write_trial_page(result: TrialResult, area: StudyArea, out: Path) -> None:
    """Write a folder with the page as PDF and Markdown, and the result as data."""
    with replace_folder(out, build_manifest_header(area)) as folder:
        write_files(
            folder,
            {
                PAGE_FILE: render_trial_page(result, area),
                TEXT_FILE: build_trial_text(result, area).encode(),
            },
        )
        write_json(folder / DATA_FILE, build_result_document(result, area))


def render_trial_page(result: TrialResult, area: StudyArea) -> bytes:
    """Typeset the page: a tagged PDF; equal results give equal bytes."""
    with open_template_folder() as folder:
        root = Path(folder)
        copy_template("patrolplan.outputs", TEMPLATE, root)
        return typeset(root, TEMPLATE, build_trial_data(result, area))


def build_trial_data(result: TrialResult, area: StudyArea) -> dict[str, Any]:
    """Texts and figures of the page, for the template."""
    trial = result.trial
    data: dict[str, Any] = {
        "title": make_printable(f"Trial {trial.title}"),
        "area": make_printable(area.name),
        "marking": make_printable(area.settings.output.marking),
        "design": make_printable(describe_design(trial)),
        "answer": list(describe_answer(result.effect)),
        "interval": _build_interval(result),
        "arms": _list_arms(result),
        "displacement": describe_displacement(result.displacement),
        "groups": _list_groups(result),
        "delivery": describe_delivery(result.delivery),
        "cautions": list_cautions(result, area),
        "counting": make_printable(describe_counting(trial)),
        "key": result.key,
        "commitment": trial.seal.commitment,
        "basis": " ".join(list_area_attributions(area.name, snapped=area.snapped)),
    }
    data["cautions"] += list_unprintable_notes(data)
    return data


def build_trial_text(result: TrialResult, area: StudyArea) -> str:
    """The page as Markdown."""
    data = build_trial_data(result, area)
    lines = [
        f"# {_escape(data['title'])}",
        "",
        f"{_escape(data['area'])}: {_escape(data['design'])}.",
        "",
        f"**{data['answer'][0]}** {data['answer'][1]}",
        "",
        "| | incidents | without patrols it would be |",
        "| --- | ---: | ---: |",
        *(f"| {name} | {came} | {expected} |" for name, came, expected in data["arms"]),
        "",
        data["displacement"],
        "",
    ]
    if data["groups"]:
        lines += [
            "| streets | a year before | in the trial |",
            "| --- | ---: | ---: |",
            *(f"| {name} | {before} | {after} |" for name, before, after in data["groups"]),
            "",
        ]
    lines += [
        *(f"{line}\n" for line in data["delivery"]),
        "## Read with care",
        "",
        *(f"- {_escape(line)}" for line in data["cautions"]),
        "",
        _escape(data["counting"]),
        "",
        f"Key: `{data['key']}`, commitment `{data['commitment']}`.",
        "",
        _escape(data["basis"]),
        "",
    ]
    return "\n".join(lines)


def build_result_document(result: TrialResult, area: StudyArea) -> dict[str, Any]:
    """The result for other programs; null means unknown or unbounded."""
    effect, delivery = result.effect, result.delivery
    arms = {} if delivery is None else {"drawn": delivery.treated, "not_drawn": delivery.control}
    displacement = result.displacement
    return {
        "schema": 1,
        "area": area.name,
        "trial": result.trial.title,
        "commitment": result.trial.seal.commitment,
        "key": result.key,
        "effect": {
            "factor": _round(effect.factor),
            "low": _round(effect.low),
            "high": _round(effect.high),
            "p_value": _round(effect.p_value),
            "draws": effect.draws,
            "exact": effect.is_exact,
            "incidents_with": _round(effect.came),
            "incidents_without": _round(effect.without),
            "difference": _round(effect.difference),
            "difference_low": _round(effect.difference_low),
            "difference_high": _round(effect.difference_high),
        },
        "weighted_displacement_difference": None
        if displacement is None
        else {
            "difference": _round(displacement.difference),
            "low": _round(displacement.low),
            "high": _round(displacement.high),
        },
        "delivered": {
            name: {"hotspot_days": arm.days, "visited": arm.visited, "minutes": _round(arm.minutes)}
            for name, arm in arms.items()
        },
        "differing": None if delivery is None else delivery.differing,
        "missing_months": list(result.dropped_months),
        "cautions": list_cautions(result, area),
    }


def _build_interval(result: TrialResult) -> dict[str, float] | None:
    """Factor and interval on the drawn scale, as shares of it; None without a factor."""
    effect = result.effect
    if np.isnan(effect.factor):
        return None
    names = {"at": effect.factor, "low": effect.low, "high": effect.high}
    return {name: float(np.clip(value / SCALE, 0.0, 1.0)) for name, value in names.items()}


def _list_arms(result: TrialResult) -> list[list[str]]:
    """Incidents of both arms, and those expected without patrols."""
    effect = result.effect
    without = NOTHING if np.isnan(effect.factor) else f"{effect.came - effect.difference:.1f}"
    if np.isneginf(effect.difference):
        without = NOTHING
    return [
        ["Where patrols were drawn", f"{effect.came:.1f}", without],
        ["Where none were drawn", f"{effect.without:.1f}", f"{effect.without:.1f}"],
    ]


def _list_groups(result: TrialResult) -> list[list[str]]:
    """Incidents of the groups of the published measure."""
    if result.displacement is None:
        return []
    return [
        [name, f"{before:.1f}", f"{after:.1f}"]
        for name, (before, after) in zip(ROWS, result.displacement.counts, strict=True)
    ]


def _round(value: float) -> float | None:
    return round(value, 6) if np.isfinite(value) else None


def _escape(text: str) -> str:
    """Text with Markdown's special characters escaped."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>#|" else sign for sign in text)
