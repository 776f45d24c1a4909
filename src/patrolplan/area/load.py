"""Load a study area: read its sources, then match them, and count what was left out."""

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from patrolplan import privacy
from patrolplan.area.checks import (
    check_hours,
    check_missing_months,
    check_places,
    check_report_dates,
    check_reports,
    check_swapped_crimes,
    check_times,
    check_unknown_categories,
    note_accepted,
    note_school_rows,
)
from patrolplan.area.designated import select_designated
from patrolplan.area.incidents import place_incidents
from patrolplan.area.input_digests import EARLIER, compute_input_digests
from patrolplan.area.load_report import LoadReport
from patrolplan.area.school_gates import ALL_SCHOOLS, OFF_STREET, assign_gates, check_urns
from patrolplan.area.sources import GivenSources, Sources, read_sources
from patrolplan.area.study_area import StudyArea
from patrolplan.area.way_home import gather_way_home
from patrolplan.atomic import hash_json
from patrolplan.crs import Projection
from patrolplan.inputs.earlier_hotspots import digest_hotspots
from patrolplan.inputs.street_files import hash_streets
from patrolplan.inputs.table_sources import hash_source
from patrolplan.inputs.way_home import WayHomeTables
from patrolplan.plausibility import Alarms
from patrolplan.settings import Settings, load_settings
from patrolplan.tables import TableCount

COUNTED = ("reports", "origins", "duties")
"""Sources with places of persons: their digests are those of what may be known, not of the rows."""


def load_area(settings: Settings | str | Path) -> StudyArea:
    """Read and validate everything that the settings name.

    Parameters
    ----------
    settings
        Settings, or the path of a `patrolplan.toml`.

    Returns
    -------
    StudyArea
        With the rows left out, by source and reason, and the defaults that were chosen.

    Raises
    ------
    InputError
        With all problems found, not only the first.

    Examples
    --------
    >>> import patrolplan as pp
    >>> pp.load_area(pp.demo_settings())
    <StudyArea: Eastmere (fictional), ... 12 schools>
    """
    if not isinstance(settings, Settings):
        settings = load_settings(settings)
    return gather_area(settings)


def gather_area(settings: Settings, given: GivenSources | None = None) -> StudyArea:
    """The area of these settings, whose sources are files or given in memory."""
    given = GivenSources() if given is None else given
    projection = Projection(settings.area.crs)
    report = LoadReport(alarms=Alarms(settings.accept.reasons))
    sources = read_sources(settings, projection, report, given)
    network, limits = sources.network, sources.limits
    check_unknown_categories(sources.crimes.categories, settings, report)
    check_swapped_crimes(sources.crimes, limits, projection, report)
    report.problems.extend(report.alarms.take_problems())
    placed = place_incidents(sources.crimes, network, limits, settings, report)
    check_missing_months(placed.exposure, report)
    at_gates, gates = assign_gates(
        sources.schools.drop(columns=["other_sites", "refused_figures"]),
        sources.gates,
        sources.bell_times,
        network,
        limits,
        settings=settings,
        report=report,
    )
    note_school_rows(sources.schools, set(at_gates["urn"]), report)
    check_urns(
        at_gates["urn"],
        {
            "bell_times": sources.bell_times.index,
            "gates": sources.gates.index,
            "term_dates": sources.term_dates["urn"],
            "officers": sources.officers["school_urns"].explode().dropna(),
            "origins": sources.origins["urn"],
            "duties": sources.duties["urn"][sources.duties["urn"] != ""],
        },
        sources.tasked_places,
        report,
    )
    way_home = gather_way_home(
        sources.way_home,
        sources.features,
        sources.street_places,
        limits,
        planned=at_gates["urn"],
        categories=placed.incidents["category"].cat.categories,
        settings=settings,
        report=report,
    )
    designated = select_designated(sources.designated, network, report)
    threshold = settings.privacy.threshold
    groups = privacy.ReportGroups.empty(len(network), threshold)
    if sources.reports is not None:
        groups, rows = privacy.group_reports(
            sources.reports, network.piece_middle, limits, crs=projection.crs, threshold=threshold
        )
        report.left_out.extend(rows)
        report.notes.extend(privacy.note_report_grouping(settings))
        check_reports(sources.reports, settings, report)
        newest = placed.incidents["month"].max()
        check_report_dates(sources.reports, newest, settings, report)
    off_street = {urn for urn, why in report.schools_left_out.items() if why == OFF_STREET}
    check_places(
        limits,
        off_street.union(at_gates["urn"]),
        sources.tasked_places,
        sources.officers,
        sources.gates,
        settings=settings,
        report=report,
    )
    check_times(sources.bell_times, sources.officers, settings, report)
    check_hours(sources.officers, settings, report)
    report.raise_if_any()
    alarms = report.alarms.list_alarms()
    report.notes.extend(note_accepted(alarms))
    return StudyArea(
        settings=settings,
        network=network,
        catchments=placed.catchments,
        incidents=placed.incidents,
        incident_catchment=placed.incident_catchment,
        exposure=placed.exposure,
        times_known=placed.times_known,
        snapped=placed.snapped,
        reports=groups,
        schools=at_gates,
        gates=gates,
        features=sources.features,
        officers=sources.officers,
        term_dates=sources.term_dates,
        tasked_places=sources.tasked_places,
        duties=sources.duties,
        way_home=way_home,
        left_out=tuple(report.left_out.rows),
        notes=tuple(report.notes),
        inputs=compute_input_digests(
            settings, groups, sources.origins, sources.duties, _digest_given(given, sources)
        ),
        walking_extract=sources.walking_extract,
        tables=_count_tables(
            sources,
            placed.incidents,
            at_gates,
            groups,
            way_home,
            designated,
            settings=settings,
            report=report,
        ),
        alarms=alarms,
        earlier_hotspots=sources.earlier_hotspots,
        designated=designated,
    )


def _count_tables(
    sources: Sources,
    incidents: gpd.GeoDataFrame,
    schools: gpd.GeoDataFrame,
    groups: privacy.ReportGroups,
    way_home: WayHomeTables,
    designated: gpd.GeoDataFrame | None,
    *,
    settings: Settings,
    report: LoadReport,
) -> tuple[TableCount, ...]:
    """Rows of each table that was given: in its files, used, and left out.

    For reports, and for crime if the threshold applies to it, only numbers that may be shown are
    summed, so their rows are the sum of the two others. The rows of origins are those of the
    rounded counts.
    """
    tables = [
        report.left_out.count_table("crimes", len(incidents)),
        report.left_out.count_table("schools", len(schools)),
        report.left_out.count_table("reports", int(groups.counts.sum())),
        report.left_out.count_table("duties", len(sources.duties)),
    ]
    planned = {ALL_SCHOOLS, *schools["urn"]}
    used = {
        "bell times": sources.bell_times.index.isin(planned),
        "gates": sources.gates.index.isin(planned),
        "term dates": sources.term_dates["urn"].isin(planned),
        "tasked places": sources.tasked_places["schools"].map(planned.intersection).astype(bool),
        "officers": np.ones(len(sources.officers), dtype=bool),
    }
    for source, is_used in used.items():
        count = int(is_used.sum())
        tables.append(TableCount(source, len(is_used), count, len(is_used) - count))
    report.left_out.count_rows("origins", len(sources.origins))
    tables += [
        report.left_out.count_table(source, len(getattr(way_home, source)))
        for source in ("origins", "areas", "stops", "places", "clock")
    ]
    tables.append(
        report.left_out.count_table("designated", 0 if designated is None else len(designated))
    )
    if settings.privacy.min_crime_count > 1:
        tables[0] = replace(tables[0], rows=tables[0].used + tables[0].left_out)
    tables[2] = replace(tables[2], rows=tables[2].used + tables[2].left_out)
    return tuple(one for one in tables if settings.find_files(one.source.replace(" ", "_")))


def _digest_given(given: GivenSources, sources: Sources) -> dict[str, str]:
    """Digests of what was given in memory; empty for those of `COUNTED`."""
    digests = {
        source: "" if source in COUNTED else hash_json([hash_source(one) for one in tables])
        for source, tables in given.tables.items()
    }
    if sources.given_streets is not None:
        digests["streets"] = hash_streets(sources.given_streets)
    if given.boundary is not None:
        digests["boundary"] = hash_json(shapely.to_wkb(sources.limits, hex=True))
    if given.earlier is not None and sources.earlier_hotspots is not None:
        digests[EARLIER] = digest_hotspots(sources.earlier_hotspots)
    return digests
