"""The week's folder: saved whole or not at all, and never over what somebody else wrote."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from textwrap import indent
from typing import TYPE_CHECKING, Any

from patrolplan.area.provenance import build_manifest_header
from patrolplan.board.printing import (
    OUT_OF_DATE_KEY,
    PRINTED_KEY,
    find_outdated_papers,
    find_shown_cards,
)
from patrolplan.outputs.output_folder import (
    format_json,
    lock_folder,
    read_manifest,
    replace_files,
    replace_folder,
    write_json,
)
from patrolplan.team.ledger.promised import HOTSPOTS_FILE, WEEK_FILE, hotspots_document
from patrolplan.team.week_file import build_week_document

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from patrolplan.area import StudyArea
    from patrolplan.team.week import Week


@dataclass(frozen=True)
class FileDigest:
    """What a week's file held when it was last read or written: its digest, empty for no file."""

    digest: str = ""


class WeekStore:
    """A week's folder.

    Parameters
    ----------
    folder
        Where `patrolplan week --out` writes, or has written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._hotspots_key: tuple[object, object] | None = None
        self._hotspots_text = b""

    def lock_folder(self) -> AbstractContextManager[None]:
        """Hold off every other writer of the folder while this board reads and writes it.

        Raises
        ------
        OutputError
            When another one does not let go of it.
        """
        return lock_folder(self.folder)

    def read_digest(self) -> FileDigest:
        """What the week's file holds now."""
        try:
            content = (self.folder / WEEK_FILE).read_bytes()
        except OSError:
            return FileDigest()
        return FileDigest(hashlib.sha256(content).hexdigest())

    def create(self, week: Week) -> None:
        """Write a week into a folder that holds none; not within `turn`.

        Raises
        ------
        OutputError
            When the folder cannot be written.
        """
        with replace_folder(self.folder, _describe_area(week.plan.area)) as part:
            write_json(part / WEEK_FILE, build_week_document(week))
            write_json(part / HOTSPOTS_FILE, hotspots_document(week))

    def save(self, week: Week, before: Week) -> FileDigest:
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
        content = format_week_json(week).encode("utf-8")
        files = {WEEK_FILE: content, HOTSPOTS_FILE: self._encode_hotspots(week)}
        manifest = self.load_manifest()
        shown = find_shown_cards(manifest, before)
        stale = find_outdated_papers(week, manifest.get("files", {}), shown)
        facts = {**_describe_area(week.plan.area), PRINTED_KEY: shown, OUT_OF_DATE_KEY: stale}
        replace_files(self.folder, files, facts)
        return FileDigest(hashlib.sha256(content).hexdigest())

    def _encode_hotspots(self, week: Week) -> bytes:
        """The hotspots' file; made anew only for another plan or other tasked stops."""
        stops = [stop for duty in week.duties for stop in duty.patrol.stops if stop.tasked]
        key = (week.plan, frozenset((stop.hotspot, stop.place, stop.x, stop.y) for stop in stops))
        if self._hotspots_key != key:
            self._hotspots_key = key
            self._hotspots_text = format_json(hotspots_document(week)).encode("utf-8")
        return self._hotspots_text

    def load_manifest(self) -> dict[str, Any]:
        """What the folder's manifest says."""
        return read_manifest(self.folder)


def format_week_json(week: Week) -> str:
    """What `week.json` holds, the same bytes as `format_json` gives; each walk is set only once."""
    document = build_week_document(week)
    routes = [
        _indent_json(json.dumps(route, ensure_ascii=False, allow_nan=False))
        for route in document.pop("routes")
    ]
    if not routes:
        return format_json({**document, "routes": []})
    text = format_json(document).removesuffix("\n}\n")
    walks = ",\n".join(routes)
    return f'{text},\n "routes": [\n{walks}\n ]\n}}\n'


@lru_cache(maxsize=4096)
def _indent_json(text: str) -> str:
    """A JSON object as it stands in a list of the file; strings hold no line breaks."""
    return indent(format_json(json.loads(text)).rstrip("\n"), "  ")


@lru_cache(maxsize=4)
def _describe_area(area: StudyArea) -> dict[str, Any]:
    return build_manifest_header(area)
