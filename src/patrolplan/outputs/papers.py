"""Every file that a command writes into an output folder: to list, replace, purge and renew."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from typing import Any, Literal

Shows = Literal["week", "officer", "card", "school"]


@dataclass(frozen=True)
class Paper:
    """A file, or files of a kind."""

    name: str  # In the folder; * stands for a part from data, without a slash
    about: str = ""  # Whom it is for, where the command lists it; a folder of papers is listed once
    shows: Shows | None = None  # What of a week it shows, and is out of date with
    made_by: str = ""  # Module and function, where no other row's function makes it too
    in_parts: bool = True  # Also printed for an officer or a day alone

    def make(self, known: Mapping[str, object]) -> Iterator[tuple[str, Any]]:
        """Its files by name; of what is known, its function gets its own parameters by name."""
        if self.made_by:
            module, _, name = self.made_by.partition(":")
            function = getattr(import_module(f"{__package__}.{module}"), name)
            asked = {one: known[one] for one in signature(function).parameters if one in known}
            made = function(**asked)
            yield from made.items() if isinstance(made, Mapping) else [(self.name, made)]

    def matches(self, name: str) -> bool:
        """Whether a file of this name is one of these."""
        return re.fullmatch(re.escape(self.name).replace(r"\*", "[^/]+"), name) is not None

    @property
    def listed(self) -> str:
        """The file, or the folder of papers, as it is listed."""
        return self.name.partition("*")[0].rstrip("/")


# fmt: off
ON_PHONES = "open in any browser, on a phone too; needs no network"
PLAN_PAPERS = (
    Paper("cards.pdf", "for printing: one A4 card for each patrol (single ones in cards/)",
          made_by="card.card:render_cards"),
    Paper("map.html", ON_PHONES, made_by="webmap.map_page:render_map"),
    Paper("gpx/*.gpx", "routes for a navigation app", made_by="gpx:render_gpx_files"),
    Paper("plan.qgs", "the plan in QGIS, from the layers of plan.gpkg",
          made_by="gis.project:render_project"),
    Paper("notes.txt", "all notes, by who needs them, and what was left out",
          made_by="notes_file:render_notes"),
    *map(Paper, ("plan.gpkg", "plan.json", "cards/*.pdf")),
)
WEEK_PAPERS = (
    Paper("lead.pdf", "for the lead: what the week reaches, and what not", "week",
          "week.lead_sheet:build_lead_sheet", in_parts=False),
    Paper("tasks.pdf", "for the wall: schools by days, and a task sheet for each officer", "week",
          "week.task_sheets:build_task_sheets"),
    Paper("cards/*.pdf", "for each officer: the days, and a card for each patrol", "officer",
          "week.week_pack:render_books"),
    Paper("schools/*.pdf", "for each school: streets and times, nothing of crime", "school",
          "week.week_pack:build_school_papers"),
    Paper("map.html", ON_PHONES, "week", "week.week_pack:render_week_map"),
    Paper("notes.txt", "all notes, by who needs them, and what was not met", "week",
          "notes_file:render_notes"),
    Paper("cards/*/*.pdf", shows="card"),
    Paper("calendars/*.ics", "", "officer", "week.calendars:render_calendars"),
    Paper("week.csv", "", "week", "week.spreadsheet:render_week_tables"),
    *(Paper(name, shows="week") for name in ("unmet.csv", "demands.csv")),
    Paper("part/*.pdf", shows="week"),
    Paper("week.json", made_by="week.week_pack:format_week_documents"),
    *map(Paper, ("posters/*.pdf", "hotspots.geojson")),
)  # The board prints an officer or a day into the folder `part`
# fmt: on

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
