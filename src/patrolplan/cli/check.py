"""The command that says what came in, what was left out, and what was assumed: check."""

from __future__ import annotations

from dataclasses import asdict

import patrolplan as pp
from patrolplan.cli import console, options, steps
from patrolplan.cli.app import command


@command
def check(config: options.Config = options.DEFAULT_CONFIG, as_json: options.Json = False) -> None:
    """Read everything and say what came in, what was left out, and what was assumed."""
    from patrolplan.area.relations import check_age
    from patrolplan.inputs.fetched import list_corrections
    from patrolplan.outputs.note_words import describe_notes
    from patrolplan.outputs.wording import SNAPPED_ACCURACY
    from patrolplan.pupils.rolls import count_pupils
    from patrolplan.tables import list_left_out

    area = check_age(steps.load_study_area(config), None)
    assumed = (*area.notes, *count_pupils(area.schools).notes)
    corrections = list_corrections(area.settings.folder)
    first, last = area.incidents["month"].min(), area.incidents["month"].max()
    document = {
        "area": area.name,
        "street_km": round(area.network.metres / 1000, 1),
        "incidents": len(area.incidents),
        "months": [f"{first:%Y-%m}", f"{last:%Y-%m}"],
        "times_known": area.times_known,
        "snapped": area.snapped,
        "groups_of_reports": len(area.reports),
        "schools": len(area.schools),
        "officers": len(area.officers),
        "tables": [asdict(one) for one in area.tables],
        "forces": build_force_counts(area),
        "missing": [
            {"force": one.force, "month": f"{one.month:%Y-%m}"} for one in area.exposure.missing
        ],
        "left_out": list_left_out(area.left_out),
        "alarms": [asdict(one) for one in area.alarms],
        "notes": [*describe_notes(assumed), *corrections],
    }
    if as_json:
        console.print_json(document)
        return
    facts = {
        "streets": f"{document['street_km']:,} km",
        "incidents of crime": f"{len(area.incidents):,}, {first:%Y-%m} to {last:%Y-%m}",
        "places of crimes": SNAPPED_ACCURACY if area.snapped else "exact",
        "times of crimes": "known" if area.times_known else "only the month is known",
        "groups of pupils' reports": f"{len(area.reports):,}",
        "schools": f"{len(area.schools):,}",
        "officers": f"{len(area.officers):,}",
    }
    console.print_table("what came in", "", rows=facts.items(), title=area.name)
    rows = [
        (one.source, f"{one.rows:,}", f"{one.used:,}", f"{one.left_out:,}") for one in area.tables
    ]
    console.print_table("table", "rows", "used", "left out", rows=rows)
    console.print_left_out(area.left_out, assumed)
    console.print_notes(corrections)


def build_force_counts(area: pp.StudyArea) -> list[dict[str, object]]:
    """Incidents in the area by force and month, suppressed if there are few."""
    from patrolplan.privacy import suppress_and_round

    exposure, least = area.exposure, area.settings.privacy.min_crime_count
    counts = exposure.incidents if least == 1 else suppress_and_round(exposure.incidents, least)
    return [
        {"force": force, "month": f"{month:%Y-%m}", "incidents": int(counts[t, f])}
        for f, force in enumerate(exposure.forces)
        for t, month in enumerate(exposure.months)
        if exposure.held[t, f] or exposure.incidents[t, f]
    ]
