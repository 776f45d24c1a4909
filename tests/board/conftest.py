"""A small week on the board: four schools of the demo borough, planned once."""

import datetime as dt
import json
import shutil
import warnings
from contextlib import contextmanager
from dataclasses import replace

import pytest
from board.speech import TOKEN
from static_risk import make_static

import patrolplan as pp
from patrolplan.board.board import Board
from patrolplan.board.server import build_app
from patrolplan.board.shared_week import PlannedArea, open_shared_week
from patrolplan.board.week_folder import WeekStore
from patrolplan.settings import parse_settings
from patrolplan.team.day_plans import plan_days
from patrolplan.team.free_time import list_school_days
from patrolplan.team.rota import plan_week

with warnings.catch_warnings():  # it prefers a client that is not out yet
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

MONDAY = dt.date(2026, 11, 30)
PORT = 8765


@pytest.fixture(scope="session")
def ground(copy_demo, tmp_path_factory):
    """Four schools with one month of crimes, planned for a week; in a folder of its own."""
    folder = tmp_path_factory.mktemp("borough")
    return plan_ground(copy_demo(folder, "2026-09"), ["900001", "900006", "900007", "900009"])


def plan_ground(settings, urns):
    """A week's plans for some schools of a borough without appointments."""
    with settings.open("a", encoding="utf-8") as stream:
        stream.write(f"\n[schools]\nurns = {json.dumps(urns)}\n")
    duties = settings.with_name("duties.csv")
    duties.write_text("officer,date,from,to,kind,urn\n", encoding="utf-8")
    area = pp.load_area(settings)
    risk = replace(pp.estimate_risk(make_static(area)), made_from=None)
    hotspots = pp.find_hotspots(area, risk)
    days = list_school_days(MONDAY)
    return PlannedArea(area, risk, hotspots, plan_days(area, risk, hotspots, days))


@pytest.fixture(scope="session")
def chosen(ground):
    """The week that the optimiser chooses."""
    return plan_week(ground.area, ground.plans, start=MONDAY)


def move_files(ground, folder):
    """The same ground with its files in another folder, so that a test may change them."""
    folder.mkdir()
    for name in ("tasked_places.csv", "duties.csv"):
        shutil.copy(ground.area.settings.folder / name, folder)
    data = ground.area.settings.model_dump(by_alias=True, exclude_none=True)
    area = replace(ground.area, settings=parse_settings(data, folder=folder))
    plans = {day: replace(plan, area=area) for day, plan in ground.plans.items()}
    return PlannedArea(area, ground.risk, ground.hotspots, plans)


@contextmanager
def _open_board(ground, chosen, folder):
    """A board whose files a test may change, opened on a week that was saved."""
    WeekStore(folder / "week").create(chosen)
    board = Board(open_shared_week(move_files(ground, folder / "area"), folder / "week"))
    yield board
    board.close()


@contextmanager
def ask(board):
    """A client that asks a board as its page does."""
    address = f"http://127.0.0.1:{PORT}"
    headers = {"X-Patrolplan-Token": TOKEN, "Origin": address}
    app = build_app(board, TOKEN, PORT)
    asked = TestClient(app, base_url=address, headers=headers, raise_server_exceptions=False)
    with asked as client:
        yield client


@pytest.fixture
def board(ground, chosen, tmp_path):
    """A board of a test's own."""
    with _open_board(ground, chosen, tmp_path) as board:
        yield board


@pytest.fixture
def client(board):
    """Asks a test's own board."""
    with ask(board) as client:
        yield client


@pytest.fixture(scope="module")
def still_board(ground, chosen, tmp_path_factory):
    """A board that no test of a module changes."""
    with _open_board(ground, chosen, tmp_path_factory.mktemp("still")) as board:
        yield board


@pytest.fixture(scope="module")
def still_client(still_board):
    """Asks the board that no test changes."""
    with ask(still_board) as client:
        yield client
