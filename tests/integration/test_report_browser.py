"""The report for people in a real browser: drawn, quiet, usable, harmless, and fit to print."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chromium
import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe
from built_shop import Shop
from playwright.sync_api import Browser, Page, sync_playwright

# Beside what Playwright passes of itself, such as to have no window and to load nothing unasked.
FLAGS = ["--disable-gpu", "--disable-quic"]
WIDTHS = {"phone": 390, "desktop": 1280}
COLOURS = ("light", "dark")
HOSTILE = "</script></style><img src=x onerror=\"document.title='taken'\"><b onclick=alert(1)>"
# What the page calls: a name that comes from the data, wherever it stands.
RENAMED = {
    "customer_tiers": "tier",
    "customer_rfm": "rfm_segment",
    "tier_movements": "to_tier",
    "customer_lifecycle": "lifecycle_stage",
    "action_plan": "action",
    "model_metrics": "candidate",
    "model_health": "reason",
    "data_quality": "subject",
    "orders_cleaned": "currency",
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium.installed(), args=FLAGS)
        yield opened
        opened.close()


def written(warehouse: Path, page: Path) -> Path:
    """The report as the command writes it, in a process of its own."""
    command = Path(sys.executable).with_name("customer-value")
    arguments = ["report", "--database", str(warehouse), "--html", str(page)]
    finished = subprocess.run([command, *arguments], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return page


@pytest.fixture(scope="module")
def report(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(shop.after, tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture(scope="module")
def hostile_report(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same shop, whose tiers, segments, models, columns and currency have hostile names."""
    folder = tmp_path_factory.mktemp("hostile")
    warehouse = folder / "customer_value.duckdb"
    shutil.copy(shop.after, warehouse)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("use customer_value.customer_value")
        for table, column in RENAMED.items():
            connection.execute(
                f"update {table} set {column} = coalesce({column}, '') || $name", {"name": HOSTILE}
            )
        connection.execute("update model_health set advice = 'retrain'")
        connection.execute("update data_quality set severity = 'warn' where warn_threshold > 0")
    return written(warehouse, folder / "report.html")


class Visit:
    """A page that was opened, and what it said and asked for meanwhile."""

    def __init__(self, browser: Browser, path: Path, **options: Any) -> None:
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page: Page = browser.new_page(**options)
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.accept()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())

    def __enter__(self) -> Page:
        """The page, to look at."""
        return self.page

    def __exit__(self, *_: object) -> None:
        """Close it; it was quiet, and asked for nothing but itself."""
        self.page.close()
        assert self.said == []
        away = [url for url in self.asked if not url.startswith(("file:", "data:"))]
        assert away == []
        assert sum(url.startswith("file:") for url in self.asked) == 1


@pytest.mark.parametrize("colours", COLOURS)
@pytest.mark.parametrize("device", WIDTHS)
def test_every_chart_is_drawn_within_the_page(
    browser: Browser, report: Path, device: str, colours: str
) -> None:
    width = WIDTHS[device]
    size = {"width": width, "height": 900}
    with Visit(browser, report, viewport=size, color_scheme=colours) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        pictures = page.locator("figure img").all()
        assert len(pictures) >= 9
        for picture in pictures:
            box = picture.bounding_box()
            assert box is not None
            assert box["width"] > 0.8 * min(width, 856)
            assert 40 < box["height"] < 1200
            assert 0 <= box["x"] <= box["x"] + box["width"] <= width
            # A picture that can't be read has no size of its own; a blank one has one colour.
            assert picture.evaluate("image => image.complete && image.naturalWidth > 300")
            assert _colour_count(picture.screenshot()) > 3


def _colour_count(png: bytes) -> int:
    import io  # noqa: PLC0415

    from PIL import Image  # noqa: PLC0415

    colours = Image.open(io.BytesIO(png)).convert("RGB").getcolors(1_000_000)
    return len(colours or ())


@pytest.mark.parametrize("colours", COLOURS)
def test_axe_finds_nothing_to_complain_of(browser: Browser, report: Path, colours: str) -> None:
    with Visit(browser, report, color_scheme=colours) as page:
        # Tables too, which are folded at first.
        page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        found = Axe().run(page).response
        assert len(found["passes"]) > 15
        assert [violation["id"] for violation in found["violations"]] == []


def test_letters_in_pictures_stand_out_from_the_paper(browser: Browser, report: Path) -> None:
    """Axe does not look into images: the page's paper against the colours of their letters."""
    from customer_value.report.page import drawing  # noqa: PLC0415

    for colours in COLOURS:
        with Visit(browser, report, color_scheme=colours) as page:
            paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        red, green, blue = (int(part) for part in paper[4:-1].split(","))
        for ink in (drawing.INK, drawing.QUIET):
            shown = ink if colours == "light" else drawing.DARK[ink]
            assert _contrast(shown, f"#{red:02x}{green:02x}{blue:02x}") >= 4.5
        pale = [*drawing.RAMP[: drawing.STRONG_FROM], drawing.FAINT, drawing.LIGHT_BLUE]
        pale.append(drawing.PALE_ORANGE)
        for letters, grounds in (
            (drawing.ON_PALE, pale),
            (drawing.ON_STRONG, drawing.RAMP[drawing.STRONG_FROM :]),
        ):
            for ground in grounds:
                pair = (letters, ground)
                if colours == "dark":
                    pair = (drawing.DARK[letters], drawing.DARK[ground])
                assert _contrast(*pair) >= 4.5, (colours, ground)


def _contrast(one: str, other: str) -> float:
    """Of two colours, as WCAG 2.1 defines it."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_all_of_it_can_be_reached_by_keyboard(browser: Browser, report: Path) -> None:
    # Without the smooth way there: focus is where it is at once.
    with Visit(browser, report, reduced_motion="reduce") as page:
        first = page.evaluate("document.querySelectorAll('details').length")
        reached = set()
        for _ in range(300):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.outerHTML.slice(0, 160)"))
        links = page.evaluate("document.querySelectorAll('a').length")
        assert sum(text.startswith("<summary") for text in reached) == first
        assert sum(text.startswith("<a") for text in reached) == links
        summary = page.locator("summary").first
        summary.focus()
        page.keyboard.press("Enter")
        assert page.locator("details table").first.is_visible()
        outline = summary.evaluate("part => getComputedStyle(part).outlineStyle")
        assert outline == "solid"
        page.locator(".skip").focus()
        assert (page.locator(".skip").bounding_box() or {"y": -1})["y"] >= 0
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"


def test_motion_is_left_out_for_who_asks_for_less(browser: Browser, report: Path) -> None:
    with Visit(browser, report, reduced_motion="reduce") as page:
        asked = "getComputedStyle(document.documentElement).scrollBehavior"
        assert page.evaluate(asked) == "auto"


@pytest.mark.parametrize("device", WIDTHS)
def test_hostile_names_do_nothing_and_are_shown(
    browser: Browser, hostile_report: Path, device: str
) -> None:
    size = {"width": WIDTHS[device], "height": 900}
    with Visit(browser, hostile_report, viewport=size) as page:
        assert page.title().startswith("Customer value, ")
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[device]
        assert page.locator("b, script, img[src='x']").count() == 0
        assert HOSTILE in (page.locator("body").text_content() or "")
        for picture in page.locator("figure img").all():
            assert picture.evaluate("image => image.complete && image.naturalWidth > 300")


def test_the_policy_stops_a_script_that_got_in_all_the_same(
    browser: Browser, report: Path, tmp_path: Path
) -> None:
    """As if escaping had failed once."""
    path = tmp_path / "taken.html"
    html = report.read_text(encoding="utf-8")
    path.write_text(
        html.replace("</h1>", "</h1><img src=data: onerror=\"document.title='taken'\">")
    )
    page = browser.new_page()
    page.goto(path.as_uri())
    assert page.title().startswith("Customer value, ")
    page.close()


def test_it_prints_on_paper(browser: Browser, report: Path) -> None:
    with Visit(browser, report, color_scheme="dark") as page:
        pdf = page.pdf(format="A4", prefer_css_page_size=True)
        assert pdf.startswith(b"%PDF")
        assert 4 <= pdf.count(b"/Type /Page\n") <= 20
        page.emulate_media(media="print")
        assert not page.locator("nav").is_visible()
        assert not page.locator("summary").first.is_visible()
        ink = page.evaluate("getComputedStyle(document.body).color")
        assert ink == "rgb(0, 0, 0)"


def test_no_customer_is_in_it(shop: Shop, report: Path) -> None:
    html = report.read_text(encoding="utf-8")
    assert not [
        customer_id
        for (customer_id,) in shop.rows("select customer_id from customers")
        if f">{customer_id}<" in html
    ]


def test_figures_are_those_that_the_text_report_gives(shop: Shop, report: Path) -> None:
    command = Path(sys.executable).with_name("customer-value")
    asked = [command, "report", "--json", "--database", str(shop.after)]
    told = json.loads(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
    html = report.read_text(encoding="utf-8")
    assert f"{told['customers']['customer_count']:,}" in html
    for tier in told["tiers"]:
        assert f"{tier['customer_count']:,}" in html
        assert f"{tier['predicted_value']:,.2f}" in html
