"""The week's folder: saved whole or not at all, and never over what somebody else wrote."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from textwrap import indent
from typing import TYPE_CHECKING, Any

from patrolplan.area.provenance import about
from patrolplan.board.printing import PRINTED, STALE, out_of_date, shown_in
from patrolplan.outputs.output_folder import (
    alone,
    json_text,
    read_manifest,
    replace_files,
    whole_folder,
    write_json,
)
from patrolplan.team.ledger.promised import HOTSPOTS_FILE, WEEK_FILE, hotspots_document
from patrolplan.team.week import week_document

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from patrolplan.area import StudyArea
    from patrolplan.team.week import Week


@dataclass(frozen=True)
class Seen:
    """What a week's file held when it was last read or written: its digest, empty for no file."""

    digest: str = ""


class Store:
    """A week's folder.

    Parameters
    ----------
    folder
        Where `patrolplan week --out` writes, or has written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._hotspots_of: tuple[object, object] | None = None
        self._hotspots_text = b""

    def turn(self) -> AbstractContextManager[None]:
        """Hold off every other writer of the folder while this board reads and writes it.

        Raises
        ------
        OutputError
            When another one does not let go of it.
        """
        return alone(self.folder)

    def seen(self) -> Seen:
        """What the week's file holds now."""
        try:
            content = (self.folder / WEEK_FILE).read_bytes()
        except OSError:
            return Seen()
        return Seen(hashlib.sha256(content).hexdigest())

    def begin(self, week: Week) -> None:
        """Write a week into a folder that holds none; not within `turn`.

        Raises
        ------
        OutputError
            When the folder cannot be written.
        """
        with whole_folder(self.folder, _about(week.plan.area)) as part:
            write_json(part / WEEK_FILE, week_document(week))
            write_json(part / HOTSPOTS_FILE, hotspots_document(week))

    def save(self, week: Week, before: Week) -> Seen:
        """Write a week in place of the one that is there; its papers stay, and are known as old.

        Parameters
        ----------
        week
            The week.
        before
            The one that the folder holds.

        Raises
        ------
        OutputError
            When the folder cannot be written.
        """
        content = week_text(week).encode("utf-8")
        files = {WEEK_FILE: content, HOTSPOTS_FILE: self._hotspots(week)}
        manifest = self.manifest()
        shown = shown_in(manifest, before)
        stale = out_of_date(week, manifest.get("files", {}), shown)
        facts = {**_about(week.plan.area), PRINTED: shown, STALE: stale}
        replace_files(self.folder, files, facts)
        return Seen(hashlib.sha256(content).hexdigest())

    def _hotspots(self, week: Week) -> bytes:
        """The hotspots' file; made anew only for another plan or other tasked stops."""
        stops = [stop for duty in week.duties for stop in duty.patrol.stops if stop.tasked]
        key = (week.plan, frozenset((stop.hotspot, stop.place, stop.x, stop.y) for stop in stops))
        if self._hotspots_of != key:
            self._hotspots_of = key
            self._hotspots_text = json_text(hotspots_document(week)).encode("utf-8")
        return self._hotspots_text

    def manifest(self) -> dict[str, Any]:
        """What the folder's manifest says."""
        return read_manifest(self.folder)


def week_text(week: Week) -> str:
    """What `week.json` holds, the same bytes as `json_text` gives; each walk is set only once."""
    document = week_document(week)
    routes = [
        _set_in(json.dumps(route, ensure_ascii=False, allow_nan=False))
        for route in document.pop("routes")
    ]
    if not routes:
        return json_text({**document, "routes": []})
    text = json_text(document).removesuffix("\n}\n")
    walks = ",\n".join(routes)
    return f'{text},\n "routes": [\n{walks}\n ]\n}}\n'


@lru_cache(maxsize=4096)
def _set_in(text: str) -> str:
    """A JSON object as it stands in a list of the file; strings hold no line breaks."""
    return indent(json_text(json.loads(text)).rstrip("\n"), "  ")


@lru_cache(maxsize=4)
def _about(area: StudyArea) -> dict[str, Any]:
    return about(area)
