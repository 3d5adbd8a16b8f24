"""Take the picture of the report that the documentation shows: docs/report.png.

With the page as its one argument, after `make report`:
.venv/bin/python tests/integration/screenshot_of_report.py build/report.html
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright
from test_report_browser import FLAGS

REPOSITORY = Path(__file__).resolve().parents[2]
WIDTH, HEIGHT = 1000, 1900


def main() -> int:
    """Take it from the page that the one argument names."""
    page_path = Path(sys.argv[1]).resolve()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(page_path.as_uri())
        page.screenshot(path=REPOSITORY / "docs" / "report.png")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
