"""Weeks handed out and visits, written by hand: five places of the demo borough, one school."""

from patrolplan.team.ledger.promised import PromisedWeek
from patrolplan.team.ledger.visits import Visit

POINTS = {"H1": (0.858, 51.528), "H2": (0.871, 51.530), "H3": (0.872, 51.523)}
POINTS |= {"H4": (0.91, 51.53), "H5": (0.92, 51.53)}


def make_week(days, *doses):
    """A week of officer, crew, day, stop, place, arrival and minutes of each dose."""
    names = ("officer", "crew", "date", "stop", "hotspot", "arrive", "minutes")
    rows = [dict(zip(names, dose, strict=True)) for dose in doses]
    everywhere = {"urn": "900001", "window": "after_school", "school": "Hill School"}
    for row in rows:
        row.update(everywhere, id=f"P1-{row.pop('hotspot')}", people=1 + bool(row["crew"]))
    spots = [
        {"id": f"P1-{name}", "hotspot": name, "place": f"Street {name}", "kind": "hotspot"}
        | {"longitude": x, "latitude": y, "shape": f"POINT ({x} {y})", "sees": ""}
        for name, (x, y) in POINTS.items()
    ]
    return PromisedWeek(tuple(days), tuple(rows), tuple(spots))


def make_visit(officer, day, place, minutes, *, engagements=None, **details):
    """A visit to one of the places."""
    where = ("900001", f"P1-{place}", place, f"Street {place}", *POINTS[place])
    return Visit(officer, day, *where, minutes, engagements, "csv", **details)
