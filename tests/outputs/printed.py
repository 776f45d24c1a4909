"""Reading papers back, what holds for the words on every map, and areas of other settings."""

import io
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from patrolplan.outputs.cartography.fonts import open_template_folder, typeset
from patrolplan.outputs.cartography.labels import compute_corners, find_overlaps
from patrolplan.outputs.cartography.symbols import STOP_RADIUS
from patrolplan.outputs.routes import KEEP_AWAY_MARK

ROUND_SIGNS = {"G", "B", KEEP_AWAY_MARK, *map(str, range(1, 10))}
HOSTILE = 'St. <script>alert(1)</script> & "Søn\'s" \u2013 École #read("settings.toml") #[*bold*] '
HOSTILE += "$x$"
DOTS = 72  # an inch: a point of the page is a dot of the picture


def strip_spaces(text):
    """Text without spaces: a line may break anywhere."""
    return "".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


def read_pages(pdf):
    """Letters of each page, as poppler reads them."""
    return [strip_spaces(page) for page in _run_pdftotext(pdf, "-raw").split("\f")[:-1]]


def typeset_pictures(*maps):
    """Maps as PDF pages of their sizes, each the only thing on its page."""
    with open_template_folder() as folder:
        root = Path(folder)
        page = "#set page(width: auto, height: auto, margin: 0pt)\n"
        for number, svg in enumerate(maps):
            (root / f"{number}.svg").write_bytes(svg)
            page += f'#page(image("{number}.svg", alt: "map"))\n'
        (root / "page.typ").write_text(page, encoding="utf-8")
        return typeset(root, "page.typ", {})


def rendered(pdf: bytes, *options: str) -> list[np.ndarray]:
    """Pages of a PDF as pictures, (rows, columns) in grey or (rows, columns, 3) in colour."""
    made = _run("pdftoppm", pdf, "-r", str(DOTS), *options, "-")
    stream, pages = io.BytesIO(made), []
    while kind := stream.readline().strip():
        width, height = (int(part) for part in stream.readline().split())
        stream.readline()
        shape = (height, width) if kind == b"P5" else (height, width, 3)
        pages.append(np.frombuffer(stream.read(int(np.prod(shape))), dtype=np.uint8).reshape(shape))
    return pages


def _run(tool, pdf, *options):
    command = shutil.which(tool)
    if command is None:
        pytest.skip(f"{tool}, of poppler-utils, is not installed")
    made = [command, *options]  # a fixed command on our own bytes
    return subprocess.run(made, input=pdf, capture_output=True, check=True).stdout  # noqa: S603


def _run_pdftotext(pdf, *options):
    return _run("pdftotext", pdf, *options, "-", "-").decode()


def find_words_off_page(pdf):
    """Words that reach beyond their page's edge, as poppler sees them."""
    found = []
    for page in _run_pdftotext(pdf, "-bbox").split("<page ")[1:]:
        width, height = (float(x) for x in re.findall(r'(?:width|height)="([\d.]+)"', page)[:2])
        box = r'xMin="(.*?)" yMin="(.*?)" xMax="(.*?)" yMax="(.*?)">(.*?)<'
        for *sides, words in re.findall(box, page):
            left, top, right, low = map(float, sides)
            if left < 0 or top < 0 or right > width or low > height:
                found.append(words)
    return found


def assert_labels_apart(picture, *, round_signs=False):
    """No words overlap; round signs may overlap at the corners of their boxes."""
    touching = find_overlaps(picture.label_boxes, picture.label_boxes)
    if round_signs:
        sign = np.array([text in ROUND_SIGNS for text in picture.label_texts])
        apart = picture.label_boxes[:, None, :2] - picture.label_boxes[None, :, :2]
        near = np.hypot(apart[..., 0], apart[..., 1]) < 2 * STOP_RADIUS + 2
        touching = np.where(sign[:, None] & sign, near, touching)
    np.fill_diagonal(touching, val=False)
    assert not touching.any(), [picture.label_texts[row] for row in np.argwhere(touching)[0]]


def assert_on_map(viewport, boxes):
    """Boxes are entirely within the map."""
    edges = compute_corners(boxes)
    assert (edges >= 0).all()
    assert (edges <= viewport.size).all()


def change_settings(area, /, **sections):
    """The area with keys of some sections of its settings changed, without a check."""
    old = area.settings
    update = {name: getattr(old, name).model_copy(update=new) for name, new in sections.items()}
    return replace(area, settings=old.model_copy(update=update))
