"""The page of a decision in a real browser: in light and dark, and what it may not do there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from agentci.report.html import TEMPLATES, decision_html
from agentci.report.transcripts import Report
from tests.support.command_line import ROOT
from tests.support.decisions import hostile_decision, rich_report

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.xdist_group("browser")]
PARTS = {name: (ROOT / "templates/report" / name).read_text() for name in TEMPLATES}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
READABLE = 4.5
"""Contrast of text, as WCAG 2.1 asks for at level AA (1.4.3)."""

_CONTRASTS = """
() => {
  const channel = v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const parse = text => text.match(/[0-9.]+/g).map(Number);
  const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
  const behind = node => {
    for (let at = node; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !node.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found.push([ratio, walker.currentNode.data.trim().slice(0, 40)]);
  }
  return found;
}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM)
        yield started
        started.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "report.html"


class Visit:
    """A page that was opened, and everything that it tried."""

    def __init__(self, browser: Browser, file: Path, scheme: Literal["light", "dark"]) -> None:
        self.page: Page = browser.new_page(
            viewport={"width": 1200, "height": 900}, color_scheme=scheme
        )
        self.requests: list[str] = []
        self.told: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.told.append(message.text))
        self.page.on("dialog", lambda dialog: self.told.append(dialog.message))
        self.page.on("pageerror", lambda error: self.told.append(str(error)))
        self.page.goto(file.as_uri())

    def open_everything(self) -> None:
        """Unfold all that is folded; by the protocol, as the page itself runs nothing."""
        self.page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_in_light_and_dark(
    browser: Browser, file: Path, scheme: Literal["light", "dark"]
) -> None:
    file.write_text(decision_html(rich_report(), templates=PARTS))
    visit = Visit(browser, file, scheme)
    assert visit.requests == [file.as_uri()]
    assert visit.told == []
    assert visit.page.get_by_role("heading", level=1).inner_text().startswith("Regression")
    assert visit.page.get_by_text("c020", exact=True).first.is_visible()
    assert not visit.page.get_by_text("Transcript at base").is_visible()
    visit.open_everything()
    assert visit.page.get_by_text("Transcript at base").is_visible()
    contrasts: list[tuple[float, str]] = visit.page.evaluate(_CONTRASTS)
    assert len(contrasts) > 200
    assert [each for each in contrasts if each[0] < READABLE] == []
    background = visit.page.evaluate("getComputedStyle(document.body).backgroundColor")
    shot = visit.page.screenshot(full_page=True)
    assert shot.startswith(b"\x89PNG")
    assert len(shot) > 50_000
    brightness = sum(int(part) for part in background[4:-1].split(",")) / 3
    assert (brightness > 128) is (scheme == "light")
    visit.page.close()


def test_intervals_are_drawn_to_their_right_length(browser: Browser, file: Path) -> None:
    file.write_text(decision_html(rich_report(), templates=PARTS))
    visit = Visit(browser, file, "light")
    drawing = visit.page.get_by_role("img", name="pass rate: -3.5 points, interval -12.6 to +5.0")
    box = drawing.bounding_box()
    span = drawing.locator(".span").first.bounding_box()
    point = drawing.locator(".dot").bounding_box()
    assert box is not None
    assert span is not None
    assert point is not None
    assert 0 < span["width"] < box["width"]
    middle = point["x"] + point["width"] / 2
    assert span["x"] < middle < span["x"] + span["width"]
    assert middle < box["x"] + box["width"] / 2
    visit.page.close()


@pytest.mark.parametrize("width", [390, 1200])
def test_nothing_sticks_out_of_the_window(browser: Browser, file: Path, width: int) -> None:
    for report in (rich_report(), Report(hostile_decision())):
        file.write_text(decision_html(report, templates=PARTS))
        visit = Visit(browser, file, "light")
        visit.page.set_viewport_size({"width": width, "height": 900})
        visit.open_everything()
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        visit.page.close()


def test_hostile_texts_do_nothing(browser: Browser, file: Path) -> None:
    file.write_text(decision_html(Report(hostile_decision()), templates=PARTS))
    visit = Visit(browser, file, "light")
    visit.open_everything()
    assert visit.requests == [file.as_uri()]
    assert visit.told == []
    assert visit.page.locator("script, img, a, iframe, form").count() == 0
    assert visit.page.get_by_text("<script>alert(1)</script>").first.is_visible()
    visit.page.close()


def test_the_policy_of_the_page_stops_what_a_mistake_of_ours_would_let_in(
    browser: Browser, file: Path
) -> None:
    text = decision_html(rich_report(), templates=PARTS)
    evil = "<script>alert(1)</script><img src='https://example.invalid/x.png'>"
    file.write_text(text.replace("</main>", f"{evil}</main>"))
    visit = Visit(browser, file, "light")
    assert all("Content Security Policy" in each for each in visit.told)
    assert len(visit.told) == 2
    visit.page.close()


def test_it_can_be_printed_with_what_is_folded(browser: Browser, file: Path) -> None:
    file.write_text(decision_html(rich_report(), templates=PARTS))
    visit = Visit(browser, file, "dark")
    visit.page.emulate_media(media="print")
    assert visit.page.get_by_text("Transcript at base").is_visible()
    assert visit.page.pdf().startswith(b"%PDF")
    visit.page.close()
