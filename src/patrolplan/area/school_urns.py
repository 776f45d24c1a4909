"""The schools that settings plan for, read without streets and crime."""

from patrolplan.area.sources import find_source_files, get_column_mapping
from patrolplan.crs import Projection
from patrolplan.inputs.schools import read_schools
from patrolplan.settings import Settings
from patrolplan.tables import LeftOut


def read_school_urns(settings: Settings) -> frozenset[str]:
    """URNs of the open schools that the settings select; a survey may be of one of them."""
    schools = read_schools(
        find_source_files(settings, "schools"),
        Projection(settings.area.crs),
        LeftOut(),
        selection=settings.schools,
        columns=get_column_mapping(settings, "schools"),
    )
    return frozenset(schools["urn"])
