"""Files that are at hand, served as their publishers would."""

import csv
import gzip

import osmium

from patrolplan.inputs.download.overpass import FEATURES

SLUGS = {
    "Anti-social behaviour": "anti-social-behaviour",
    "Bicycle theft": "bicycle-theft",
    "Burglary": "burglary",
    "Criminal damage and arson": "criminal-damage-arson",
    "Drugs": "drugs",
    "Other crime": "other-crime",
    "Other theft": "other-theft",
    "Possession of weapons": "possession-of-weapons",
    "Public order": "public-order",
    "Robbery": "robbery",
    "Shoplifting": "shoplifting",
    "Theft from the person": "theft-from-the-person",
    "Vehicle crime": "vehicle-crime",
    "Violence and sexual offences": "violent-crime",
}


def crimes_of(paths):
    """Monthly files as the API's objects by month.

    The API has no row without a place, and once what two forces' files both hold.
    """
    months, number, before = {}, 0, set()
    for path in sorted(paths):
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8", newline="") as stream:
            rows = [row for row in csv.DictReader(stream) if row["Longitude"]]
        for row in rows:
            number += 1
            if key(row) not in before:
                months.setdefault(row["Month"], []).append(crime(number, row))
        before |= {key(row) for row in rows if row["Crime ID"]}
    return months


def key(row):
    """What two files share when they hold the same row."""
    return tuple(row[name] for name in ("Crime ID", "Crime type", "Longitude", "Latitude"))


def crime(number, row):
    """A row of a monthly file as the API's object."""
    outcome = row["Last outcome category"]
    railway = row["Reported by"] == "British Transport Police"
    return {
        "category": SLUGS[row["Crime type"]],
        "location_type": "BTP" if railway else "Force",
        "location": {
            "latitude": row["Latitude"],
            "longitude": row["Longitude"],
            "street": {"id": 1, "name": row["Location"]},
        },
        "context": row["Context"],
        "outcome_status": {"category": outcome, "date": row["Month"]} if outcome else None,
        "persistent_id": row["Crime ID"],
        "id": number,
        "location_subtype": "",
        "month": row["Month"],
    }


def overpass_of(path):
    """An OpenStreetMap file as Overpass answers about its streets, and about the rest."""
    nodes, streets, others = [], [], []
    for one in osmium.FileProcessor(str(path)):
        element = {"id": one.id, "tags": dict(one.tags)}
        if one.is_node():
            place = {"lat": one.location.lat, "lon": one.location.lon}
            nodes.append({"type": "node", **element, **place})
        elif one.is_way():
            way = {"type": "way", **element, "nodes": [node.ref for node in one.nodes]}
            (streets if "highway" in element["tags"] else others).append(way)
        else:
            members = [
                {
                    "type": {"n": "node", "w": "way", "r": "relation"}[m.type],
                    "ref": m.ref,
                    "role": m.role,
                }
                for m in one.members
            ]
            others.append({"type": "relation", **element, "members": members})
    wanted = {(key, one) for key, values in FEATURES.items() for one in values}
    matching = [one for one in others if wanted & set(one["tags"].items())]
    needed = [one for one in others if not one["tags"]]  # members of the relations
    return {"elements": [*streets, *nodes]}, {"elements": [*matching, *needed, *nodes]}
