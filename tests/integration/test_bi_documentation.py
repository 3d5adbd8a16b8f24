"""What docs/bi.md shows is run: every snippet, in environments as a reader would have them."""

import json
import re
import subprocess
from pathlib import Path

import own_environment
import pytest
from built_shop import REPOSITORY, Shop

PAGE = (REPOSITORY / "docs" / "bi.md").read_text()
# By heading: what the snippet leaves behind, and the SQL by hand that says the same.
RESULTS = {
    "pandas": ("float(customers['net_amount'].sum())", "select sum(net_amount) from customers"),
    "Polars": (
        "sorted((tier, count) for tier, count, _ in tiers.iter_rows())",
        "select tier, count(*) from customer_tiers group by tier order by tier",
    ),
    "SQLAlchemy": (
        "sorted(tuple(row) for row in rows)",
        "select tier, count(*) from customer_tiers group by tier order by tier",
    ),
}


def snippets(language: str) -> dict[str, str]:
    """The snippets of a language by the heading that they stand under."""
    found = {}
    for section in re.split(r"^##+ ", PAGE, flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        for snippet in re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            assert heading not in found
            found[heading] = snippet
    return found


def test_every_snippet_has_a_result_to_check() -> None:
    assert snippets("python").keys() == RESULTS.keys()


@pytest.mark.parametrize("heading", RESULTS)
def test_snippet_reads_what_sql_by_hand_reads(shop: Shop, heading: str) -> None:
    environment = own_environment.made(
        "bi", REPOSITORY / "tests" / "integration" / "requirements-bi.txt"
    )
    expression, sql = RESULTS[heading]
    lines = f"{snippets('python')[heading]}\nimport json\nprint(json.dumps({expression}))\n"
    finished = subprocess.run(
        [str(environment / "bin" / "python"), "-W", "error", "-c", lines],
        env=shop.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    truth = shop.rows(sql)
    found = json.loads(finished.stdout.splitlines()[-1])
    if len(truth) == 1:
        assert found == pytest.approx(float(str(truth[0][0])), rel=1e-9)
    else:
        assert [tuple(row) for row in found] == truth


def test_every_table_that_is_named_is_there(shop: Shop) -> None:
    tables = {
        str(name)
        for (name,) in shop.rows(
            "select table_name from duckdb_tables() where schema_name = 'customer_value'"
        )
    }
    section = PAGE.split("## Which table for which question")[1].split("## Metrics")[0]
    named = {word.split(".")[0] for word in re.findall(r"`([a-z_.]+)`", section)}
    columns = {
        str(name)
        for (name,) in shop.rows(
            "select distinct column_name from duckdb_columns() where schema_name = 'customer_value'"
        )
    }
    assert named - columns <= tables
    assert len(named & tables) > 12


def test_every_metric_stands_on_the_page(shop: Shop) -> None:
    """With the description that the semantic layer gives it."""
    manifest = json.loads(Path(shop.project / "target" / "semantic_manifest.json").read_text())
    for metric in manifest["metrics"]:
        description = " ".join(metric["description"].split())
        assert f"| `{metric['name']}` | {description} |" in PAGE
    for query in manifest["saved_queries"]:
        assert f"`{query['name']}`" in PAGE
