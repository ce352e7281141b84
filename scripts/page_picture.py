"""Draw docs/page.png, the picture of the README: the top of a run's page and the threshold to move, side by side.

scripts/page_picture.py RUN, in an environment with the extra dev, on a machine with chromium.
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "page.png"
WIDTH, HEIGHT = 860, 1120  # of each of the two parts
PLACES = ("body", "#cut")  # where the parts begin
COLOURS = 160


def part(page: Page, place: str) -> Image.Image:
    """The stretch of the page that begins at this place."""
    top = page.locator(place).first.evaluate("element => element.getBoundingClientRect().top + window.scrollY")
    clip = {"x": 0, "y": max(top - 10, 0), "width": WIDTH, "height": HEIGHT}
    return Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip)))


def draw(report: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(report.resolve().as_uri())
        parts = [part(page, place) for place in PLACES]
        browser.close()
    both = Image.new("RGB", (len(parts) * WIDTH, HEIGHT), "white")
    for place, image in enumerate(parts):
        both.paste(image, (place * WIDTH, 0))
    both.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE).save(PICTURE, optimize=True)


if __name__ == "__main__":
    draw(Path(sys.argv[1]) / "report.html")
