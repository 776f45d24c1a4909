"""The command for surveys of pupils: survey."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

import patrolplan as pp
from patrolplan.cli import console, options, steps
from patrolplan.cli.app import command


@command
def survey(
    files: Annotated[
        list[str] | None,
        typer.Argument(help="Files that the survey's pages saved, for --read.", show_default=False),
    ] = None,
    school: str | None = options.option("Write the survey of this school.", options.URN),
    read: bool = options.flag("--read", "Read the files of surveys into a file of reports."),
    count: bool = options.flag(
        "--count", "With --school: write the form for counting pupils at three corners."
    ),
    read_counts: bool = options.flag(
        "--read-counts", "Read such counts into a table for [sources] counts."
    ),
    out: Path | None = options.option(
        "Folder for --school; file of reports (.csv) for --read.", "PATH"
    ),
    delete_files: bool = options.flag("--delete-files", "Delete the files once they are counted."),
    config: options.Config = options.DEFAULT_CONFIG,
    as_json: options.Json = False,
) -> None:
    """Ask a school's pupils, and read their answers.

    With --school: a page for a tablet or phone that needs no network, a paper form, a page to enter
    it, and a leaflet for the teacher. With --read: groups of at least the threshold are written
    as reports, by square, and a record of what was read next to them. Counts of pupils at corners
    correct where and when pupils are modelled to walk.
    """
    has_school = school is not None
    if count or read_counts:
        is_file = out is not None and out.suffix == ".csv"
        options.refuse_if(
            (read_counts == has_school, "--count needs it, --read-counts none", "--school"),
            (read_counts != bool(files), "--read-counts needs them, --count none", "FILES"),
            (out is None, "name a folder for --count, a .csv file for --read-counts", "--out"),
            (read_counts and not is_file, f"'{out}' does not end in .csv", "--out"),
        )
        said = _count(_expand(files or []), school, out or Path(), config)
        document = {"written": f"{out}", "notes": said}
        console.print_result(document, [*console.list_written(out), *said], as_json=as_json)
        return
    name = "" if out is None else out.name.lower()
    more = files or delete_files
    options.refuse_if(
        (has_school == read, "give one of them", "--school, --read"),
        (out is None, "name a folder for --school, a .csv file for --read", "--out"),
        (read and not files, "name the files to read", "--read"),
        (read and not name.endswith(".csv"), f"'{out}' does not end in .csv", "--out"),
        (not read and more, "files and --delete-files go with --read", "--school"),
    )
    if out is None:  # for the type checker: usage is checked already
        return
    if school is not None:
        _write_survey(school, out, config, as_json=as_json)
    else:
        _read_surveys(files or [], out, config, delete=delete_files, as_json=as_json)


def _count(files: Sequence[Path], school: str | None, out: Path, config: Path) -> list[str]:
    """Write the form for counting at a school, or counts that pass every check; what to know."""
    from glob import escape

    from patrolplan.atomic import write_file_atomically
    from patrolplan.inputs.small_tables import write_counts
    from patrolplan.outputs.survey.count_pack import write_count_pack
    from patrolplan.text import format_count

    if school is not None:
        steps.check_out(out)
        write_count_pack(steps.load_study_area(config), school, out)
        return ["The page saves one file, which `patrolplan survey --read-counts` takes."]
    settings, own = pp.load_settings(config), out.resolve()
    paths = tuple(escape(str(path.resolve())) for path in files if path.resolve() != own)
    sources = settings.sources.model_copy(update={"counts": paths})
    area = pp.load_area(settings.model_copy(update={"sources": sources}))
    counts = area.way_home.counts
    write_file_atomically(out, write_counts(counts, area.projection).encode())
    lost = sum(table.left_out for table in area.tables if table.source == "counts")
    schools = format_count(counts["urn"].nunique(), "school")
    said = [f"{len(counts)} counts of {schools}: name the file in [sources] counts"]
    return said + [f"Left out: {lost} rows of schools that are not planned for"] * (lost > 0)


def _write_survey(school: str, out: Path, config: Path, *, as_json: bool) -> None:
    from patrolplan.area.study_area import find_school
    from patrolplan.outputs.survey.survey_pack import write_survey_pack

    steps.check_out(out)
    area = steps.load_study_area(config)
    find_school(area, school, where="--school")
    with console.report_stage("Drawing the survey"):
        write_survey_pack(area, school, out)
    line = (
        "Start with the leaflet; the page saves one file on each device, which `patrolplan survey "
        "--read` takes."
    )
    document = {"written": sorted(path.as_posix() for path in out.iterdir())}
    console.print_result(document, [*console.list_written(out), line], as_json=as_json)


def _read_surveys(
    files: Sequence[str], out: Path, config: Path, *, delete: bool, as_json: bool
) -> None:
    from patrolplan.area.sources import read_school_urns
    from patrolplan.inputs import survey_reading
    from patrolplan.privacy import ROUNDING_STEP

    has_settings = config != options.DEFAULT_CONFIG or config.exists()
    settings = pp.load_settings(config) if has_settings else None
    reading = survey_reading.take_in_surveys(
        _expand(files),
        out,
        urns=None if settings is None else read_school_urns(settings),
        threshold=max(ROUNDING_STEP, 0 if settings is None else settings.privacy.threshold),
        delete=delete,
    )
    if as_json:
        reading.raise_if_undeleted()
    none = [f"{config}: there is no settings file, so schools were not checked"]
    lines = [*([] if has_settings else none), *survey_reading.describe_reading(reading)]
    document = survey_reading.build_reading_document(reading)
    document |= {"schools_checked": has_settings}
    console.print_result(document, lines, as_json=as_json)
    reading.raise_if_undeleted()


def _expand(files: Sequence[str]) -> list[Path]:
    """Files by name or by pattern: the shell of Windows does not expand patterns."""
    from patrolplan.errors import Problems
    from patrolplan.settings import expand_pattern

    problems, paths = Problems(), list[Path]()
    for pattern in files:
        matches = expand_pattern(Path(), pattern)
        if not matches:
            problems.add(pattern, "no file matches", "name the files that the survey's page saved")
        paths.extend(matches)
    problems.raise_if_any()
    return paths
