"""Estimate memory and hours for all of England, by force, from the figures of `london.py`.

    python benchmarks/england.py benchmarks/london.json > benchmarks/england.md

A force is treated as a part of the fictional London with the same number of secondary schools.
Between measured scales, seconds and memory are interpolated in logarithms; outside, extrapolated
from the nearest line. The division of schools among forces, and their streets, are assumptions: see
the page.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from london import TO_PLANS
from london_page import Figures, find_peak, sum_stages

SCHOOLS = 3_444
"""State-funded secondary schools in England, 2022/23."""

LONDON_SCHOOLS = 500
"""Schools of the fictional city of scale 1; London's two forces share them."""

STREET_KM = 20_000
"""Length of streets of the same city."""

# Officers of the 39 territorial forces in England on 28 February 1983, as a measure of size.
FORCES = {
    "Metropolitan": 26_483, "City of London": 831, "Avon and Somerset": 2_978,
    "Bedfordshire": 987, "Cambridgeshire": 1_134, "Cheshire": 1_836, "Cleveland": 1_461,
    "Cumbria": 1_108, "Derbyshire": 1_755, "Devon and Cornwall": 2_734, "Dorset": 1_180,
    "Durham": 1_326, "Essex": 2_635, "Gloucestershire": 1_134, "Greater Manchester": 7_000,
    "Hampshire": 3_066, "Hertfordshire": 1_553, "Humberside": 1_958, "Kent": 2_876,
    "Lancashire": 3_152, "Leicestershire": 1_723, "Lincolnshire": 1_175, "Merseyside": 4_626,
    "Norfolk": 1_263, "Northamptonshire": 995, "Northumbria": 3_317, "North Yorkshire": 1_362,
    "Nottinghamshire": 2_243, "South Yorkshire": 2_865, "Staffordshire": 2_088, "Suffolk": 1_121,
    "Surrey": 1_586, "Sussex": 2_811, "Thames Valley": 3_113, "Warwickshire": 917,
    "West Mercia": 1_918, "West Midlands": 6_658, "West Yorkshire": 5_157, "Wiltshire": 1_031,
}  # fmt: skip
LONDON = ("Metropolitan", "City of London")

COLD = (("cold", ("cold import",)), ("first run", TO_PLANS))
"""Stages that a force computes once, from its files to all plans."""

MONTH = (("first run", TO_PLANS),)
"""Stages in a later month, at most: the same as without cached results."""

PAGE = """# All of England, on one page

`python benchmarks/england.py benchmarks/london.json > benchmarks/england.md`

What the 39 territorial forces in England would need, each on one desktop of two cores, from the
figures of [london.md](london.md). **Measured** are the made-up city's processor seconds and
memory at its scales, and those of a card. **Known** are the forces (House of Commons, written
answer of 29 March 1983: the 43 forces of England and Wales with their officers; four of them
are Welsh) and {schools:,} state-funded secondary schools in 2022/23, next to 16,783 primary
schools (Department for Education, Schools, pupils and their characteristics). **Assumed** are:
London's 500 schools; that the others share the rest in proportion to their officers in 1983
(newer numbers of all forces were not at hand, and only the order of size matters); the made-up
London's 40 km of streets a school; three years of crime as dense as there. Great Britain had
397,000 km of road in 2018 (Department for Transport): even if all of it were England's, a
school would have 115 km, so a rural force may need up to three times the memory for its
streets.

| force | secondary schools | streets, km | memory, GB | first run, min | new month, min |
| --- | --- | --- | --- | --- | --- |
{rows}
| **all, one by one** | {schools:,} | {km:,} | {memory:.1f} at most | {first:,.0f} | {month:,.0f} |

First run: files to plans and all cards, in minutes of one core: {days:.2f} days for all of
England, one force after the other. Two cores share patrols and cards.
New month: as much as a first run from files that were read before, which is more than a
month without new snap points takes. The week is not in it, see below.

## What would break first

1. **One settings file for the whole country.** England at once is {scale:.1f} times London:
   memory would be about {whole:.0f} GB by the same line, more than many desktops have. By force it
   never comes to that.
2. **Streets in the country.** Schools far apart reach few of the streets between them, yet all
   streets of an area are read. Give a rural force one settings file for each division, or bounds
   around its towns.
3. **Fetching.** One query to Overpass is not meant for an area of this size: streets of a force
   must come from a file of the region.
4. **The week.** Its rota is one problem for a whole force, and officers of one end of a county do
   not patrol at the other. Plan a week for each team.
5. **People.** {schools:,} cards a week are read by people who know the streets; no computer is the
   limit there.
"""


def sum_seconds(
    now: dict[float, Figures], what: tuple[tuple[str, tuple[str, ...]], ...]
) -> dict[float, float]:
    """Total processor seconds of some parts, at each scale where all of them were measured."""
    found = {}
    for scale, measures in now.items():
        seconds = [sum_stages(measures, *one, "processor_seconds") for one in what]
        if None not in seconds:
            found[scale] = sum(one for one in seconds if one is not None)
    return found


def measure_card(now: dict[float, Figures]) -> float:
    """Processor seconds per card, at the largest scale where some were drawn."""
    largest = max(
        scale for scale, measures in now.items() if "cards" in measures.get("second run", {})
    )
    part = now[largest]["second run"]
    return part["cards"]["processor_seconds"] / part["found"]["cards"]


def interpolate(found: dict[float, float], scale: float) -> float:
    """A figure at any scale, by linear interpolation of logarithms."""
    scales = sorted(found)
    x, y = np.log(scales), np.log([found[one] for one in scales])
    first = int(np.clip(np.searchsorted(scales, scale) - 1, 0, len(scales) - 2))
    slope = (y[first + 1] - y[first]) / (x[first + 1] - x[first])
    return float(np.exp(y[first] + slope * (np.log(scale) - x[first])))


def share_schools() -> dict[str, int]:
    """Schools of each force: for London known, for the others by size."""
    rest = {name: size for name, size in FORCES.items() if name not in LONDON}
    other = SCHOOLS - LONDON_SCHOOLS
    shares = {name: round(other * size / sum(rest.values())) for name, size in rest.items()}
    return {"London's two forces": LONDON_SCHOOLS} | dict(
        sorted(shares.items(), key=lambda one: -one[1])
    )


def write_page(scales: dict[str, dict[str, Any]]) -> str:
    """The page, from the scales of `london.json`."""
    now = {float(scale): measures["now"] for scale, measures in scales.items()}
    peaks = {scale: find_peak(measures) for scale, measures in now.items()}
    cold, later, card = sum_seconds(now, COLD), sum_seconds(now, MONTH), measure_card(now)
    rows, memory, first, month = [], [], [], []
    for force, schools in share_schools().items():
        scale = schools / LONDON_SCHOOLS
        memory.append(interpolate(peaks, scale))
        first.append((interpolate(cold, scale) + card * schools) / 60)
        month.append(interpolate(later, scale) / 60)
        km = STREET_KM * scale
        numbers = f"{memory[-1]:.1f} | {first[-1]:.1f} | {month[-1]:.1f}"
        rows.append(f"| {force} | {schools} | {km:,.0f} | {numbers} |")
    whole = SCHOOLS / LONDON_SCHOOLS
    return PAGE.format(
        rows="\n".join(rows),
        schools=SCHOOLS,
        km=round(STREET_KM * whole),
        memory=max(memory),
        first=sum(first),
        month=sum(month),
        days=sum(first) / 60 / 24,
        scale=whole,
        whole=interpolate(peaks, whole),
    )


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description="The page for England.")
    parser.add_argument("json", type=Path, help="what london.py wrote")
    wish = parser.parse_args()
    print(write_page(json.loads(wish.json.read_text("utf-8"))["scales"]), end="")


if __name__ == "__main__":
    main()
