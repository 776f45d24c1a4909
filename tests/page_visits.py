"""Pages opened in a browser with the network off: what they request, complain of and write."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}
PLACE = {"latitude": 51.531234, "longitude": 0.871567, "accuracy": 14}
"""Where the phone is."""

LISTENING = """
window.written = [];
let [line, canvas] = [null, null];
const place = (pen, x = 0, y = 0) => {
  const { a, d, e, f } = pen.getTransform();
  const scale = pen.canvas.width / parseFloat(pen.canvas.style.width);
  return L.DomUtil.getPosition(pen.canvas).add([(x * a + e) / scale, (y * d + f) / scale]);
};
const { arc, fillText } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.arc = function (x, y, r, ...rest) {
  if (r === 2.5) line = place(this, x, y);
  return arc.call(this, x, y, r, ...rest);
};
CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
  if (canvas !== this.canvas) window.written = [];
  canvas = this.canvas;
  const middle = place(this);
  const at = line ?? middle;
  line = null;
  const [here, next] = [at, at.add([1, 0])].map((point) => map_patrol.layerPointToLatLng(point));
  const { x, y } = map_patrol.layerPointToContainerPoint(middle);
  const { a, b } = this.getTransform();
  window.written.push({
    text, longitude: here.lng, latitude: here.lat, pixel: map_patrol.distance(here, next),
    x, y, width: this.measureText(text).width, angle: Math.atan2(b, a),
    size: parseFloat(this.font.split(" ")[1]),
  });
  return fillText.call(this, text, ...rest);
};
"""
"""Lists each word of the last drawing of a map: the place of its middle, or of the end of its line,
metres a pixel there, and its middle, width, angle and size on the screen."""


@contextmanager
def open_chromium() -> Iterator[Browser]:
    """Open the system's Chromium; without it the test is skipped."""
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed, so the page cannot be opened")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


class Visit:
    """A page opened with the network off; its requests and errors."""

    def __init__(self, page: Page, file: Path) -> None:
        self.page = page
        self.file = file
        self.requests: list[str] = []
        self.errors: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self.errors.append(message.text))

    def open(self, fragment: str = "") -> Page:
        """Go to the page."""
        self.page.goto(f"{self.file.as_uri()}{fragment}")
        return self.page

    def assert_quiet(self) -> None:
        """Check that only the file was requested, and no error was logged."""
        own = self.file.as_uri()
        requested = {url.split("#")[0] for url in self.requests}
        assert requested == {own}
        assert self.errors == []
