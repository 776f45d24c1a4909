"""The week's folder, as of `week --out`: saved whole or not at all; some papers may be old."""

import datetime as dt
import shutil
import tempfile
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from patrolplan.atomic import TEMPORARY_PREFIX, WEEK_FILE, hash_content
from patrolplan.crs import Projection
from patrolplan.outputs import output_folder
from patrolplan.outputs.earlier_papers import PAPERS_KEY, hash_facts
from patrolplan.outputs.papers import Paper, list_showing
from patrolplan.outputs.week import week_pack
from patrolplan.outputs.week.roster import Roster
from patrolplan.patrols.file_forms import write_record
from patrolplan.patrols.plan import Patrol
from patrolplan.team.school_answers import list_promises
from patrolplan.team.week import Week
from patrolplan.text import format_count
from patrolplan.times import format_span, format_time

if TYPE_CHECKING:
    from patrolplan.board.shared_week import SharedWeek


OUT_OF_DATE_KEY = "out_of_date"  # key of the manifest: papers that show an earlier week
CHANGED_FILE = "part/changed.pdf"  # the cards that changed since the last print
PRINTED_KEY = "printed"  # key of the manifest: what the papers in the folder show, by a digest


class WeekStore:
    """A week's folder, where `patrolplan week --out` writes as well; methods raise OutputError."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    def read_digest(self) -> str:
        """A digest of the week's file; empty where there is none."""
        try:
            return hash_content((self.folder / WEEK_FILE).read_bytes())
        except OSError:
            return ""

    def create(self, week: Week) -> None:
        """Write a week into a folder that holds none; not while `lock_folder` is held."""
        header = output_folder.build_manifest_header(week.plan.area)
        with output_folder.replace_folder(self.folder, header) as part:
            output_folder.write_files(part, week_pack.format_week_documents(week))

    def save(self, week: Week, before: Week) -> str:
        """Replace the week `before`, whose papers stay, as out of date; gives the new digest."""
        files = week_pack.format_week_documents(week)
        manifest = output_folder.read_manifest(self.folder)
        shown = find_shown(manifest, before)
        stale = find_outdated_papers(week, manifest.get("files", {}), shown)
        header = output_folder.build_manifest_header(week.plan.area)
        details = header | {PRINTED_KEY: shown, OUT_OF_DATE_KEY: stale}
        output_folder.replace_files(self.folder, files, details)
        return hash_content(files[WEEK_FILE])

    def list_papers(self) -> list[str]:
        """Names of the PDFs in the folder's manifest, sorted."""
        files = output_folder.read_manifest(self.folder).get("files", {})
        return sorted(name for name in files if name.endswith(".pdf"))

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


def hash_papers(week: Week, names: Collection[str]) -> dict[str, str]:
    """What those of a folder's files that show something of a week would show now, by a digest."""
    # A card shows its patrol; an officer's papers their cards, days and appointments; a school's
    # sheet its cards and what the week does about places that its pupils fear; the others all.
    roster, projection = Roster(week), week.plan.area.projection
    shown = {
        roster.card_path(duty): _hash(
            *(duty.officer, duty.crew, duty.date, format_time(duty.leave_minutes)),
            _hash_walk(duty.patrol, projection),
        )
        for duty in week.duties
    }
    cards = dict(shown)
    for officer in roster.officers:
        own = [cards[roster.card_path(duty)] for duty in roster.select_duties(officer.name)]
        gone = [one for one in week.calendar.withdrawn if one.officer == officer.name]
        if not (own or gone):
            continue
        facts = _hash(own, gone, [_list_day_facts(roster, officer.name, day) for day in week.days])
        shown |= {name.replace("*", officer.file_name): facts for name in list_showing("officer")}
    for urn, promises in list_promises(week, roster.schools_by_urn).items():
        own = [cards[roster.card_path(duty)] for duty in week.duties if duty.urn == urn]
        file_name = roster.school_file_names[urn]
        facts = _hash(own, promises)
        shown |= {name.replace("*", file_name): facts for name in list_showing("school")}
    whole = _hash(shown)
    shown |= dict.fromkeys([*list_showing("week"), CHANGED_FILE], whole)
    return {name: digest for name, digest in shown.items() if name in names}


def _hash(*facts: object) -> str:
    return hash_facts(*facts)[:16]


def _list_day_facts(roster: Roster, officer: str, day: dt.date) -> list[object]:
    """What an officer has to do on a day, and when."""
    return [
        [
            item.kind,
            format_span(item.from_minutes, item.to_minutes),
            *([] if item.duty is None else [item.duty.urn, item.duty.officer, *item.duty.crew]),
            *([] if item.appointment is None else [item.appointment.kind]),
        ]
        for item in roster.officer_days.get((officer, day), ())
    ]


@lru_cache(maxsize=4096)
def _hash_walk(patrol: Patrol, projection: Projection) -> str:
    return hash_facts(write_record(patrol, projection))


def find_shown(manifest: Mapping[str, Any], week: Week) -> dict[str, str]:
    """What a folder's papers show, as digests by file: `week` where the manifest has no record."""
    printed = manifest.get(PRINTED_KEY)
    return hash_papers(week, manifest.get("files", {})) if printed is None else dict(printed)


def find_outdated_papers(week: Week, names: Collection[str], shown: Mapping[str, str]) -> list[str]:
    """Papers among a folder's files that do not show the present week; `shown` is what they do."""
    present = hash_papers(week, names)
    return sorted(name for name in names if name in shown and shown[name] != present.get(name))


def print_papers(shared: "SharedWeek") -> str:
    """Print the week into its folder; the manifest says which papers are out of date."""
    week, folder = shared.state.week, shared.store.folder
    roster = Roster(week)
    details = output_folder.build_manifest_header(week.plan.area)
    changes = _find_changed_cards(roster, output_folder.read_manifest(folder))
    with tempfile.TemporaryDirectory(prefix=TEMPORARY_PREFIX) as temporary:
        drawn = Path(temporary)
        made_from = week_pack.write_week_files(roster, drawn, earlier=folder, changes=changes)
        with shared.lock:
            with output_folder.replace_folder(folder, details) as part:
                shutil.copytree(drawn, part, dirs_exist_ok=True)
                shared.check_folder()
                present = shared.state.week  # with changes made while the papers were drawn
                output_folder.write_files(part, week_pack.format_week_documents(present))
                files = {path.relative_to(part).as_posix() for path in part.rglob("*.*")}
                shown = hash_papers(week, files)
                details[PRINTED_KEY] = shown
                details[PAPERS_KEY] = {name: made_from[name] for name in made_from if name in files}
                details[OUT_OF_DATE_KEY] = find_outdated_papers(present, files, shown)
            shared.known_digest = shared.store.read_digest()
    if not changes:
        return "No card changed since the last print"
    new = format_count(len(changes.new), "card")
    withdrawn = f", {len(changes.withdrawn)} to take back" if changes.withdrawn else ""
    return f"Printed {new} to hand out{withdrawn}, by officer, into {folder}"


def _find_changed_cards(roster: Roster, manifest: Mapping[str, Any]) -> week_pack.CardChanges:
    """Cards that are not in the folder as they are now, and those there that are void."""
    present = {roster.card_path(duty) for duty in roster.week.duties}
    cards = {name for name in manifest.get("files", {}) if Paper("cards/*/*.pdf").matches(name)}
    shown = find_shown(manifest, roster.week)
    old = set(find_outdated_papers(roster.week, cards, shown))
    new = frozenset(present - cards | present & old)
    return week_pack.CardChanges(new, tuple(sorted(old - present)))
