"""Load a study area: read its sources, then match them, and count what was left out."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import shapely

from patrolplan import privacy
from patrolplan.area import checks, relations
from patrolplan.area.counts import digest_counts, select_counts
from patrolplan.area.designated import select_designated
from patrolplan.area.incidents import place_incidents
from patrolplan.area.loading import Loading
from patrolplan.area.school_gates import ALL_SCHOOLS, assign_gates, check_urns
from patrolplan.area.sources import GivenSources, read_sources
from patrolplan.area.study_area import StudyArea
from patrolplan.area.way_home import gather_way_home
from patrolplan.atomic import hash_json
from patrolplan.inputs.duties import digest_duties
from patrolplan.inputs.formats import hash_source
from patrolplan.inputs.origins import digest_origins
from patrolplan.inputs.street_files import hash_streets
from patrolplan.notes import Note
from patrolplan.settings import Settings, SourceSettings, load_settings
from patrolplan.tables import TableCount


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
    relations.check_names(settings)
    a = Loading(settings)
    read_sources(a, given)
    tables, network = a.tables, a.network
    checks.check_unknown_categories(tables.crimes.categories, a)
    checks.check_swapped_crimes(a)
    a.problems.extend(a.alarms.take_problems())
    a.placed = place_incidents(a)
    checks.check_missing_months(a)
    a.schools, gates = assign_gates(a)
    checks.note_school_rows(a)
    check_urns(a)
    way_home = replace(gather_way_home(a), counts=select_counts(a))
    designated = select_designated(a)
    threshold = settings.privacy.threshold
    groups = privacy.ReportGroups.empty(len(network), threshold)
    if tables.reports is not None:
        if "reports" not in given.tables:
            privacy.fix_threshold(settings.find_files("reports"), threshold)
        groups, rows = privacy.group_reports(
            tables.reports,
            network.piece_middle,
            a.limits,
            crs=settings.area.crs,
            threshold=threshold,
        )
        forms = checks.EXPECTED_FORMS
        a.left_out.extend(replace(row, fix=forms.get(row.reason, "")) for row in rows)
        a.notes.extend(privacy.note_report_grouping(settings))
        checks.check_reports(a)
    checks.check_places(a)
    checks.check_times(a)
    checks.check_hours(a)
    relations.check_relations(a)
    a.raise_if_any()
    alarms = a.alarms.list_alarms()
    counted = {
        "crimes": len(a.placed.incidents),
        "schools": len(a.schools),
        "reports": int(groups.counts.sum()),
        "duties": len(tables.duties),
        **{field.name: len(getattr(way_home, field.name)) for field in fields(way_home)},
        "designated": 0 if designated is None else len(designated),
    }
    a.notes.extend(
        Note("check_accepted", f"Accepted in the settings ({one.accepted}): {one.message}.")
        for one in alarms
        if one.accepted is not None
    )
    return StudyArea(
        settings=settings,
        network=network,
        **{name: one for name, one in vars(a.placed).items() if name != "rows"},
        reports=groups,
        schools=a.schools,
        gates=gates,
        features=a.streets.features.reset_index(drop=True),
        officers=tables.officers,
        term_dates=tables.term_dates,
        tasked_places=tables.tasked_places,
        duties=tables.duties,
        way_home=way_home,
        left_out=tuple(a.left_out.rows),
        notes=tuple(a.notes),
        inputs=_digest_inputs(a, groups, given),
        walking_extract=a.streets.walking_extract,
        tables=_count_tables(a, counted),
        alarms=alarms,
        designated=designated,
    )


def _count_tables(a: Loading, counted: Mapping[str, int]) -> tuple[TableCount, ...]:
    """Rows of each table that was given: in its files, used, and left out."""
    # `counted` are the used rows of tables whose rows are counted as they are read. For reports,
    # and for crime if the threshold applies to it, only numbers that may be shown are summed, so
    # their rows are the sum of the two others.
    tables, planned = a.tables, {ALL_SCHOOLS, *a.schools["urn"]}
    used = {
        "bell times": tables.bell_times.index.isin(planned),
        "gates": tables.gates.index.isin(planned),
        "term dates": tables.term_dates["urn"].isin(planned),
        "tasked places": tables.tasked_places["schools"].map(planned.intersection).astype(bool),
        "officers": np.ones(len(tables.officers), dtype=bool),
    }
    a.left_out.count_rows("origins", len(tables.origins))
    a.left_out.count_rows("counts", len(tables.counts))
    counts = []  # Crimes, schools, reports and duties come before the tables above.
    for source, number in counted.items():
        count = a.left_out.count_table(source, number)
        is_sum = source == "reports" or (
            source == "crimes" and a.settings.privacy.min_crime_count > 1
        )
        counts.append(replace(count, rows=count.used + count.left_out) if is_sum else count)
    counts[4:4] = [
        TableCount(source, len(one), int(one.sum()), int((~one).sum()))
        for source, one in used.items()
    ]
    return tuple(one for one in counts if a.settings.find_files(one.source.replace(" ", "_")))


def _digest_inputs(
    a: Loading, reports: privacy.ReportGroups, given: GivenSources
) -> dict[str, str]:
    """Digest of every file that the settings name, and of what was given in memory."""
    # Of reports, origins, duties and counts it is that of what may be known: the content of a short
    # file could be guessed from the file's own digest.
    settings = a.settings
    counted = {
        "reports": reports.digest,
        "origins": digest_origins(a.tables.origins),
        "duties": digest_duties(a.tables.duties),
        "counts": digest_counts(a.tables.counts),
    }
    memory = {
        source: counted.get(source) or hash_json([hash_source(one) for one in tables])
        for source, tables in given.tables.items()
    }
    if given.streets is not None:
        memory["streets"] = hash_streets(a.streets)
    if given.boundary is not None:
        memory["boundary"] = hash_json(shapely.to_wkb(a.limits, hex=True))
    files = {
        source: settings.find_files(source)
        for source in SourceSettings.model_fields
        if source not in memory
    }
    if settings.area.boundary is not None and given.boundary is None:
        files["boundary"] = (settings.folder / settings.area.boundary,)
    return {
        format_input_name(source, path, settings): counted.get(source) or hash_source(path)
        for source, paths in files.items()
        for path in paths
    } | {f"{source}: in memory": digest for source, digest in memory.items()}


def format_input_name(source: str, path: Path, settings: Settings) -> str:
    """Source and path of a file from the settings' folder on, the same on every machine."""
    with suppress(ValueError):
        path = Path(os.path.relpath(path, settings.folder))
    return f"{source}: {path.as_posix()}"
