"""Make the fictional borough of Eastmere: `python data/make_demo.py` rewrites the files beside it.

Nothing here is real: no street, school, crime, report or officer. The same script and seed give
the same bytes. `patrolplan.toml` and `README.md` are written by hand and left alone.
"""

import shutil
from pathlib import Path

import numpy as np
from demo.counts import write_counts
from demo.crimes import write_crimes
from demo.layout import make_plan
from demo.osm import write_streets
from demo.reports import write_reports
from demo.schools import school_areas, write_schools, write_team

SEED = 20261
HERE = Path(__file__).resolve().parent


def main(folder: Path = HERE) -> None:
    """Write everything into the folder; each part has its own stream of random numbers."""
    streams = np.random.default_rng(SEED).spawn(6)
    plan_rng, streets_rng, crimes_rng, reports_rng, places_rng, counts_rng = streams
    plan = make_plan(plan_rng)
    plan.areas.extend(school_areas(plan))
    write_streets(plan, folder / "streets.osm.gz", streets_rng, places_rng)
    write_schools(plan, folder)
    write_team(folder)
    shutil.rmtree(folder / "crimes", ignore_errors=True)
    points = write_crimes(plan, folder / "crimes", crimes_rng)
    write_reports(plan, points, folder / "reports.csv", reports_rng)
    write_counts(folder, counts_rng)


if __name__ == "__main__":
    main()
