"""The week's folder: saved completely or not at all, and never over another program's changes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from patrolplan.atomic import WEEK_FILE, hash_content
from patrolplan.board.printing import OUT_OF_DATE_KEY, PRINTED_KEY, find_outdated_papers, find_shown
from patrolplan.outputs.output_folder import (
    build_manifest_header,
    lock_folder,
    read_manifest,
    replace_files,
    replace_folder,
)
from patrolplan.outputs.week.week_pack import format_week_documents, write_week_documents

if TYPE_CHECKING:
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

    def create(self, week: Week) -> None:
        """Write a week into a folder that holds none; not while `lock_folder` is held."""
        with replace_folder(self.folder, _describe_area(week.plan.area)) as part:
            write_week_documents(week, part)

    def save(self, week: Week, before: Week) -> str:
        """Replace the week `before` in the folder and return the new one's digest.

        Papers that show the earlier week stay, and the manifest says that they are out of date.
        """
        files = format_week_documents(week)
        manifest = self.load_manifest()
        shown = find_shown(manifest, before)
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
