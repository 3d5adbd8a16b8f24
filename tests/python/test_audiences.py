"""Audiences: who is on which list, and that an export holds nothing but hashes of who may be."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from conftest import Build, Warehouse, orders_input
from customer_value import audiences, cli

# As Meta's documentation of customer information parameters prints it.
PUBLISHED_EMAIL = "john_smith@gmail.com"
PUBLISHED_HASH = "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"


@pytest.fixture(scope="module")
def built(
    build: Build, shop_orders: list[dict[str, object]], tmp_path_factory: pytest.TempPathFactory
) -> Warehouse:
    """The made-up shop with e-mail addresses and reviews, and a plan that holds some out."""
    folder = tmp_path_factory.mktemp("a shop")
    ids = sorted({str(order["customer_id"]) for order in shop_orders})
    emails = {id_: f" {id_.upper()}@Shop.Example" * bool(n % 3) for n, id_ in enumerate(ids)}
    # Of several, since some are held out.
    emails.update(dict.fromkeys(ids[6:16], " John_Smith@gmail.com\t"))
    write(folder / "customers.csv", [("customer_id", "email"), *emails.items()])
    reviews = [(i, "p", "2024-06-01", 1 if n % 5 == 0 else 5) for n, i in enumerate(ids)]
    names = ("customer_id", "product_id", "reviewed_at", "rating")
    write(folder / "reviews.csv", [names, *reviews])
    columns = ("discount_amount", "refund_amount", "channel")
    variables = {
        "action_holdout_share": 0.3,
        "inputs": {
            **orders_input(folder / "its orders.parquet", columns),
            "customers": {"path": str(folder / "customers.csv"), "columns": {"email": "email"}},
            "reviews": {"path": str(folder / "reviews.csv")},
        },
    }
    select = ("+audiences", "+tier_playbook", "+order_anomalies", "+satisfaction_retention")
    return build(shop_orders, variables=variables, select=select, database=Warehouse(folder))


@pytest.fixture
def listed(tmp_path: Path) -> Warehouse:
    """The tables and views that an export reads, and nothing else."""
    folder = tmp_path / "a shop"
    folder.mkdir()
    write(folder / "left out.csv", [("customer_id",), ("excluded",)])
    write(
        folder / "customers.csv",
        [
            ("customer_id", "email"),
            *(
                (name, f" {name.upper()}@Shop.Example")
                for name in ("ann", "ben", "erased", "merged")
            ),
            ("ann's old id", "ann@old.example"),
            ("cyd", "no address"),
            ("held", PUBLISHED_EMAIL),
            ("dot", "\tJohn_Smith@gmail.com "),
        ],
    )
    warehouse = Warehouse(folder)
    with duckdb.connect(str(warehouse.database)) as connection:
        connection.execute(f"""
            create schema customer_value.customer_value;
            create schema customer_value_internal;
            create table customer_value.customer_value.audiences as
            select audience_name, customer_id, sha256(customer_id) as customer_key,
                customer_id = 'held' as is_holdout, date '2024-07-01' as expires_date
            from (values ('one/list'), ('other')) as names (audience_name),
                (values ('ann'), ('ben'), ('cyd'), ('dot'), ('held'), ('erased'), ('merged'),
                    ('excluded')) as customers (customer_id)
            where audience_name = 'other' or customer_id <> 'ben';
            create view customer_value_internal.int_customer_value__customers_left_out as
            from read_csv('{folder}/left out.csv', header = true);
            create view customer_value_internal.stg_customer_value__customers as
            from read_csv('{folder}/customers.csv', header = true);
            create view customer_value_internal.int_customer_value__identities_merged as
            select 'ann''s old id' as customer_id, 'ann' as canonical_customer_id
            union all select 'erased too', 'merged';
        """)
    (tmp_path / "dbt_project.yml").write_text("name: shop\nvars: {inputs: {orders: {path: a}}}\n")
    write(tmp_path / "erased_customers.csv", [("customer_id",), ("erased",), ("erased too",)])
    return warehouse


def write(path: Path, rows: list[tuple[Any, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def exported(built: Warehouse, folder: Path, *arguments: str) -> dict[str, set[str]]:
    """The keys of each file that the command writes."""
    command = ["audiences", "--database", str(built.database), "--folder", str(folder)]
    assert cli.main([*command, *arguments]) == 0
    with duckdb.connect() as connection:
        return {
            path.stem: {key for key, _ in connection.execute(f"from '{path}'").fetchall()}
            for path in folder.iterdir()
        }


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.slow
def test_everybody_has_a_cell_of_the_playbook_and_lists_are_of_whom_they_say(
    built: Warehouse, tmp_path: Path
) -> None:
    customers = built.value("select count(*) from customers")
    assert built.value("select sum(customer_count) from tier_playbook") == customers
    in_cells = "select count(*) from audiences where audience_name like 'playbook%'"
    assert built.value(in_cells) == customers
    assert built.rows("""
        select distinct s.satisfaction_level, t.tier
        from audiences inner join customer_satisfaction as s using (customer_id)
        inner join customer_tiers as t using (customer_id)
        where audience_name = 'unhappy_vip'
    """) == [("dissatisfied", "vip")]
    assert built.rows("""
        select distinct lifecycle_stage from audiences
        inner join customer_lifecycle using (customer_id) where audience_name = 'win_back'
    """) == [("lapsed",)]
    # Nobody who is held out is on a list of the plan, and on the others it is said.
    assert built.rows("""
        select audience_name like 'planned%', bool_or(is_holdout) from audiences
        group by all order by all
    """) == [(False, True), (True, False)]
    wrong = """
        select count(*) from audiences
        where customer_key <> sha256(customer_id) or expires_date <= added_date or reason = ''
    """
    assert built.value(wrong) == 0

    lists = exported(built, tmp_path / "lists", "--key", "email", "--project", str(tmp_path))
    assert any(PUBLISHED_HASH in keys for keys in lists.values())
    files = "".join(path.read_text() for path in (tmp_path / "lists").iterdir()).lower()
    assert "@" not in files
    assert "customer-" not in files


def test_an_export_of_e_mails_holds_hashes_alone(listed: Warehouse, tmp_path: Path) -> None:
    assert sha256(PUBLISHED_EMAIL) == PUBLISHED_HASH
    lists = exported(listed, tmp_path / "lists", "--key", "email", "--project", str(tmp_path))
    ann = {sha256("ann@shop.example"), sha256("ann@old.example")}
    assert lists == {
        "one_list": ann | {PUBLISHED_HASH},
        "other": ann | {PUBLISHED_HASH, sha256("ben@shop.example")},
    }
    header = "email_sha256,expires_date"
    for path in (tmp_path / "lists").iterdir():
        assert path.read_text().splitlines()[0] == header
        assert "@" not in path.read_text()


def test_who_is_held_out_erased_or_excluded_is_in_no_file(
    listed: Warehouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Both have gone since the build: the table still holds them.
    options = ("--format", "parquet", "--project", str(tmp_path), "--json", "--audience", "other")
    lists = exported(listed, tmp_path / "lists", *options)
    assert lists == {"other": {sha256(name) for name in ("ann", "ben", "cyd", "dot")}}
    (told,) = json.loads(capsys.readouterr().out)
    assert {name: count for name, count in told.items() if name.endswith("count")} == {
        "written_count": 4,
        "holdout_count": 1,
        "erased_count": 3,
        "without_email_count": 0,
    }


def test_without_the_list_of_who_has_gone_nothing_is_written(
    listed: Warehouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (listed.folder / "left out.csv").unlink()
    folder = tmp_path / "lists"
    assert cli.main(["audiences", "--database", str(listed.database), "--folder", str(folder)]) == 2
    assert "Run this where dbt runs" in capsys.readouterr().err
    assert not folder.exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--audience", "nobody"), "There is no audience nobody; there are one/list, other."),
        (("--folder", "{full}"), "is not empty"),
        (("--database", "{full}/nothing.duckdb"), "There is no database"),
    ],
)
def test_what_cannot_be_written_is_said_in_a_sentence(
    listed: Warehouse,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    sentence: str,
) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "yesterday.csv").write_text("a")
    given = [argument.format(full=full) for argument in arguments]
    command = ["audiences", "--database", str(listed.database), "--folder", str(tmp_path / "new")]
    assert cli.main([*command, *given]) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
    assert [path.name for path in full.iterdir()] == ["yesterday.csv"]


def test_names_of_files_are_safe() -> None:
    names = ["a/../b", "..", "A b", "a b", "x" * 300, 'quote"s', "..."]
    stems = audiences.file_stems(names)
    assert len(set(stems)) == len(names)
    assert all(re.fullmatch("[a-z0-9_-]{1,110}", stem) for stem in stems)
