"""Superset, as `make superset` starts it, asked for every chart while a refresh publishes."""

import http.cookiejar
import json
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import chromium
import own_environment
import pytest
import yaml
from built_shop import REFRESHES, REPOSITORY, Shop

SUPERSET = REPOSITORY / "bi" / "superset"
CHARTS = {
    chart["uuid"]: chart
    for chart in (
        yaml.safe_load(path.read_text()) for path in (SUPERSET / "customer_value/charts").iterdir()
    )
}
DECISIONS = yaml.safe_load(
    (SUPERSET / "customer_value/dashboards/customer_decisions.yaml").read_text()
)
# Of lines, events, campaigns and reviews, which the shop does not give: there, and empty.
OF_OTHER_INPUTS = frozenset(
    part["meta"]["uuid"]
    for part in DECISIONS["position"].values()
    if isinstance(part, dict) and part["type"] == "CHART" and "TAB-2" in part["parents"]
)
# No order of the last month stands out.
UNCHANGED = {"Which orders stand out?"}
PORT = 18088
READERS = 4
ROUNDS = 8
# Between two refreshes: many times as often as anybody refreshes, and long enough that even a busy
# machine opens a file in between.
PAUSE_SECONDS = 2


@dataclass
class Client:
    """One who has logged in."""

    address: str
    token: str
    opener: urllib.request.OpenerDirector = field(
        default_factory=lambda: urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )
    )

    def get(self, path: str) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.address}{path}")
        request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with self.opener.open(request, timeout=240) as answer:
                content: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            # What went wrong is in the answer and in Superset's own log.
            log = (REPOSITORY / "build" / "superset" / "run" / "superset.log").read_text()
            message = f"{path}: {error}\n{error.read().decode()[-2000:]}\n{log[-6000:]}"
            raise AssertionError(message) from error
        return content


@dataclass
class Running:
    """A Superset that shows a published warehouse."""

    python: Path
    published: Path
    login: dict[str, str]
    charts: dict[int, str] = field(default_factory=dict)

    def client(self) -> Client:
        body = {
            "username": self.login["user"],
            "password": self.login["password"],
            "provider": "db",
        }
        request = urllib.request.Request(
            f"{self.login['address']}/api/v1/security/login",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=240) as answer:
            return Client(self.login["address"], json.load(answer)["access_token"])

    def publish(self, warehouse: Path) -> None:
        """Replace the file in one step, as `customer-value refresh` does."""
        staged = self.published.with_name("staged")
        shutil.copy(warehouse, staged)
        staged.replace(self.published)

    def answers(self, client: Client, without: frozenset[str] = frozenset()) -> dict[str, Any]:
        """The rows of every chart, by its name in the repository."""
        asked = {number: uuid for number, uuid in self.charts.items() if uuid not in without}
        return {uuid: self.answer(client, number) for number, uuid in asked.items()}

    def answer(self, client: Client, chart: int) -> Any:
        (query,) = client.get(f"/api/v1/chart/{chart}/data/?force=true")["result"]
        assert query["error"] is None
        assert not query["is_cached"]
        return query["data"]


@pytest.fixture(scope="module")
def superset(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    environment = own_environment.made("superset", SUPERSET / "requirements.txt")
    published = tmp_path_factory.mktemp("published") / "customer_value.duckdb"
    shutil.copy(shop.before, published)
    serve = (sys.executable, str(SUPERSET / "serve.py"))
    started = subprocess.run(
        [*serve, "start", "--database", str(published), "--port", str(PORT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 0, started.stderr
    login = json.loads((environment / "run" / "login.json").read_text())
    assert login["password"] in started.stdout
    running = Running(environment / "bin" / "python", published, login)
    listed = running.client().get("/api/v1/chart/?q=(page_size:100,columns:!(id,uuid))")["result"]
    running.charts = {chart["id"]: chart["uuid"] for chart in listed}
    yield running
    subprocess.run([*serve, "stop"], check=True, capture_output=True)


def test_every_chart_of_the_files_is_there(superset: Running) -> None:
    assert sorted(superset.charts.values()) == sorted(CHARTS)


def test_charts_are_whole_while_a_refresh_publishes(superset: Running, shop: Shop) -> None:
    """Each answer is of one refresh or of the other, and in the end everyone sees the new one."""
    truths = []
    for warehouse in (shop.before, shop.after):
        superset.publish(warehouse)
        truths.append(superset.answers(superset.client()))
    before, after = truths
    assert OF_OTHER_INPUTS
    for uuid, chart in CHARTS.items():
        if uuid in OF_OTHER_INPUTS:
            assert before[uuid] == after[uuid] == [], chart["slice_name"]
            continue
        assert before[uuid], chart["slice_name"]
        # Or a mixture could not be told.
        is_changed = chart["slice_name"] not in UNCHANGED
        assert (before[uuid] != after[uuid]) == is_changed, chart["slice_name"]

    is_over = threading.Event()
    swaps = 0

    def publish() -> None:
        nonlocal swaps
        while not is_over.is_set():
            superset.publish((shop.before, shop.after)[swaps % 2])
            swaps += 1
            is_over.wait(PAUSE_SECONDS)

    def read(_reader: int) -> list[dict[str, Any]]:
        client = superset.client()
        return [superset.answers(client, OF_OTHER_INPUTS) for _ in range(ROUNDS // READERS)]

    publisher = threading.Thread(target=publish)
    publisher.start()
    try:
        with ThreadPoolExecutor(READERS) as readers:
            rounds = [answers for found in readers.map(read, range(READERS)) for answers in found]
    finally:
        is_over.set()
        publisher.join()
    assert swaps > ROUNDS
    assert len(rounds) == ROUNDS
    seen = {"before": 0, "after": 0}
    for answers in rounds:
        for uuid, answer in answers.items():
            assert answer in (before[uuid], after[uuid]), CHARTS[uuid]["slice_name"]
            seen["before" if answer == before[uuid] else "after"] += 1
    # Both were read, so that there was something to mix up.
    assert min(seen.values()) > 0, seen

    superset.publish(shop.after)
    assert superset.answers(superset.client()) == after


def test_run_id_is_that_of_the_refresh(superset: Running, shop: Shop) -> None:
    superset.publish(shop.after)
    (chart,) = (
        number
        for number, uuid in superset.charts.items()
        if CHARTS[uuid]["slice_name"] == "What do these figures stand on?"
    )
    rows = superset.answer(superset.client(), chart)
    assert {row["run_id"] for row in rows} == {f"refresh of {REFRESHES[-1]}"}


@pytest.mark.parametrize(
    ("dashboard", "tab"),
    [("customer-value", 1), ("customer-decisions", 1), ("customer-decisions", 2)],
)
def test_dashboards_are_drawn_in_chromium(
    superset: Running, tmp_path: Path, dashboard: str, tab: int
) -> None:
    chromium.installed()
    picture = tmp_path / "dashboard.png"
    login = REPOSITORY / "build" / "superset" / "run" / "login.json"
    drawn = subprocess.run(
        [
            *(str(superset.python), str(SUPERSET / "screenshot.py")),
            *("--login", str(login), "--picture", str(picture)),
            *("--dashboard", dashboard, "--tab", str(tab)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert drawn.returncode == 0, drawn.stderr
    # With charts on it; of the last one all are empty.
    assert picture.stat().st_size > (100_000 if tab == 1 else 20_000)


def test_what_is_wrong_with_the_database_is_said_in_a_sentence(tmp_path: Path) -> None:
    serve = (sys.executable, str(SUPERSET / "serve.py"), "start", "--database")
    for name, sentence in (
        ("customer_value.duckdb", "superset: there is no database "),
        ("shop.duckdb", "superset: the database is called shop.duckdb; "),
    ):
        if name == "shop.duckdb":
            (tmp_path / name).touch()
        refused = subprocess.run(
            [*serve, str(tmp_path / name)], capture_output=True, text=True, check=False
        )
        assert refused.returncode == 2
        assert refused.stderr.startswith(sentence)
        assert len(refused.stderr.splitlines()) == 1
