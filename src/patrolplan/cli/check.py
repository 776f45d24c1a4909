"""The command that says what came in, what was left out, and what was assumed: check."""

from dataclasses import asdict

from patrolplan.cli import console, options, steps
from patrolplan.cli.app import command
from patrolplan.text import shorten


@command
def check(
    config: options.Config = options.DEFAULT_CONFIG,
    as_json: options.Json = False,
    notes: options.Notes = False,
) -> None:
    """Say what came in, what was left out, and what was assumed."""
    from patrolplan.area.relations import check_age
    from patrolplan.inputs.fetched import list_corrections
    from patrolplan.notes import list_texts
    from patrolplan.outputs.wording import SNAPPED_ACCURACY
    from patrolplan.privacy import suppress_and_round
    from patrolplan.pupils.rolls import count_pupils
    from patrolplan.tables import list_left_out

    area = check_age(steps.load_study_area(config), None)
    assumed = (*area.notes, *count_pupils(area.schools).notes)
    corrections = list_corrections(area.settings.folder)
    first, last = area.incidents["month"].min(), area.incidents["month"].max()
    exposure, least = area.exposure, area.settings.privacy.min_crime_count
    counts = exposure.incidents if least == 1 else suppress_and_round(exposure.incidents, least)
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
        "forces": [  # suppressed if there are few
            {"force": force, "month": f"{month:%Y-%m}", "incidents": int(counts[t, f])}
            for f, force in enumerate(exposure.forces)
            for t, month in enumerate(exposure.months)
            if exposure.held[t, f] or exposure.incidents[t, f]
        ],
        "missing": [
            {"force": one.force, "month": f"{one.month:%Y-%m}"} for one in exposure.missing
        ],
        "left_out": list_left_out(area.left_out),
        "alarms": [asdict(one) for one in area.alarms],
        "notes": [*list_texts(assumed), *corrections],
    }
    places = SNAPPED_ACCURACY if area.snapped else "exact"
    times = "known" if area.times_known else "only the month is known"
    people = f"Schools {len(area.schools):,}, officers {len(area.officers):,}"
    lines = [
        f"{area.name}: {document['street_km']:,} km of street",
        f"{people}, groups of pupils' reports {len(area.reports):,}",
        f"Incidents of crime {len(area.incidents):,}, {first:%Y-%m} to {last:%Y-%m}",
        f"Places of crimes {places}; times of crimes: {times}",
        f"{'table':15}{'rows':>9}{'used':>9}  left out",
    ]
    for one in area.tables:
        rows = [row for row in area.left_out if row.source == one.source]
        rows.sort(key=lambda row: -row.count)
        why = [f"{row.count_text} {row.reason}" for row in rows]
        left_out = f"{one.left_out:,}" + (f": {', '.join(why)}" if why else "")
        row = f"{one.source:15}{one.rows:9,}{one.used:9,}  "
        lines.append(row + shorten(left_out, console.WIDTH - len(row)))
    lines += console.list_tasks(assumed, area.left_out)
    lines += corrections[: max(0, console.MAX_LINES - len(lines) - 1)]
    if notes:
        lines += console.list_all(assumed, area.left_out, "Corrected by the force", corrections)
    else:
        count = len(list_texts(assumed)) + len(corrections) + len(area.left_out)
        lines.append(f"{count} notes and reasons in all: `patrolplan check --notes`")
    console.print_result(document, lines, as_json=as_json)
