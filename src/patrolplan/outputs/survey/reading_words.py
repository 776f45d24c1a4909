"""What is printed about surveys that were read: numbers that may be shown, in words and JSON."""

from typing import Any

from patrolplan.crs import SQUARE_METRES
from patrolplan.inputs.survey_counts import SurveyEntry
from patrolplan.inputs.survey_form import TALLY_FORM, RepeatedFile, find_record_path
from patrolplan.outputs.survey.reports_file import count_left_over
from patrolplan.outputs.survey.survey_reading import SurveyReading
from patrolplan.privacy import ROUNDING_STEP
from patrolplan.text import format_count

ERASURE = (
    "Deleting is not erasing: a memory stick or a tablet may still hold what was deleted. Delete "
    "the files on the school's devices too."
)


def describe_reading(reading: SurveyReading) -> list[str]:
    """A line for each thing that a person should know."""
    entries, table = reading.counts.entries, reading.counts.table
    lines = [_describe_repeated(one) for one in reading.counts.repeated]
    lines += [
        f"{entry.files[0]}: this survey is in {reading.out} already; it is passed over, and its "
        "file stays"
        for entry in reading.skipped
    ]
    if not entries:
        return [*lines, f"No survey is new; {reading.out} stays as it was."]
    lines += [_describe_old(entry) for entry in reading.old]
    tallies = sum(entry.form == TALLY_FORM for entry in entries)
    schools = format_count(len({entry.school_urn for entry in entries}), "school")
    pupils = sum(entry.pupils for entry in entries)
    lines.append(
        f"{format_count(len(entries), 'survey')} of {schools} ({tallies} on paper); "
        f"{_at_least(pupils)} pupils took part."
    )
    shown = table.counts[table.counts >= reading.threshold]
    where = f"{format_count(len(shown), 'square')} of {SQUARE_METRES:.0f} m"
    lines.append(
        f"{format_count(int(shown.sum()), 'report')} in {where} written to {reading.out}, in "
        f"groups of at least {reading.threshold}, rounded down to steps of {ROUNDING_STEP}."
    )
    if not len(shown):
        lines.append(
            f"In no square did {reading.threshold} pupils or more mark a place, so nothing can be "
            "used: survey another class and give all files together."
        )
    left_over = _format_number(count_left_over(reading.counts, reading.threshold))
    lines.append(f"Reports in squares with fewer, not written: {left_over}.")
    lines += [
        f"Reports refused, {why}: {_format_number(count)}."
        for why, count in sorted(table.refused.items())
    ]
    lines.append(f"What was read is recorded in {find_record_path(reading.out)}.")
    if reading.deleted:
        lines.append(f"Deleted: {format_count(len(reading.deleted), 'file')}. {ERASURE}")
    return lines


def _describe_repeated(repeated: RepeatedFile) -> str:
    if repeated.is_fuller:
        why = f"holds an earlier state of the survey in {repeated.counted}, which holds more"
    else:
        why = f"holds the same survey as {repeated.counted}"
    return f"{repeated.file}: {why}; it is counted once"


def _describe_old(entry: SurveyEntry) -> str:
    return (
        f"{entry.files[0]}: is of the {entry.term.season} term of {entry.term.year}, so it counts "
        "little; if the clock of the device was wrong, correct 'day' in the file and read all again"
    )


def _at_least(pupils: int) -> str:
    return f"at least {pupils:,}" if pupils else f"fewer than {ROUNDING_STEP}"


def _format_number(count: int) -> str:
    return f"about {count:,}" if count else f"fewer than {ROUNDING_STEP}"


def build_reading_document(reading: SurveyReading) -> dict[str, Any]:
    """The same facts as one JSON object."""
    entries, table = reading.counts.entries, reading.counts.table
    shown = table.counts[table.counts >= reading.threshold]
    return {
        "written": f"{reading.out}" if entries else None,
        "record": f"{find_record_path(reading.out)}",
        "surveys": [
            {
                "id": entry.id,
                "school_urn": entry.school_urn,
                "season": entry.term.season,
                "year": entry.term.year,
                "pupils": entry.pupils,
            }
            for entry in entries
        ],
        "already_recorded": [entry.id for entry in reading.skipped],
        "reports": int(shown.sum()),
        "squares": len(shown),
        "in_small_squares": _format_number(count_left_over(reading.counts, reading.threshold)),
        "refused": {why: _format_number(count) for why, count in sorted(table.refused.items())},
        "deleted": [f"{path}" for path in reading.deleted],
        "notes": [
            *(_describe_repeated(one) for one in reading.counts.repeated),
            *(_describe_old(entry) for entry in reading.old),
        ],
    }
