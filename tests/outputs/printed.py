"""Reading papers back."""

import re
import shutil
import subprocess

import pytest


def strip_spaces(text):
    """Text without spaces: a line may break anywhere."""
    return "".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


def read_pages(pdf):
    """Letters of each page, as poppler reads them."""
    return [strip_spaces(page) for page in _run_pdftotext(pdf, "-raw").split("\f")[:-1]]


def _run_pdftotext(pdf, *options):
    command = shutil.which("pdftotext")
    if command is None:
        pytest.skip("pdftotext, of poppler-utils, is not installed")
    made = subprocess.run(  # noqa: S603 - a fixed command on our own bytes
        [command, *options, "-", "-"], input=pdf, capture_output=True, check=True
    )
    return made.stdout.decode()


def find_words_off_page(pdf):
    """Words that reach beyond their page's edge, as poppler sees them."""
    found = []
    for page in _run_pdftotext(pdf, "-bbox").split("<page ")[1:]:
        width, height = (float(x) for x in re.findall(r'(?:width|height)="([\d.]+)"', page)[:2])
        for box in re.finditer(
            r'xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)<', page
        ):
            left, top, right, low = (float(value) for value in box.groups()[:4])
            if left < 0 or top < 0 or right > width or low > height:
                found.append(box.group(5))
    return found
