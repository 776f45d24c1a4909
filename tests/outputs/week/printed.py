"""Reading papers back."""

import io
import re
import shutil
import subprocess

import pypdf
import pytest


def letters(text):
    """Text without spaces: a line may break anywhere."""
    return "".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


def pages(pdf):
    """Letters of each page."""
    return [letters(page.extract_text()) for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]


def words_off_the_page(pdf):
    """Words that reach beyond their page's edge, as poppler sees them."""
    command = shutil.which("pdftotext")
    if command is None:
        pytest.skip("pdftotext, of poppler-utils, is not installed")
    made = subprocess.run(  # noqa: S603 - a fixed command on our own bytes
        [command, "-bbox", "-", "-"], input=pdf, capture_output=True, check=True
    )
    found = []
    for page in made.stdout.decode().split("<page ")[1:]:
        width, height = (float(x) for x in re.findall(r'(?:width|height)="([\d.]+)"', page)[:2])
        for box in re.finditer(
            r'xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)<', page
        ):
            left, top, right, low = (float(value) for value in box.groups()[:4])
            if left < 0 or top < 0 or right > width or low > height:
                found.append(box.group(5))
    return found
