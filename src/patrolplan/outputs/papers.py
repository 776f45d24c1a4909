"""Every file that a command writes into an output folder: to list, replace, purge and renew.

Those of a plan are made in `pack`, those of a week in `week.week_pack`.
"""

import re
from dataclasses import dataclass
from typing import Literal

Shows = Literal["week", "officer", "card", "school"]


@dataclass(frozen=True)
class Paper:
    """A file, or files of a kind."""

    name: str  # In the folder; * stands for a part from data, without a slash
    about: str = ""  # Whom it is for, where the command lists it; a folder of papers is listed once
    shows: Shows | None = None  # What of a week it shows, and is out of date with

    def matches(self, name: str) -> bool:
        """Whether a file of this name is one of these."""
        return re.fullmatch(re.escape(self.name).replace(r"\*", "[^/]+"), name) is not None

    @property
    def listed(self) -> str:
        """The file, or the folder of papers, as it is listed."""
        return self.name.partition("*")[0].rstrip("/")


ON_PHONES = "open in any browser, on a phone too; needs no network"
PLAN_PAPERS = (
    Paper("cards.pdf", "for printing: one A4 card for each patrol (single ones in cards/)"),
    Paper("map.html", ON_PHONES),
    Paper("gpx/*.gpx", "routes for a navigation app"),
    Paper("plan.qgs", "the plan in QGIS, from the layers of plan.gpkg"),
    Paper("notes.txt", "all notes, by who needs them, and what was left out"),
    Paper("plan.gpkg"),
    Paper("plan.json"),
    Paper("cards/*.pdf"),
)
WEEK_PAPERS = (
    Paper("lead.pdf", "for the lead: what the week reaches, and what not", "week"),
    Paper("tasks.pdf", "for the wall: schools by days, and a task sheet for each officer", "week"),
    Paper("cards/*.pdf", "for each officer: the days, and a card for each patrol", "officer"),
    Paper("schools/*.pdf", "for each school: streets and times, nothing of crime", "school"),
    Paper("map.html", ON_PHONES, "week"),
    Paper("notes.txt", "all notes, by who needs them, and what was not met", "week"),
    Paper("cards/*/*.pdf", shows="card"),
    Paper("calendars/*.ics", shows="officer"),
    Paper("week.csv", shows="week"),
    Paper("unmet.csv", shows="week"),
    Paper("demands.csv", shows="week"),
    Paper("part/*.pdf", shows="week"),  # into which the board prints an officer or a day
    Paper("week.json"),
    Paper("posters/*.pdf"),
    Paper("hotspots.geojson"),
)

OTHER_NAMES = (
    *("risk.gpkg", "risk.qml", "hotspots.gpkg", "hotspots.qml", "ways.gpkg", "coverage-*.svg"),
    *("brief-*.json", "brief-*.pdf", "backtest.json", "risk.csv", "patrols.csv", "by-*.csv"),
    *("survey-*.html", "tally-*.html", "form-*.pdf", "leaflet-*.pdf", "return-*.csv"),
    *("count-*.html", "count-*.pdf", "impact-assessment-annex.md", "model-card.md"),
    *("for-residents.html", "transparency-record.json", "transparency-record.md"),
    "who-gets-the-patrols.md",
)
OTHER_PAPERS = tuple(map(Paper, OTHER_NAMES))  # Of the other commands


def is_output_name(name: str) -> bool:
    """Whether patrolplan writes files of this name into an output folder; it replaces no other."""
    papers = (*PLAN_PAPERS, *WEEK_PAPERS, *OTHER_PAPERS)
    return any(paper.matches(name) for paper in papers)


def list_showing(shows: Shows) -> list[str]:
    """Names of the week's papers that show the whole week, an officer's days, and so on."""
    return [paper.name for paper in WEEK_PAPERS if paper.shows == shows]
