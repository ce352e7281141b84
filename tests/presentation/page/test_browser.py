"""The page in a real browser: Debian's chromium, driven by playwright."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise

import pytest

from hepclf.words import number

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium to open the page in")

CLOSING = "</script><img src=x onerror=alert(2)>"
NASTY = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def chromium():
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium):
    """A function opening a page from disk; what it said and asked for is checked at the end."""
    contexts, heard, asked = [], [], []

    def open_(path, width=1280, **settings):
        contexts.append(chromium.new_context(viewport={"width": width, "height": 900}, **settings))
        tab = contexts[-1].new_page()
        tab.on("console", lambda message: heard.append(message.text))
        tab.on("pageerror", lambda error: heard.append(str(error)))
        tab.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(path.resolve().as_uri())
        return tab

    yield open_
    for context in contexts:
        context.close()
    assert heard == []
    assert [url for url in asked if not url.startswith(("data:", "file:"))] == []
    assert len([url for url in asked if url.startswith("file:")]) == len(contexts)


def live(tab, column):
    return tab.locator(f'[data-column="{column}"]').text_content()


def test_the_page_begins_with_the_numbers_of_the_verdict(results_of, write_page, opened):
    results = results_of(signed=True, threshold=0.6)
    tab, metrics = opened(write_page(results)), results.to_dict()["test"]
    assert live(tab, "cut") == f"{metrics['threshold']:.6g}"
    for truth, row in zip(("background", "signal"), metrics["confusion"], strict=True):
        for decision, weight in zip(("background", "signal"), row, strict=True):
            text = f"{weight:,.0f}" if weight >= 1000 else f"{weight:.4g}"
            assert live(tab, f"{truth}-{decision}") == f"{text} ({100 * weight / sum(row):.1f} %)"
    assert live(tab, "signal efficiency") == number(metrics["recall"], metrics["errors"]["recall"])
    assert live(tab, "purity of the selected") == number(metrics["precision"], metrics["errors"]["precision"])


def test_the_best_cut_shows_the_significance_of_the_verdict(results_of, write_page, opened):
    results = results_of(yields={"signal": 50.0, "background": 2000.0})
    tab, metrics = opened(write_page(results)), results.to_dict()["test"]["significance"]
    before = live(tab, "S")
    tab.get_by_role("button", name="best cut").click()
    assert live(tab, "cut") == f"{metrics['cut']:.6g}"
    assert before != live(tab, "S") == number(*metrics["s"].values(), 1)
    assert live(tab, "B") == number(*metrics["b"].values(), 1)
    shown = {"S/√B": "s_over_sqrt_b", "Asimov Z": "asimov", "Asimov Z with sigma_B": "asimov_systematic"}
    for column, name in shown.items():
        assert live(tab, column) == number(*metrics[name].values(), 2)
    assert tab.get_by_role("button", name="best cut").get_attribute("aria-pressed") == "true"


def test_the_slider_moves_every_number_and_the_drawing(results_of, write_page, opened):
    tab = opened(write_page(results_of()))
    table = json.loads(tab.locator("#data").text_content())
    columns = {name: live(tab, name) for name in table["columns"]}
    edge = tab.locator("#edge").get_attribute("x1")
    slider = tab.locator("#threshold")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    tab.mouse.click(box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2)
    row = table["columns"]["cut"].index(live(tab, "cut"))
    assert 0.7 < table["cuts"][row] < 0.9
    for name, words in table["columns"].items():
        assert live(tab, name) == words[row] != columns[name], name
    assert tab.locator("#edge").get_attribute("x1") != edge


def test_keys_and_buttons_step_from_cut_to_cut(results_of, write_page, opened):
    tab = opened(write_page(results_of()))
    table = json.loads(tab.locator("#data").text_content())
    words, start = table["columns"]["cut"], table["start"]
    slider = tab.locator("#threshold")
    for key, row in (
        ("ArrowRight", start + 1),
        ("ArrowLeft", start),
        ("End", len(words) - 1),
        ("PageUp", len(words) - 1),
    ):
        slider.press(key)
        assert live(tab, "cut") == words[row], key
    slider.press("Home")
    tab.get_by_role("button", name="a lower cut").click()
    assert live(tab, "cut") == words[0]
    tab.get_by_role("button", name="a higher cut").click()
    assert live(tab, "cut") == words[1]
    assert slider.get_attribute("aria-valuetext") == words[1]


def test_no_name_can_run_a_script(results_of, write_page, opened):
    texts = {"title": NASTY, "label": CLOSING, "command": CLOSING, "config": NASTY, "environment": {NASTY: CLOSING}}
    tab = opened(write_page(results_of((CLOSING, NASTY)), **texts))
    assert tab.locator("h1").text_content() == NASTY
    assert tab.title() == NASTY
    assert tab.locator("script").count() == 2
    tab.locator("#more").click()
    assert live(tab, "cut") != "0.5"


@pytest.mark.parametrize("classes", [("background", "signal"), ("qcd", "W", "a_class_of_a_rather_long_name")])
def test_nothing_is_wider_than_the_screen_or_too_narrow_to_read(results_of, write_page, opened, classes):
    yields = {name: 1.2345e8 / (i + 1) for i, name in enumerate(classes)}
    tab = opened(write_page(results_of(classes, signed=True, yields=yields)))
    for width in (380, 768, 1280):
        tab.set_viewport_size({"width": width, "height": 900})
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert tab.locator("img").first.bounding_box()["width"] <= width
        assert tab.locator(".confusion tbody th").first.bounding_box()["width"] >= 80


def test_the_contents_stand_at_the_side_where_there_is_room(results_of, write_page, opened):
    tab = opened(write_page(results_of()), width=1400)
    contents, header, main = (tab.locator(name) for name in (".contents", "header", "main"))
    assert contents.bounding_box()["x"] + contents.bounding_box()["width"] <= main.bounding_box()["x"]
    assert main.bounding_box()["x"] == header.bounding_box()["x"]
    main.locator("section").last.scroll_into_view_if_needed()
    assert contents.bounding_box()["y"] == 0
    tab.set_viewport_size({"width": 400, "height": 900})
    boxes = [locator.bounding_box() for locator in (header, contents, main)]
    assert len({box["x"] for box in boxes}) == 1
    assert all(upper["y"] + upper["height"] <= lower["y"] for upper, lower in pairwise(boxes))


def test_a_term_leads_to_its_explanation(results_of, write_page, opened):
    tab = opened(write_page(results_of()))
    tab.get_by_role("rowheader", name="log-loss").get_by_role("link").click()
    assert "ln 2 = 0.693" in tab.locator("dl div:target").text_content()


def colour(tab, selector, name):
    return tab.locator(selector).first.evaluate(f"element => getComputedStyle(element).{name}")


def test_dark_is_dark_and_pictures_stay_on_white(results_of, write_page, opened):
    page = write_page(results_of())
    light, dark = opened(page, color_scheme="light"), opened(page, color_scheme="dark")
    assert colour(light, "body", "backgroundColor") == "rgb(253, 253, 252)"
    assert colour(dark, "body", "backgroundColor") == "rgb(22, 24, 27)"
    assert colour(dark, ".card", "backgroundColor") == colour(light, ".card", "backgroundColor") == "rgb(255, 255, 255)"


def test_print_hides_what_cannot_be_pressed_and_opens_what_is_closed(results_of, write_page, opened):
    tab = opened(write_page(results_of(), config="a: 1"))
    assert not tab.get_by_text("a: 1").is_visible()
    tab.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    tab.emulate_media(media="print", color_scheme="dark")
    assert tab.get_by_text("a: 1").is_visible()
    assert not tab.locator("#threshold").is_visible()
    assert not tab.locator("nav").is_visible()
    assert colour(tab, "body", "backgroundColor") == "rgb(255, 255, 255)"
    tab.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert not tab.get_by_text("a: 1").is_visible()


def test_without_scripts_the_numbers_of_the_verdict_stand(results_of, write_page, opened):
    results = results_of()
    tab = opened(write_page(results), java_script_enabled=False)
    assert live(tab, "cut") == "0.5"
    assert live(tab, "purity of the selected") == number(*results.test.precision)
