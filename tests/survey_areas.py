"""The demo borough with names that try to be code, and without anything but streets and schools."""

import dataclasses
from functools import lru_cache

import numpy as np

import patrolplan as pp
from patrolplan.privacy import ReportGroups
from patrolplan.settings import load_settings

HOSTILE = (
    'St. <script>alert(1)</script> & "Søn\'s" École #read("settings.toml") #[*bold*] $x$ {{7}}'
)


def make_hostile(area, urn):
    """The area with a school and every second street called by `HOSTILE`."""
    names = area.schools["name"].where(area.schools["urn"] != urn, HOSTILE)
    network = _rename_streets(area.network)
    if area.network.wider is not None:
        network = dataclasses.replace(network, wider=_rename_streets(area.network.wider))
        vars(network)["piece_name"] = _choose_names(area.network)
    return dataclasses.replace(area, schools=area.schools.assign(name=names), network=network)


def _rename_streets(network):
    renamed = dataclasses.replace(network)
    vars(renamed)["piece_name"] = _choose_names(network)
    return renamed


def _choose_names(network):
    names = np.asarray(network.piece_name, dtype=object)
    streets = {name: row for row, name in enumerate(sorted({*names} - {""}))}
    new = [HOSTILE if name and streets[name] % 2 else name for name in names]
    return np.array(new, dtype=object)


def strip_findings(area):
    """The area without crime, reports, officers and places tasked by intelligence."""
    return dataclasses.replace(
        area,
        incidents=area.incidents.iloc[:0],
        incident_catchment=area.incident_catchment[:0],
        reports=ReportGroups.empty(len(area.network), area.reports.threshold),
        officers=area.officers.iloc[:0],
        duties=area.duties.iloc[:0],
        tasked_places=area.tasked_places.iloc[:0],
    )


@lru_cache(maxsize=1)
def load_leaning(demo):
    """The demo borough in the metres of a UTM zone, on which the British grid leans."""
    settings = load_settings(demo)
    changed = settings.area.model_copy(update={"crs": "EPSG:32631"})
    return pp.load_area(settings.model_copy(update={"area": changed}))
