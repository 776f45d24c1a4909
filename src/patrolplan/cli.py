"""The command line: the same calls as in Python, progress on standard error, plain messages.

Rooms are imported by the command that needs them, so that help and messages come at once.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Annotated

import typer
from rich.table import Table

from patrolplan.errors import OutputError
from patrolplan.errors import PatrolplanError
from patrolplan.terminal import left_out_rows
from patrolplan.terminal import print_json
from patrolplan.terminal import print_left_out
from patrolplan.terminal import print_patrols
from patrolplan.terminal import print_week
from patrolplan.terminal import printed
from patrolplan.terminal import progress
from patrolplan.terminal import say_written
from patrolplan.terminal import stage

if TYPE_CHECKING:
    import geopandas as gpd

    from patrolplan.area import StudyArea
    from patrolplan.patrols.backtest import PatrolBacktest
    from patrolplan.risk.backtest import Backtest
    from patrolplan.risk.surface import Risk

app = typer.Typer(
    name="patrolplan",
    help="Patrol planning for Safer Schools Officers: from recorded crime to a printed route.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Config = Annotated[Path, typer.Option("--config", help="The settings file.")]
Out = Annotated[Path, typer.Option("--out", help="Folder to write; replaced whole.")]
MaybeOut = Annotated[Path | None, typer.Option("--out", help="Folder to write; replaced whole.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
HERE = Path("patrolplan.toml")


def main() -> None:
    """Run a command; a problem with the input ends with its messages and exit code 1."""
    try:
        app()
    except PatrolplanError as error:
        for line in str(error).splitlines():
            progress.print(f"patrolplan: {line}", markup=False, style="red")
        if "--json" in sys.argv:
            sys.stdout.write(json.dumps({"problems": str(error).splitlines()}) + "\n")
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        progress.print("patrolplan: stopped; nothing was changed")
        raise SystemExit(130) from None


@app.command()
def demo(out: Out = Path("patrolplan-demo"), as_json: Json = False) -> None:
    """Plan the patrols of the fictional demo borough."""
    from patrolplan.demo import demo_settings

    _plan(demo_settings(), out, _Wish(), as_json=as_json)


@app.command()
def init(config: Config = HERE) -> None:
    """Write a settings file to start from, with every key and its meaning."""
    from patrolplan.template import settings_template

    try:
        with config.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(settings_template())
    except FileExistsError:
        message = f"{config}: is there already; name another file with --config"
        raise OutputError(message) from None
    except OSError as error:
        message = f"{config}: cannot be written ({error.strerror}); name another file with --config"
        raise OutputError(message) from None
    printed.print(f"Written {config}: name your files under [sources], then `patrolplan check`.")


@app.command()
def check(config: Config = HERE, as_json: Json = False) -> None:
    """Read everything and say what came in, what was left out, and what was assumed."""
    area = _load(config)
    first, last = area.incidents["month"].min(), area.incidents["month"].max()
    document = {
        "area": area.name,
        "street_km": round(area.network.metres / 1000, 1),
        "incidents": len(area.incidents),
        "months": [f"{first:%Y-%m}", f"{last:%Y-%m}"],
        "times_known": area.times_known,
        "snapped": area.snapped,
        "groups_of_reports": len(area.reports),
        "schools": len(area.schools),
        "officers": len(area.officers),
        "left_out": left_out_rows(area.left_out),
        "notes": list(area.notes),
    }
    if as_json:
        print_json(document)
        return
    table = Table("what came in", "", title=area.name, title_justify="left")
    for name, value in document.items():
        if name not in {"area", "left_out", "notes"}:
            shown = " to ".join(value) if isinstance(value, list) else str(value)
            table.add_row(name.replace("_", " "), shown)
    printed.print(table)
    print_left_out(area.left_out, area.notes)


@app.command()
def risk(config: Config = HERE, out: MaybeOut = None, as_json: Json = False) -> None:
    """Estimate the risk of every piece of street; with --out, write it as a layer."""
    from patrolplan.outputs.layers import risk_layer
    from patrolplan.outputs.planfile import risk_document

    _check_out(out)
    area = _load(config)
    surface = _estimate(area)
    if out is not None:
        _write_layers(area, out, "risk.gpkg", {"risk": risk_layer(area, surface)})
    if as_json:
        print_json({"area": area.name, **risk_document(surface), "notes": list(surface.notes)})
        return
    printed.print(repr(surface))
    for note in surface.notes:
        printed.print(f"note: {note}")
    say_written(out)


@app.command()
def hotspots(config: Config = HERE, out: MaybeOut = None, as_json: Json = False) -> None:
    """Find the hotspots; with --out, write them as a layer."""
    from patrolplan.hotspots.find import find_hotspots
    from patrolplan.outputs.layers import hotspot_layer
    from patrolplan.outputs.planfile import hotspot_documents

    _check_out(out)
    area = _load(config)
    surface = _estimate(area)
    with stage("Finding hotspots"):
        found = find_hotspots(area, surface)
    if out is not None:
        _write_layers(area, out, "hotspots.gpkg", {"hotspots": hotspot_layer(found)})
    if as_json:
        documents = hotspot_documents(found, area.projection)
        print_json({"area": area.name, "hotspots": documents})
        return
    table = Table("hotspot", "share of risk", "metres", "place", "why")
    for row in hotspot_documents(found, area.projection)[:20]:
        why = "; ".join(row["reasons"])
        table.add_row(
            row["id"], f"{row['worth']:.1%}", f"{row['length_metres']:.0f}", row["place"], why
        )
    printed.print(f"{len(found)} hotspots; those of most risk:")
    printed.print(table)
    say_written(out)


@app.command()
def plan(
    config: Config = HERE,
    out: Out = Path("patrolplan-out"),
    school: Annotated[
        list[str] | None, typer.Option("--school", help="URN of one school; may be repeated.")
    ] = None,
    window: Annotated[str | None, typer.Option(help="A named window of the settings.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="Start at short notice, HH:MM.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(help="Length of the window.")] = None,
    date: Annotated[
        str | None, typer.Option(help="Day, YYYY-MM-DD: tasked places count on their days.")
    ] = None,
    together: Annotated[
        bool, typer.Option("--together", help="No hotspot twice: schools that share are one team.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Plan the patrols of every school and write cards, map, GPX, layers and plan."""
    wish = _Wish(
        school,
        window,
        _time(start),
        minutes,
        None if date is None else _date(date, "--date"),
        together,
    )
    _plan(config, out, wish, as_json=as_json)


@dataclass(frozen=True)
class _Wish:
    """Which patrols are asked for; by default every school's, from the bell."""

    schools: list[str] | None = None
    window: str | None = None
    start: dt.time | None = None
    minutes: float | None = None
    date: dt.date | None = None
    together: bool = False


def _time(text: str | None) -> dt.time | None:
    if text is None:
        return None
    try:
        return dt.datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - a time of day
    except ValueError:
        message = f"'{text}' is no time of day; write HH:MM, such as 15:40"
        raise typer.BadParameter(message, param_hint="--from") from None


def _date(text: str, option: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        message = f"'{text}' is no date; write YYYY-MM-DD"
        raise typer.BadParameter(message, param_hint=option) from None


@app.command()
def brief(
    school: Annotated[str, typer.Option("--school", help="URN of the school.")],
    since: Annotated[str, typer.Option("--since", help="First month or day, YYYY-MM[-DD].")],
    config: Config = HERE,
    out: MaybeOut = None,
    as_json: Json = False,
) -> None:
    """Say what was recorded around a school since a day, against what is usual there."""
    from patrolplan.hotspots.find import find_hotspots
    from patrolplan.outputs.brief.brief import brief_of
    from patrolplan.outputs.brief.brief import check_asked
    from patrolplan.outputs.brief.told import brief_document
    from patrolplan.outputs.brief.told import brief_lines

    first = _since(since)
    _check_out(out)
    area = _load(config)
    check_asked(area, school, first)  # before the work, not after it
    found = find_hotspots(area, _estimate(area))
    told = brief_of(area, found, school, first)
    if out is not None:
        from patrolplan.outputs.brief.sheet import write_brief

        write_brief(told, out)
    if as_json:
        print_json(brief_document(told))
        return
    for line in brief_lines(told):
        printed.print(line, soft_wrap=True)
    say_written(out)


def _since(text: str) -> dt.date:
    day = text + "-01" if text.count("-") == 1 else text
    try:
        return dt.date.fromisoformat(day)
    except ValueError:
        message = f"'{text}' is no month or day; write YYYY-MM or YYYY-MM-DD"
        raise typer.BadParameter(message, param_hint="--since") from None


@app.command()
def backtest(
    config: Config = HERE,
    out: MaybeOut = None,
    first: Annotated[
        str | None, typer.Option("--from", help="First month that is held out, YYYY-MM.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", help="Last month that is held out, YYYY-MM.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Test risk and patrols on months that nothing was learned from."""
    from patrolplan.patrols.backtest import backtest_patrols
    from patrolplan.risk.backtest import backtest_risk

    if (first is None) != (last is None):
        message = "give both --from and --to, or neither"
        raise typer.BadParameter(message)
    _check_out(out)
    area = _load(config)
    with stage("Testing risk models"):
        tested = backtest_risk(area, origins=None if first is None else (first, str(last)))
    with stage("Testing patrols"):
        patrols = backtest_patrols(area, origins=list(tested.trials.origins))
    if out is not None:
        _write_backtest(area, tested, patrols, out)
    if as_json:
        from patrolplan.outputs.tested import backtest_document

        print_json(backtest_document(tested, patrols))
        return
    printed.print(str(tested))
    printed.print("Patrols, harm met an officer-hour in the stretches dwelt in:")
    printed.print(str(patrols))
    say_written(out)


def _write_backtest(area: StudyArea, tested: Backtest, patrols: PatrolBacktest, out: Path) -> None:
    from patrolplan.outputs.files import whole_folder
    from patrolplan.outputs.tested import write_backtest
    from patrolplan.provenance import about

    with whole_folder(out, about(area)) as folder:
        write_backtest(tested, patrols, folder)


def _plan(config: Path, out: Path, wish: _Wish, *, as_json: bool) -> None:
    _check_out(out)
    area = _load(config)
    surface = _estimate(area)
    from patrolplan.hotspots.find import find_hotspots
    from patrolplan.outputs.pack import write_pack
    from patrolplan.outputs.planfile import plan_document
    from patrolplan.patrols.planner import plan_patrols
    from patrolplan.patrols.windows import window_of

    window = window_of(
        area.settings.patrol, name=wish.window, start=wish.start, minutes=wish.minutes
    )
    with stage("Finding hotspots"):
        found = find_hotspots(area, surface)
    with stage("Planning patrols"):
        planned = plan_patrols(
            area,
            surface,
            found,
            urns=wish.schools,
            window=window,
            date=wish.date,
            together=wish.together,
        )
    with stage("Writing cards, map, GPX and layers"):
        write_pack(planned, out)
    if as_json:
        print_json(plan_document(planned))
        return
    print_left_out(planned.left_out, surface.notes)
    print_patrols(planned, out)


@app.command()
def week(
    start: Annotated[str, typer.Option("--from", help="A day of the week to plan, YYYY-MM-DD.")],
    config: Config = HERE,
    out: MaybeOut = None,
    as_json: Json = False,
) -> None:
    """Choose who patrols which school on which day; with --out, write table and cards."""
    from patrolplan.hotspots.find import find_hotspots
    from patrolplan.outputs.weekpack import write_week
    from patrolplan.patrols.planner import plan_patrols
    from patrolplan.team.rota import plan_week
    from patrolplan.team.week import week_document

    day = _date(start, "--from")
    _check_out(out)
    area = _load(config)
    surface = _estimate(area)
    with stage("Planning patrols"):
        planned = plan_patrols(area, surface, find_hotspots(area, surface))
    with stage("Choosing the week"):
        chosen = plan_week(area, planned, start=day)
    if out is not None:
        with stage("Writing table and cards"):
            write_week(chosen, planned, out)
    if as_json:
        print_json(week_document(chosen))
        return
    print_week(chosen)
    say_written(out)


def _check_out(out: Path | None) -> None:
    """Say at once, not after the work is done, that a folder cannot be written."""
    if out is not None:
        from patrolplan.outputs.files import check_folder

        check_folder(out)


def _load(config: Path) -> StudyArea:
    with stage("Reading"):
        from patrolplan.area import load_area

        return load_area(config)


def _estimate(area: StudyArea) -> Risk:
    with stage("Estimating risk"):
        from patrolplan.risk.estimate import estimate_risk

        return estimate_risk(area)


def _write_layers(
    area: StudyArea, out: Path, name: str, layers: dict[str, gpd.GeoDataFrame]
) -> None:
    from patrolplan.outputs.files import whole_folder
    from patrolplan.outputs.layers import write_layers
    from patrolplan.provenance import about

    with stage(f"Writing {name}"), whole_folder(out, about(area)) as folder:
        write_layers(folder / name, layers)
