"""Which papers of a week's folder show the week as it is, and which an earlier one."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import TYPE_CHECKING
from typing import Any

from patrolplan.outputs.week.roll import Roll
from patrolplan.patrols.document import patrol_document
from patrolplan.patrols.plans import clock

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Mapping

    from patrolplan.patrols.plans import Patrol
    from patrolplan.projection import Projection
    from patrolplan.team.week import Week

STALE = "out_of_date"
"""Key of the manifest: papers in the folder that show an earlier week."""
PRINTED = "printed"
"""Key of the manifest: what the cards in the folder show, by a digest."""
PART = "part"
"""Folder of what shows the last part that was printed, one officer or day, and no more."""

OF_THE_WEEK = ("map.html", "tasks.pdf", "week.csv", "week.xlsx")
"""Papers that show the whole week."""


def cards_of(week: Week) -> dict[str, str]:
    """What the card of each patrol would show now, by the card's file."""
    roll, projection = Roll(week), week.plan.area.projection
    return {
        roll.card(duty): _digest(
            duty.officer, f"{duty.date}", clock(duty.leave_minutes), _walk(duty.patrol, projection)
        )
        for duty in week.duties
    }


def _digest(*facts: str) -> str:
    return hashlib.sha256(json.dumps(facts).encode("utf-8")).hexdigest()[:16]


@lru_cache(maxsize=4096)
def _walk(patrol: Patrol, projection: Projection) -> str:
    document = patrol_document(patrol, projection)
    text = json.dumps(document, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def shown_in(manifest: Mapping[str, Any], week: Week) -> dict[str, str]:
    """What the cards in a folder show.

    Parameters
    ----------
    manifest
        Of the folder.
    week
        The week that the folder's week file holds: cards that came with it show it.
    """
    known = manifest.get(PRINTED)
    if known is not None:
        return dict(known)
    names = manifest.get("files", {})
    return {name: digest for name, digest in cards_of(week).items() if name in names}


def out_of_date(week: Week, names: Collection[str], shown: Mapping[str, str]) -> list[str]:
    """Papers of a folder that do not show the week as it is, by name.

    Parameters
    ----------
    week
        The week as it is.
    names
        Files of the folder.
    shown
        What the cards among them show, see `cards_of`.
    """
    if not shown:
        return sorted(name for name in OF_THE_WEEK if name in names)
    roll, now = Roll(week), cards_of(week)
    wrong = {name for name in shown if name in names and now.get(name) != shown[name]}
    new = [duty for duty in week.duties if roll.card(duty) not in shown]
    if not wrong and not new:
        return []
    files = {officer.name: officer.file for officer in roll.officers}
    stale = wrong | set(OF_THE_WEEK)
    stale |= {name for name in names if wrong and name.startswith(f"{PART}/")}
    stale |= {f"{name.rsplit('/', 1)[0]}.pdf" for name in wrong}
    stale |= {f"cards/{files[duty.officer]}.pdf" for duty in new}
    stale |= {f"schools/{name.rsplit('/', 1)[1][len('2026-11-30-') :]}" for name in wrong}
    stale |= {f"schools/{roll.school_file(duty.urn)}.pdf" for duty in new}
    return sorted(stale & set(names))
