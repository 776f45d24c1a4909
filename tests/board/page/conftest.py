"""The board in a browser: a server of its own, and windows that watch themselves."""

import json
import re
from dataclasses import dataclass, field
from itertools import product

import pytest
from board.speech import TOKEN, get_key, list_patrols, pick_slot, serve
from page_visits import open_chromium
from playwright.sync_api import Page, expect

from patrolplan.board.board import Board
from patrolplan.board.requests import ChangeRequest, CheckRequest

DESKTOP_SIZE = {"width": 1366, "height": 768}
PHONE_SIZE = {"width": 390, "height": 844}
SMALL_PHONE_SIZE = {"width": 360, "height": 740}
SIZES = pytest.mark.parametrize("size", [DESKTOP_SIZE, PHONE_SIZE], ids=["desk", "phone"])
WAIT_MILLISECONDS = 15_000
MAX_TABS = 250
expect.set_options(timeout=WAIT_MILLISECONDS)
AXES = (
    ("#grid tbody tr", "rows => rows.map(row => row.querySelector('.cell').dataset.urn)"),
    ("#grid thead [data-date]", "days => days.map(day => day.dataset.date)"),
)


@dataclass
class ServedBoard:
    """A board that is served."""

    board: Board
    port: int

    def state(self):
        """What the page receives, as plain JSON values."""
        return json.loads(json.dumps(self.board.build_state()))

    def patrols(self):
        """Every patrol of the week as it stands."""
        return list_patrols(self.state())

    def read_saved_keys(self):
        """Day, school and officer of every patrol in the week's file."""
        path = self.board.shared.store.folder / "week.json"
        return set(map(get_key, json.loads(path.read_text(encoding="utf-8"))["patrols"]))

    def slots(self):
        """Officer, school and day of each patrol."""
        return list(map(pick_slot, self.patrols()))

    def change(self, change):
        """Make a change as another window would."""
        request = {"version": self.board.shared.version, "change": change}
        self.board.change(ChangeRequest.model_validate_json(json.dumps(request)))

    def check(self, change):
        """Whether a change can be."""
        return self.board.check(CheckRequest.model_validate_json(json.dumps({"change": change})))

    def find_first(self, changes, *, can=True):
        """The first of these changes that can, or cannot, be."""
        return next(change for change in changes if self.check(change)["ok"] is can)

    def list_additions(self):
        """Every officer in every cell without a patrol."""
        state = self.state()
        cells = [(one["urn"], *cell) for one in state["schools"] for cell in one["cells"].items()]
        free = [{"urn": urn, "date": day} for urn, day, cell in cells if not cell["patrols"]]
        names = [row["officer"] for row in state["officers"]]
        return [{"kind": "add", "officer": name, **cell} for cell in free for name in names]

    def list_moves(self):
        """Every patrol to every cell without one."""
        free = dict.fromkeys((one["urn"], one["date"]) for one in self.list_additions())
        pairs = product(self.slots(), [{"urn": urn, "date": day} for urn, day in free])
        return [{"kind": "move", "from": key, "to": key | cell} for key, cell in pairs]


@dataclass
class Window:
    """One window on the board; notes what it asks for and complains of."""

    page: Page
    address: str
    token: str = TOKEN
    requested_urls: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def __post_init__(self):
        page = self.page
        page.on("request", lambda request: self.requested_urls.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self._record_console(message.type, message.text))
        page.goto(f"{self.address}?token={TOKEN}")
        expect(page.locator("#status")).to_have_text("The week is ready.")

    def _record_console(self, kind, text):
        # A browser logs every answer that refuses something; refusals are part of the board.
        if not text.startswith("Failed to load resource"):
            self.errors.append(f"{kind}: {text}")

    def assert_quiet(self):
        """Check that requests went to the board only and no script or policy complained."""
        own, asked = (self.address, "data:"), self.requested_urls
        assert [*self.errors, *(url for url in asked if not url.startswith(own))] == []

    def chip(self, key):
        """A patrol in the week; pressed it opens its menu."""
        return self.page.locator(f'[data-focus="p|{key["date"]}|{key["urn"]}|{key["officer"]}"]')

    def add(self, urn):
        """What adds a patrol at a school."""
        return self.page.locator(f'[data-focus="a|{urn}"]')

    def empty(self, key):
        """A cell of the week without a patrol."""
        return self.page.locator(f'[data-focus="c|{key["date"]}|{key["urn"]}"]')

    def press(self, name):
        """Press the button of this name."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def lock(self, key):
        """Lock a patrol in its menu."""
        self.chip(key).click()
        self.press("Lock")
        self.expect_locked(key)

    def expect_locked(self, key):
        """Wait until a patrol is locked."""
        expect(self.chip(key)).to_have_accessible_name(self.match_text("locked"))

    def open_more(self):
        """Open the map and the lists, unless they are open."""
        if self.page.locator("#beyond").is_hidden():
            self.press("More")
        expect(self.page.locator(".sign.school:not(.from)").first).to_be_attached()

    def cell(self, key):
        """A cell of the week."""
        return self.page.locator(f'.cell[data-urn="{key["urn"]}"][data-date="{key["date"]}"]')

    def officer(self, name):
        """An officer below the week."""
        return self.page.locator(f'#crew [data-officer="{name}"]')

    def drag(self, source, target):
        """Drag by mouse, in steps as a hand does."""
        (x, y), (to_x, to_y) = self.find_middle(source), self.find_middle(target)
        mouse = self.page.mouse
        mouse.move(x, y)
        mouse.down()
        mouse.move(x + 12, y + 4)
        mouse.move(to_x, to_y, steps=4)
        mouse.up()

    def walk_to(self, target):
        """Go to a cell by arrow keys, from the one that has the focus."""
        urns, days = (self.page.eval_on_selector_all(where, script) for where, script in AXES)
        here = self.page.evaluate("({...document.activeElement.closest('.cell').dataset})")
        across = days.index(target["date"]) - days.index(here["date"])
        down = urns.index(target["urn"]) - urns.index(here["urn"])
        for forth, back, count in (("Right", "Left", across), ("Down", "Up", down)):
            for _ in range(abs(count)):
                self.page.keyboard.press(f"Arrow{forth if count > 0 else back}")
        there = self.page.evaluate("({...document.activeElement.closest('.cell').dataset})")
        assert (there["urn"], there["date"]) == (target["urn"], target["date"])

    def tab_to(self, selector, *, text="", backwards=False):
        """Press Tab until what is sought has the focus."""
        is_there = """([selector, text]) => {
          const at = document.activeElement;
          return at.matches(selector) && at.textContent.startsWith(text);
        }"""
        for _ in range(MAX_TABS):
            self.page.keyboard.press("Shift+Tab" if backwards else "Tab")
            if self.page.evaluate(is_there, [selector, text]):
                return
        message = f"Tab never reaches {selector} {text}"
        raise AssertionError(message)

    def enter(self, selector, **how):
        """Press Tab until what is sought has the focus, then Enter."""
        self.tab_to(selector, **how)
        self.page.keyboard.press("Enter")

    def choose(self, key, text, part=".actions"):
        """Press a button in a patrol's menu, all by keyboard."""
        self.walk_to(key)
        self.page.keyboard.press("m")
        self.enter(f"#patrol {part} button", text=text)

    def find_middle(self, place):
        """Middle of an element on the screen."""
        place.scroll_into_view_if_needed()
        box = place.bounding_box()
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def match_text(self, text):
        """Anything with this text in it."""
        return re.compile(re.escape(text))

    def expect_message(self, text):
        """Wait for words in the line that screen readers read out."""
        expect(self.page.locator("#message")).to_contain_text(text)


@pytest.fixture(scope="module")
def chromium():
    """Open Chromium for a module, and close it for the next: only one may drive it at a time."""
    with open_chromium() as browser:
        yield browser


@pytest.fixture
def served(board):
    """Serve a board of a test's own."""
    with serve(board) as port:
        yield ServedBoard(board, port)


@pytest.fixture(scope="module")
def still(still_board):
    """Serve a board that no test of a module changes."""
    with serve(still_board) as port:
        yield ServedBoard(still_board, port)


@pytest.fixture
def open_window(chromium):
    """Open windows of any size on a served board; at the end none may have complained."""
    contexts, windows = [], []

    def open_one(board, size=DESKTOP_SIZE, **options):
        touch = size["width"] < DESKTOP_SIZE["width"]
        context = chromium.new_context(viewport=size, has_touch=touch, locale="en-GB", **options)
        context.set_default_timeout(WAIT_MILLISECONDS)
        contexts.append(context)
        windows.append(Window(context.new_page(), f"http://127.0.0.1:{board.port}/"))
        return windows[-1]

    yield open_one
    for window in windows:
        window.assert_quiet()
    for context in contexts:
        context.close()


@pytest.fixture
def desk(open_window, served):
    """A window on a board of a test's own."""
    return open_window(served)
