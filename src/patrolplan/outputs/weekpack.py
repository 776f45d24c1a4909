"""A week as a folder: who goes where as JSON and as a table, and each officer's cards by day."""

import csv
from dataclasses import replace
from pathlib import Path

from patrolplan.outputs.card.sheet import render_cards
from patrolplan.outputs.files import whole_folder
from patrolplan.outputs.files import write_json
from patrolplan.patrols.plans import Plan
from patrolplan.patrols.plans import clock
from patrolplan.provenance import about
from patrolplan.team.week import Duty
from patrolplan.team.week import Week
from patrolplan.team.week import day_name
from patrolplan.team.week import week_document

COLUMNS = ("officer", "day", "date", "start", "end", "urn", "school", "variant", "stops", "card")


def write_week(week: Week, plan: Plan, out: str | Path) -> Path:
    """Write a week whole or not at all.

    Parameters
    ----------
    week
        Who patrols which school on which day.
    plan
        The plan that the week was chosen from.
    out
        Folder: `week.json`, `week.csv` and `cards/OFFICER/DATE-URN.pdf`.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    OutputError
        When the folder cannot be written, or holds files that are not in its manifest.
    """
    out = Path(out)
    with whole_folder(out, about(plan.area)) as folder:
        write_json(folder / "week.json", week_document(week))
        with (folder / "week.csv").open("w", encoding="utf-8-sig", newline="") as stream:
            table = csv.writer(stream)
            table.writerow(COLUMNS)
            table.writerows([plain_cell(cell) for cell in _row(duty)] for duty in week.duties)
        for duty in week.duties:
            path = folder / _card_name(duty)
            path.parent.mkdir(parents=True, exist_ok=True)
            dated = replace(plan, date=duty.date)
            path.write_bytes(render_cards(dated, patrols=[duty.patrol])["cards.pdf"])
    return out


def plain_cell(text: str) -> str:
    """A cell that no spreadsheet runs as a formula.

    Examples
    --------
    >>> plain_cell("=1+1"), plain_cell("Market Place")
    ("'=1+1", 'Market Place')
    """
    risky = text.lstrip()[:1] in {"=", "+", "-", "@"}
    return f"'{text}" if risky else text


def _row(duty: Duty) -> list[str]:
    return [
        duty.officer,
        day_name(duty.date),
        f"{duty.date}",
        clock(duty.start_minutes),
        clock(duty.end_minutes),
        duty.urn,
        duty.patrol.school,
        str(duty.variant),
        "; ".join(f"{clock(stop.arrive_minutes)} {stop.place}" for stop in duty.patrol.stops),
        _card_name(duty),
    ]


def _card_name(duty: Duty) -> str:
    """Path of a duty's card; officers' names are made plain, since they come from a file."""
    officer = "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in duty.officer)
    return f"cards/{officer}/{duty.date}-{duty.urn}.pdf"
