"""What patrols with the way home meet, compared with patrols planned without it.

    python benchmarks/way_home.py [--config FILE] [--stops FILE] [--places FILE]
        [--no-taskings] [--box WEST SOUTH EAST NORTH] [--least-pupils R] [--least-harm R]
        [--most-in-box N] --json FILE

"Without" has every factor off: no exposure, a flat clock, reports that count at all times and do
not fade, and ten minutes at the gate. Both plans are measured equally, with the figures of
`patrolplan.patrols.way_home`: pupil-minutes met beyond 100 m of the gate, and harm of both voices
met in the dwells, by the clock of the way home and by a flat clock.

Ratios are of means over schools; their 95 % intervals resample schools. The same patrols are then
measured under other assumptions about where pupils walk: homes nearer to school or farther away,
and no pupils at bus stops. And patrols are planned again with other exponents of pupils' presence,
on the same stretches.

With `--no-taskings` there are no tasked places, since a mandatory visit leaves a patrol little
choice. The box, in degrees, is a district that patrols should avoid; stops in it and stops among
six licensed places or more are counted. The demo is used without `--config`. The benchmark fails if
a ratio is below its minimum, or more stops than the maximum are in the box. The file has exact
figures for each school: it is for judging the model, not for publication.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import numpy as np  # noqa: E402

import patrolplan as pp  # noqa: E402
from patrolplan.patrols.way_home import HarmMeter, list_visits, measure_patrols  # noqa: E402
from patrolplan.pupils.presence import Presence, find_presence  # noqa: E402
from patrolplan.risk.clock import count_licensed_near  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from patrolplan.area import StudyArea

WITHOUT: dict[str, dict[str, Any]] = {
    "way_home": {"exposure": {}, "clock": "flat"},
    "reports": {"time_bands": False, "half_life_months": 1_000_000, "most_share_of_five": 1.0},
    "patrol": {"gate_minutes": 10},
}
DECAYS = (0.6, 2.0)
EXPONENTS = (0.0, 0.25, 0.5, 1.0)
DRAWS = 2000
MANY_LICENSED = 6
SEED = 20180


def drop_taskings(area: StudyArea) -> StudyArea:
    """The area without tasked places, and with a name that shows it."""
    named = area.settings.area.model_copy(update={"name": f"{area.name}, nothing tasked"})
    settings = area.settings.model_copy(update={"area": named})
    return replace(area, settings=settings, tasked_places=area.tasked_places.iloc[:0])


def plan_area(area: StudyArea) -> pp.Plan:
    """The area's patrols, from the start."""
    risk = pp.estimate_risk(area)
    return pp.plan_patrols(area, risk, pp.find_hotspots(area, risk))


def measure(plan: pp.Plan, area: StudyArea, risk: pp.Risk, flat: pp.Risk) -> dict[str, NDArray]:
    """(m,) what each school's patrols meet, summed over its officers, with the same risks."""
    window, hotspots = plan.window, plan.hotspots
    patrols = measure_patrols(area, risk, hotspots, window, plan.patrols)
    urns = list(dict.fromkeys(patrol.urn for patrol in patrols))
    meter = HarmMeter.from_risk(area, flat, hotspots, window, set(urns), with_band=False)
    sums = {name: dict.fromkeys(urns, 0.0) for name in ("pupils", "harm", "harm_flat")}
    for patrol in patrols:
        dwells = [
            (name, one.arrive_minutes, one.leave_minutes)
            for one in patrol.stops
            for name in one.covered
        ]
        sums["pupils"][patrol.urn] += patrol.way_home.pupil_share
        sums["harm"][patrol.urn] += patrol.way_home.harm_share
        sums["harm_flat"][patrol.urn] += meter.measure(patrol.urn, dwells)[0]
    return {name: np.array(list(by_urn.values())) for name, by_urn in sums.items()}


def measure_pupils(plan: pp.Plan, presence: Presence) -> NDArray:
    """(m,) share of each school's pupil-minutes that its patrols meet, under other assumptions."""
    met: dict[str, float] = {}
    stretches = dict(zip(plan.hotspots["hotspot"], plan.hotspots["pieces"], strict=True))
    for patrol in plan.patrols:
        visits = list_visits(plan.area.network, stretches, patrol)
        met[patrol.urn] = met.get(patrol.urn, 0.0) + presence.share_met_by(patrol.urn, visits)
    return np.array(list(met.values()))


def compare(ours: NDArray, theirs: NDArray) -> dict[str, float | None]:
    """Ratio of the means, with a 95 % interval over drawn schools."""
    if theirs.sum() <= 0:
        return {"estimate": None, "low": None, "high": None}
    rng = np.random.default_rng(SEED)
    drawn = rng.integers(0, len(ours), (DRAWS, len(ours)))
    below = theirs[drawn].sum(axis=1)
    ratios = np.where(below > 0, ours[drawn].sum(axis=1) / np.where(below > 0, below, 1), np.inf)
    low, high = np.quantile(ratios, [0.025, 0.975], method="nearest")
    estimate = float(ours.sum() / theirs.sum())
    return {
        "estimate": round(estimate, 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4) if np.isfinite(high) else None,
    }


def list_assumptions(area: StudyArea) -> list[tuple[str, StudyArea]]:
    """The area under other assumptions about where pupils walk."""
    decay = area.settings.way_home.decay_metres
    nearer = [
        (
            f"homes fall off over {factor:g} x the metres",
            pp.with_settings(area, way_home={"decay_metres": [factor * one for one in decay]}),
        )
        for factor in DECAYS
    ]
    stops = area.way_home.stops.iloc[:0]
    without = replace(area, way_home=replace(area.way_home, stops=stops))
    return [*nearer, ("nobody goes to bus stops or stations", without)]


def count_stops(plan: pp.Plan, box: Sequence[float] | None) -> dict[str, int | None]:
    """How many stops there are, in the box, and among many licensed places."""
    area = plan.area
    xy = np.array([stop.point for patrol in plan.patrols for stop in patrol.stops]).reshape(-1, 2)
    near = count_licensed_near(area.network, area.way_home.places)
    licensed = near[area.network.snap(xy).piece] if len(xy) else near[:0]
    in_box = None
    if box is not None:
        west, south, east, north = box
        lon, lat = area.projection.to_degrees(*xy.T)
        in_box = int(((west < lon) & (lon < east) & (south < lat) & (lat < north)).sum())
    many = int((licensed >= MANY_LICENSED).sum())
    return {"stops": len(xy), "in_box": in_box, "among_licensed": many}


def list_places(plan: pp.Plan) -> list[set[str]]:
    """The stretches at which each patrol stops."""
    return [set(patrol.hotspots) for patrol in plan.patrols]


def compare_exponents(
    plan: pp.Plan, flat: pp.Risk, today: dict[str, NDArray], counted: pp.Risk
) -> list[dict[str, Any]]:
    """Patrols with other exponents, on the same stretches, against those without the way home."""
    rows = []
    for exponent in EXPONENTS:
        again = pp.plan_patrols(plan.area, counted.set_exponent(exponent), plan.hotspots)
        met = measure(again, plan.area, counted, flat)
        pairs = list(zip(list_places(plan), list_places(again), strict=True))
        stops = sum(len(own) for own, _ in pairs)
        rows.append(
            {
                "exponent": exponent,
                "stops_kept": round(sum(len(own & other) for own, other in pairs) / stops, 4),
                "pupils": compare(met["pupils"], today["pupils"]),
                "harm": compare(met["harm"], today["harm"]),
            }
        )
    return rows


def run(area: StudyArea, box: Sequence[float] | None) -> dict[str, Any]:
    """Plan both ways, and compare them."""
    plan = plan_area(area)
    before = plan_area(pp.with_settings(area, **WITHOUT))
    flat = before.risk
    met = {
        name: measure(one, area, plan.risk, flat)
        for name, one in (("today", before), ("way_home", plan))
    }
    assumptions = []
    for name, other in list_assumptions(area):
        _, presence = find_presence(other)
        ours, theirs = (measure_pupils(one, presence) for one in (plan, before))
        assumptions.append({"assumption": name, "pupils": compare(ours, theirs)})
    schools = [
        {
            "urn": urn,
            **{
                name: {what: round(float(values[row]), 6) for what, values in one.items()}
                for name, one in met.items()
            },
        }
        for row, urn in enumerate(dict.fromkeys(patrol.urn for patrol in plan.patrols))
    ]
    return {
        "area": area.name,
        "schools": schools,
        "mean": {
            name: {what: round(float(values.mean()), 6) for what, values in one.items()}
            for name, one in met.items()
        },
        "ratio": {
            what: compare(met["way_home"][what], met["today"][what]) for what in met["today"]
        },
        "assumptions": assumptions,
        "exponents": compare_exponents(plan, flat, met["today"], plan.risk),
        "stops": {"today": count_stops(before, box), "way_home": count_stops(plan, box)},
    }


def find_failures(report: dict[str, Any], options: argparse.Namespace) -> list[str]:
    """Figures that miss their limits."""
    ratio, failures = report["ratio"], []
    for what, least in (("pupils", options.least_pupils), ("harm", options.least_harm)):
        estimate = ratio[what]["estimate"]
        if least is not None and (estimate is None or estimate < least):
            failures.append(f"{what}: {estimate} times as much, not {least:g}")
    in_box = report["stops"]["way_home"]["in_box"]
    if options.most_in_box is not None and (in_box is None or in_box > options.most_in_box):
        failures.append(f"stops in the box: {in_box}, not at most {options.most_in_box}")
    return failures


def format_ratio(ratio: dict[str, float | None]) -> str:
    """A ratio with its interval."""
    if ratio["estimate"] is None:
        return "none met without"
    high = "more" if ratio["high"] is None else f"{ratio['high']:.2f}"
    return f"x {ratio['estimate']:.2f} ({ratio['low']:.2f} to {high})"


def show(report: dict[str, Any]) -> None:
    """Print the report."""
    print(f"{report['area']}: shares met in %, without and with the way home")
    print(f"{'school':<10}{'pupils':>16}{'harm':>16}{'harm, flat':>16}")
    rows = [*report["schools"], {"urn": "mean", **report["mean"]}]
    for row in rows:
        cells = [
            f"{100 * row['today'][what]:.2f} > {100 * row['way_home'][what]:.2f}"
            for what in ("pupils", "harm", "harm_flat")
        ]
        print(f"{row['urn']:<10}" + "".join(f"{cell:>16}" for cell in cells))
    for what, ratio in report["ratio"].items():
        print(f"{what}: {format_ratio(ratio)}")
    for row in report["assumptions"]:
        print(f"pupils, if {row['assumption']}: {format_ratio(row['pupils'])}")
    for row in report["exponents"]:
        print(
            f"exponent {row['exponent']:g}: pupils {format_ratio(row['pupils'])}, "
            f"harm {format_ratio(row['harm'])}, {row['stops_kept']:.0%} of the stops stay"
        )
    for name, row in report["stops"].items():
        print(f"stops, {name}: {row}")


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, help="settings file; default the demo's")
    for source in ("stops", "places"):
        parser.add_argument(f"--{source}", type=Path, help=f"table for [sources] {source}")
    parser.add_argument("--no-taskings", action="store_true", help="leave out tasked places")
    parser.add_argument("--box", type=float, nargs=4, metavar=("WEST", "SOUTH", "EAST", "NORTH"))
    parser.add_argument("--least-pupils", type=float, help="fail below this ratio of pupils met")
    parser.add_argument("--least-harm", type=float, help="fail below this ratio of harm met")
    parser.add_argument("--most-in-box", type=int, help="fail above so many stops in the box")
    parser.add_argument("--json", type=Path, required=True, help="file to write")
    options = parser.parse_args()
    settings = pp.load_settings(options.config or pp.demo_settings())
    given = {
        name: (str(path.resolve()),)
        for name in ("stops", "places")
        if (path := getattr(options, name)) is not None
    }
    sources = settings.sources.model_copy(update=given)
    area = pp.load_area(settings.model_copy(update={"sources": sources}))
    report = run(drop_taskings(area) if options.no_taskings else area, options.box)
    show(report)
    options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    failures = find_failures(report, options)
    for failure in failures:
        print(f"not reached: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
