"""Areas that tests share, and the bounds they all keep."""

import datetime as dt
import gc
import io
import os
import pickle
import shutil
from pathlib import Path

import pytest
import skip_list
from filelock import FileLock
from hypothesis import settings
from static_risk import make_static

import patrolplan as pp
from patrolplan import cli
from patrolplan.team import secret

settings.register_profile("same", deadline=None, max_examples=25, derandomize=True, database=None)
settings.register_profile("new", deadline=None, max_examples=25, print_blob=True)
settings.register_profile("long", deadline=None, max_examples=250, print_blob=True)
settings.load_profile("same")
"""Everybody draws the same cases; `.ci/nightly` draws new ones (--hypothesis-profile=long), and
a failure prints how to repeat it. With `new` and --hypothesis-seed=N a run draws other cases."""

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"


def pytest_configure(config):
    """In `.ci/run` only what is on its list may skip, and it waits for a file to go on with."""
    skip_list.register(config)
    if begin := os.environ.get("PATROLPLAN_TESTS_BEGIN"):
        Path(begin).touch()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """One process more than cores, since some tests wait for a browser or a command."""
    return min(4, (os.cpu_count() or 1) + 1)


def pytest_collection_modifyitems(items):
    """The longest file begins first, so that no process works on it alone at the end."""
    items.sort(key=lambda item: item.path.name != "test_stored_papers.py")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Look for no garbage while all is imported; later seldom, and only among what is new."""
    gc.disable()
    gc.set_threshold(50_000, 20, 20)
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Keep the tests' street cache apart from the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATROLPLAN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_secret_in_the_checkout():
    """Commands on the demo borough itself draw with its seed, so that every run draws alike."""
    create = secret.create_secret

    def create_elsewhere(path):
        return path.resolve().parent == ROOT / "data" or create(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(secret, "create_secret", create_elsewhere)
        yield


class _Writer(pickle.Pickler):
    def persistent_id(self, one):
        return self.names.get(id(one))


class _Reader(pickle.Unpickler):
    def persistent_load(self, name):
        return self.objects[name]


@pytest.fixture(scope="session")
def once(tmp_path_factory):
    """What gives what a function makes; of several processes one makes it, the others read it."""
    # Code is compiled by that one too. What it was made of stays the object of each process.

    def share(make, **made_from):
        if "PYTEST_XDIST_WORKER" not in os.environ:
            return make(*made_from.values())
        path = tmp_path_factory.getbasetemp().parent / f"{make.__module__}-{make.__name__}"
        with FileLock(f"{path}.lock"):
            if not path.exists():
                writer = _Writer(stream := io.BytesIO())
                writer.names = {id(one): name for name, one in made_from.items()}
                writer.dump(make(*made_from.values()))
                path.write_bytes(stream.getvalue())
            reader = _Reader(io.BytesIO(path.read_bytes()))
        reader.objects = made_from
        return reader.load()

    return share


@pytest.fixture(scope="session")
def shared():
    """Folder of the real data of central London, where it is at hand."""
    if not SHARED.is_dir():
        pytest.skip("the real data of central London is not beside this checkout")
    return SHARED


@pytest.fixture(scope="session")
def demo():
    """Settings file of the demo borough."""
    return ROOT / "data" / "patrolplan.toml"


@pytest.fixture(scope="session")
def copy_demo(demo):
    """What copies the demo borough with crimes of these months only; gives its settings file."""

    def copy(folder, *months):
        for month in months:
            shutil.copytree(demo.parent / "crimes" / month, folder / "crimes" / month)
        for path in demo.parent.glob("*.*"):
            if path.suffix in {".csv", ".gz", ".toml"}:
                shutil.copy(path, folder)
        return folder / demo.name

    return copy


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command in this process; gives exit code, standard output and error."""

    def call(*args):
        monkeypatch.setattr("sys.argv", ["patrolplan", *map(str, args)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        assert "an error in patrolplan itself" not in captured.err
        return ended.value.code or 0, captured.out, captured.err

    return call


@pytest.fixture(scope="session")
def demo_area(demo, once):
    """The demo borough, loaded once."""
    return once(pp.load_area, demo=demo)


@pytest.fixture(scope="session")
def static_demo_area(demo_area):
    """The demo borough with a risk that is the same in every minute; see `static_risk`."""
    return make_static(demo_area)


@pytest.fixture(scope="session")
def static_risk(static_demo_area):
    """That risk, estimated once."""
    return pp.estimate_risk(static_demo_area)


@pytest.fixture(scope="session")
def static_hotspots(static_demo_area, static_risk):
    """Hotspots of that risk, found once."""
    return pp.find_hotspots(static_demo_area, static_risk)


@pytest.fixture(scope="session")
def demo_risk(demo_area, once):
    """Risk of the demo borough, with all that moves it, estimated once."""
    return once(pp.estimate_risk, area=demo_area)


@pytest.fixture(scope="session")
def demo_hotspots(demo_area, demo_risk, once):
    """Hotspots of the demo borough, found once."""
    return once(pp.find_hotspots, area=demo_area, risk=demo_risk)


@pytest.fixture(scope="session")
def demo_plan(demo_area, demo_risk, demo_hotspots, once):
    """Patrols of the demo borough, planned once."""
    return once(pp.plan_patrols, area=demo_area, risk=demo_risk, hotspots=demo_hotspots)


@pytest.fixture(scope="session")
def demo_week(demo_area, demo_plan, once):
    """A week of these patrols, planned once."""

    def plan_demo_week(area, plan):
        return pp.plan_week(area, plan, start=dt.date(2026, 11, 30))

    return once(plan_demo_week, area=demo_area, plan=demo_plan)


@pytest.fixture(scope="session")
def bloomsbury_area(shared):
    """Central London around Bloomsbury, loaded once."""
    return pp.load_area(shared / "examples" / "bloomsbury.toml")


@pytest.fixture(scope="session")
def bloomsbury_plan(bloomsbury_area):
    """Patrols of the six Bloomsbury schools, planned once."""
    risk = pp.estimate_risk(bloomsbury_area)
    hotspots = pp.find_hotspots(bloomsbury_area, risk)
    return pp.plan_patrols(bloomsbury_area, risk, hotspots)
