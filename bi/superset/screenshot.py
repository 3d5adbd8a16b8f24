"""Take a picture of a dashboard, as the documentation shows it, from a Superset that runs.

It fails, and writes nothing, if a chart shows an error. Run by the Python of Superset's own
environment: `make superset-screenshot`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

REPOSITORY = Path(__file__).resolve().parents[2]
WIDTH, HEIGHT = 1440, 900
# Of a whole page of charts, on a machine that has other things to do.
PATIENCE_MILLISECONDS = 240_000
# Beside what Playwright passes of itself, such as to have no window and to load nothing unasked.
FLAGS = ["--disable-gpu", "--disable-quic"]
ERRORS = "[data-test='error-alert'], .error-alert, .ant-alert-error"


def main() -> int:
    """Take the picture; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--login", type=Path, default=REPOSITORY / "build" / "superset" / "run" / "login.json"
    )
    parser.add_argument("--picture", type=Path, default=REPOSITORY / "docs" / "superset.png")
    parser.add_argument("--dashboard", default="customer-value", help="as it stands in its address")
    parser.add_argument("--tab", type=int, default=1, help="which of its tabs, if it has any")
    options = parser.parse_args()
    if not options.login.exists():
        print("superset: it is not running; `make superset` starts it.", file=sys.stderr)
        return 2
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("superset: chromium is not installed; apt-get install chromium.", file=sys.stderr)
        return 2
    view = View(options.dashboard, options.tab)
    problem = take(json.loads(options.login.read_text()), options.picture, browser, view)
    if problem:
        print(f"superset: {problem}", file=sys.stderr)
        return 1
    print(f"wrote {options.picture}")
    return 0


@dataclass(frozen=True)
class View:
    """A dashboard by the name in its address, and one of its tabs, if it has any."""

    dashboard: str = "customer-value"
    tab: int = 1


def take(
    login: dict[str, str],
    picture: Path,
    browser: str,
    view: View = View(),
    on_request: Callable[[str, str | None], None] = lambda _url, _body: None,
) -> str | None:
    """Log in, wait until every chart is drawn, and take the picture; what went wrong, if so.

    Args:
        login: address, user and password, as serve.py leaves them.
        picture: where the PNG goes.
        browser: path of a Chromium.
        view: what of it is to be seen.
        on_request: is told the address and the body of every request that the page makes.
    """
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=FLAGS)
        page = chromium.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        page.on("request", lambda request: on_request(request.url, request.post_data))
        page.goto(f"{login['address']}/login/")
        page.locator("#username, input[name=username]").first.fill(login["user"])
        page.locator("#password, input[name=password]").first.fill(login["password"])
        with page.expect_navigation():
            page.keyboard.press("Enter")
        address = f"{login['address']}/superset/dashboard/{view.dashboard}/"
        page.goto(f"{address}?standalone=1&show_filters=1")
        try:
            if view.tab > 1:
                page.locator("[role=tab]").nth(view.tab - 1).click()
            return _draw(page, picture)
        finally:
            chromium.close()


def _draw(page: Page, picture: Path) -> str | None:
    page.wait_for_selector(".dashboard-component-chart-holder:visible")
    # Until none that is to be seen is loading any more, and none begins to for a while.
    page.wait_for_function(
        """() => {
            const seen = selector => [...document.querySelectorAll(selector)]
                .filter(part => part.getClientRects().length > 0);
            const idle = seen(".loading, [data-test='loading-indicator']").length === 0
                && seen(".slice_container, .chart-slice").length > 0;
            window.idleSince = idle ? window.idleSince || Date.now() : 0;
            return idle && Date.now() - window.idleSince > 3000;
        }""",
        polling=250,
    )
    errors = page.locator(ERRORS).all_inner_texts()
    if errors:
        return "a chart shows an error: " + " | ".join(errors)
    height = page.evaluate(
        "Math.max(...[...document.querySelectorAll('.grid-content, .dashboard-content, #app')]"
        ".map(part => part.getBoundingClientRect().bottom + window.scrollY))"
    )
    page.set_viewport_size({"width": WIDTH, "height": int(height) + 8})
    # Charts fit themselves into the taller page.
    page.wait_for_timeout(3000)
    page.screenshot(path=str(picture), animations="disabled")
    return None


if __name__ == "__main__":
    sys.exit(main())
