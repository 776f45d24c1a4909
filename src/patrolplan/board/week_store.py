"""The week's folder: saved completely or not at all, and never over another program's changes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from patrolplan.atomic import UNDO_FILE, WEEK_FILE, hash_content
from patrolplan.board.printing import (
    OUT_OF_DATE_KEY,
    PRINTED_KEY,
    find_outdated_papers,
    find_shown_cards,
)
from patrolplan.board.undo_file import MAX_FILE_BYTES
from patrolplan.outputs.output_folder import (
    build_manifest_header,
    lock_folder,
    read_manifest,
    replace_files,
    replace_folder,
)
from patrolplan.outputs.week.week_pack import format_week_documents, write_week_documents
from patrolplan.team.week_file import CHANCES_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from patrolplan.area import StudyArea
    from patrolplan.team.week import Week


class WeekStore:
    """A week's folder, where `patrolplan week --out` writes as well; methods raise OutputError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def lock_folder(self) -> AbstractContextManager[None]:
        """Keep other writers out of the folder while this board reads and writes it."""
        return lock_folder(self.folder)

    def read_digest(self) -> str:
        """A digest of the week's file; empty where there is none."""
        try:
            return hash_content((self.folder / WEEK_FILE).read_bytes())
        except OSError:
            return ""

    def read_week_files(self) -> dict[str, bytes]:
        """The contents of the files that a week is read from; those that exist."""
        paths = [self.folder / name for name in (WEEK_FILE, CHANCES_FILE)]
        return {path.name: path.read_bytes() for path in paths if path.is_file()}

    def read_undo_file(self) -> bytes | None:
        """What can be undone, see `patrolplan.board.undo_file`; None where nothing is stored."""
        path = self.folder / UNDO_FILE
        try:
            is_ours = not path.is_symlink() and path.stat().st_size <= MAX_FILE_BYTES
            return path.read_bytes() if is_ours else None
        except OSError:
            return None

    def create(self, week: Week) -> None:
        """Write a week into a folder that holds none; not while `lock_folder` is held."""
        with replace_folder(self.folder, _describe_area(week.plan.area)) as part:
            write_week_documents(week, part)

    def save(
        self,
        week: Week,
        before: Week,
        format_steps: Callable[[Mapping[str, bytes]], bytes] | None = None,
    ) -> str:
        """Replace the week `before` in the folder and return the new one's digest.

        Papers that show the earlier week stay, and the manifest says that they are out of date.
        `format_steps` makes what can be undone of the contents of the week's files; all are
        written, or none.
        """
        files = format_week_documents(week)
        if format_steps is not None:
            files[UNDO_FILE] = format_steps(files)
        manifest = self.load_manifest()
        shown = find_shown_cards(manifest, before)
        stale = find_outdated_papers(week, manifest.get("files", {}), shown)
        details = {**_describe_area(week.plan.area), PRINTED_KEY: shown, OUT_OF_DATE_KEY: stale}
        replace_files(self.folder, files, details)
        return hash_content(files[WEEK_FILE])

    def load_manifest(self) -> dict[str, Any]:
        """The folder's manifest."""
        return read_manifest(self.folder)

    def list_papers(self) -> list[str]:
        """Names of the PDFs in the folder's manifest, sorted."""
        return sorted(
            name for name in self.load_manifest().get("files", {}) if name.endswith(".pdf")
        )

    def read_paper(self, name: str) -> bytes | None:
        """A printed paper, by its exact name in the folder's manifest; None for any other name."""
        path = PurePosixPath(name)
        if name not in self.list_papers() or ".." in path.parts or path.is_absolute():
            return None
        file = self.folder.joinpath(*path.parts)
        try:  # a link may lead out of the folder
            return file.read_bytes() if file.resolve().is_relative_to(self.folder) else None
        except OSError:
            return None


@lru_cache(maxsize=4)
def _describe_area(area: StudyArea) -> dict[str, Any]:
    return build_manifest_header(area)
