"""The guided start: what it recognises, what it refuses to guess, and what it writes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from conftest import ONLINE_RETAIL, PROJECT
from customer_value import cli
from customer_value.guided_start.input_names import INPUTS

PROJECT_FILE = """# A shop.
name: shop
vars:
  other: 1  # stays

models:
  shop: {+materialized: view}
"""


def orders_csv(
    rows: Sequence[str] = (), header: str = "order_id,customer_id,ordered_at,amount"
) -> str:
    given = rows or [f"A{n},c{n % 7},2024-01-{1 + n % 28:02d},{n}.50" for n in range(40)]
    return "\n".join([header, *given]) + "\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dbt project that is the working folder."""
    (tmp_path / "dbt_project.yml").write_text(PROJECT_FILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """What init says as JSON, nothing being written."""
    assert cli.main(["init", *arguments, "--dry-run", "--json"]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def columns_of(said: dict[str, Any], position: int = 0) -> dict[str, str]:
    return {item["name"]: item["expression"] for item in said["inputs"][position]["columns"]}


def column_of(said: dict[str, Any], name: str) -> dict[str, Any]:
    found_column: dict[str, Any] = next(
        item for item in said["inputs"][0]["columns"] if item["name"] == name
    )
    return found_column


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The sentence that init stops with."""
    assert cli.main(["init", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("customer-value: ")
    assert "Traceback" not in error
    assert error.count("\n") == 1
    return error.removeprefix("customer-value: ").strip()


def written_inputs(folder: Path) -> dict[str, Any]:
    project = yaml.safe_load((folder / "dbt_project.yml").read_text())
    inputs: dict[str, Any] = project["vars"]["customer_value"]["inputs"]
    return inputs


@pytest.mark.parametrize(
    "header",
    [
        "order_id,customer_id,ordered_at,amount",
        "InvoiceNo,CustomerID,InvoiceDate,Total Amount",
        "Order Number,Client ID,order_date,GRAND_TOTAL",
        "Bestellnummer,Kundennummer,Bestelldatum,Gesamtbetrag",
        "numero_pedido,numero_cliente,fecha_pedido,importe",
        "N° commande,Numéro client,Date de commande,Montant",
    ],
)
def test_recognises_orders_by_their_names(
    folder: Path, capsys: pytest.CaptureFixture[str], header: str
) -> None:
    (folder / "shop.csv").write_text(orders_csv(header=header))
    said = found(capsys, "shop.csv")
    assert said["inputs"][0]["input"] == "orders"
    names = [expression.strip('"') for expression in columns_of(said).values()]
    assert names == header.split(",")
    assert said["inputs"][0]["usable_count"] == 40


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("order_id,sku,qty,price,client_id,order_date", "{half},p{n},2,9.5,c{half},2024-01-05",
         "order_lines"),
        ("customer_id,email,signup_date", "c{n},c{n}@example.com,2024-01-05", "customers"),
        ("user_id,event_time,event_type", "u{half},2024-01-05 10:00:00,view", "events"),
        ("customer_id,campaign_id,sent_at,treatment", "c{n},spring,2024-01-05,control",
         "campaign_contacts"),
        ("user_id,product_id,review_date,stars", "u{half},p{n},2024-01-05,4", "reviews"),
    ],
)  # fmt: skip
def test_recognises_each_input(
    folder: Path, capsys: pytest.CaptureFixture[str], header: str, row: str, expected: str
) -> None:
    rows = [row.format(n=n, half=n // 2) for n in range(60)]
    (folder / "it.csv").write_text(orders_csv(rows, header))
    said = found(capsys, "it.csv")
    assert said["inputs"][0]["input"] == expected
    assert len(columns_of(said)) == len(header.split(","))


def test_reads_a_german_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"B{n};{n % 9:05d};{1 + n % 28}.3.2024 9:{n % 60:02d};1.{n:03d},50" for n in range(50)]
    text = "\r\n".join(["Bestellnummer;Kundennummer;Bestelldatum;Betrag", *rows])
    (folder / "de.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    said = found(capsys, "de.csv")
    columns = columns_of(said)
    assert columns["ordered_at"] == "try_strptime(Bestelldatum, '%d.%m.%Y %H:%M')"
    assert columns["amount"] == "replace(replace(Betrag, '.', ''), ',', '.')"
    assert said["inputs"][0]["first_rows"][3] == {
        "order_id": "B3",
        "customer_id": "00003",
        "ordered_at": "2024-03-04 09:03:00",
        "amount": "1003.50",
    }


def test_infers_the_order_of_day_and_month_from_the_days(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"A{n},c{n % 7},3/{1 + n % 28}/2024 8:26,5" for n in range(40)]
    (folder / "us.csv").write_text(orders_csv(rows))
    ordered_at = column_of(found(capsys, "us.csv"), "ordered_at")
    assert ordered_at["expression"] == "try_strptime(ordered_at, '%m/%d/%Y %H:%M')"
    assert ordered_at["choices"] == []


@pytest.mark.parametrize("clock", ["", " 8:26"])
def test_leaves_an_undecidable_order_of_day_and_month_as_a_commented_choice(
    folder: Path, capsys: pytest.CaptureFixture[str], clock: str
) -> None:
    rows = [f"A{n},c{n % 7},{1 + n % 12:02d}/03/2024{clock},5" for n in range(40)]
    (folder / "odd.csv").write_text(orders_csv(rows))
    said = found(capsys, "odd.csv")
    ordered_at = column_of(said, "ordered_at")
    assert len(ordered_at["choices"]) == 1
    assert "day and month" in ordered_at["choices"][0]["reason"]
    assert re.search(r"^ +# ordered_at: ['\"]", said["yaml"], re.MULTILINE)
    # The two choices differ, and both can be read.
    with duckdb.connect() as connection:
        choices = [ordered_at["expression"], ordered_at["choices"][0]["expression"]]
        days = [
            connection.execute(f"select min({choice})::date from 'odd.csv'").fetchall()
            for choice in choices
        ]
    assert days[0] != days[1]


def test_shows_both_of_two_columns_that_fit_alike(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"#{n},{90000 + n},c{n % 7},2024-01-{1 + n % 28:02d},5" for n in range(80)]
    (folder / "two.csv").write_text(orders_csv(rows, "Name,Id,Email,Created at,Total"))
    order_id = column_of(found(capsys, "two.csv"), "order_id")
    assert order_id["expression"] == "Name"
    assert [choice["expression"] for choice in order_id["choices"]] == ["Id"]


def test_keeps_leading_zeros_and_takes_the_fraction_off_whole_doubles(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"{n:05d},{17850 + n % 7}.0,2024-01-05,5.25" for n in range(40)]
    (folder / "ids.csv").write_text(orders_csv(rows))
    said = found(capsys, "ids.csv")
    assert columns_of(said)["customer_id"] == "try_cast(customer_id as bigint)"
    first = said["inputs"][0]["first_rows"][0]
    assert (first["order_id"], first["customer_id"]) == ("00000", "17850")


def test_adds_discounts_to_a_total_that_is_after_them(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"A{n},c{n % 7},2024-01-05 10:00:00 -0500,{n % 9}.00,4.00" for n in range(40)]
    header = "order_id,customer_id,created_at,Total,Discount Amount"
    (folder / "net.csv").write_text(orders_csv(rows, header))
    said = found(capsys, "net.csv")
    assert columns_of(said)["amount"] == 'Total + coalesce("Discount Amount", 0)'
    first = said["inputs"][0]["first_rows"][1]
    assert (first["amount"], first["ordered_at"]) == ("5.00", "2024-01-05 15:00:00")


def test_multiplies_lines_that_are_given_as_orders(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"A{n},c{n % 7},2024-01-05,p{n % 3},2,4.50" for n in range(40)]
    header = "order_id,customer_id,ordered_at,sku,Quantity,UnitPrice"
    (folder / "lines.csv").write_text(orders_csv(rows, header))
    said = found(capsys, "--as", "orders=lines.csv")
    assert columns_of(said)["amount"] == "Quantity * UnitPrice"


def test_counts_what_would_be_rejected_and_why(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = [f"A{n},c{n % 7},2024-01-05,5.00" for n in range(60)]
    bad = [
        "A1,c1,2024-01-05,5.00",
        ",c1,2024-01-05,5.00",
        "B1,,2024-01-05,5.00",
        "B2,c1,,5.00",
        "B3,c1,soon,5.00",
        "B4,c1,0001-01-01,5.00",
        "B5,c1,2024-01-05,",
        "B6,c1,2024-01-05,ten",
        "B7,c1,2024-01-05,inf",
        "B8,c1,2024-01-05,1e200",
    ]
    (folder / "bad.csv").write_text(orders_csv([*good, *bad]))
    item = found(capsys, "bad.csv")["inputs"][0]
    assert item["rejected_by_reason"] == dict.fromkeys(
        [
            "amount_out_of_range",
            "duplicate_order_id",
            "implausible_ordered_at",
            "infinite_amount",
            "missing_amount",
            "missing_customer_id",
            "missing_order_id",
            "missing_ordered_at",
            "unparseable_amount",
            "unparseable_ordered_at",
        ],
        1,
    )
    assert (item["row_count"], item["usable_count"]) == (70, 60)


def test_every_column_is_in_the_contract_of_the_package() -> None:
    macro = (PROJECT / "macros" / "input_contract.sql").read_text()
    for input_name, columns in INPUTS.items():
        contract = re.search(rf"'{input_name}': {{(.*?)\n        }},", macro, re.DOTALL)
        assert contract is not None, input_name
        required, optional = contract[1].split("'optional'")
        for column in columns:
            assert f"'{column.name}'" in (required if column.is_required else optional), column.name


def test_writes_nothing_but_the_var(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "shop.csv").write_text(orders_csv(header="Order ID,client,ordered_at,amount"))
    before = (folder / "dbt_project.yml").read_text()
    assert cli.main(["init", "shop.csv"]) == 0
    assert "can be used" in capsys.readouterr().out
    after = (folder / "dbt_project.yml").read_text()
    assert written_inputs(folder)["orders"] == {
        "path": "shop.csv",
        "columns": {
            "order_id": '"Order ID"',
            "customer_id": "client",
            "ordered_at": "ordered_at",
            "amount": "amount",
        },
    }
    start = after.index("  customer_value:")
    length = len(after) - len(before)
    assert after[:start] + after[start + length :] == before


@pytest.mark.parametrize(
    "project",
    [
        "name: shop",
        "name: shop\nvars:\n",
        "name: shop\r\nvars:\r\n    customer_value:\r\n        period: month  # kept\r\n# last\r\n",
        "\ufeffname: shop\nvars:\n  customer_value:\n",
        "vars:\n  customer_value:\n    period: month\n\n    # mine\n  shop: {a: 1}\nname: shop\n",
    ],
)
def test_edits_any_block_of_vars(folder: Path, project: str) -> None:
    (folder / "shop.csv").write_text(orders_csv())
    (folder / "dbt_project.yml").write_bytes(project.encode())
    assert cli.main(["init", "shop.csv"]) == 0
    after = (folder / "dbt_project.yml").read_bytes().decode()
    kept = [line for line in project.splitlines(keepends=True) if line.endswith("\n")]
    assert [line for line in after.splitlines(keepends=True) if line in kept] == kept
    assert ("\r\n" in project) == ("\r\n" in after)
    assert after.count("\n") == after.count("\r\n") or "\r\n" not in project
    parsed = yaml.safe_load(after.removeprefix("\ufeff"))
    assert parsed["vars"]["customer_value"]["inputs"]["orders"]["path"] == "shop.csv"


def test_replaces_inputs_only_when_told_to(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "shop.csv").write_text(orders_csv())
    project = (
        "vars:\n  customer_value:\n    inputs: {orders: {model: mine}}\n    period: 7\n# end\n"
    )
    (folder / "dbt_project.yml").write_text(project)
    assert "--force" in complaint(capsys, "shop.csv")
    assert (folder / "dbt_project.yml").read_text() == project
    for _ in range(2):
        assert cli.main(["init", "shop.csv", "--force"]) == 0
    after = (folder / "dbt_project.yml").read_text()
    assert after.startswith("vars:\n  customer_value:\n    inputs:\n      orders:\n")
    assert after.endswith("          amount: amount\n    period: 7\n# end\n")


def test_does_not_edit_vars_in_braces(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "shop.csv").write_text(orders_csv())
    (folder / "dbt_project.yml").write_text("vars: {customer_value: {period: 7}}\n")
    assert "braces" in complaint(capsys, "shop.csv")
    assert (folder / "dbt_project.yml").read_text() == "vars: {customer_value: {period: 7}}\n"


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    (folder / "shop.csv").write_text(orders_csv())
    assert cli.main(["init", "shop.csv", "--dry-run"]) == 0
    assert (folder / "dbt_project.yml").read_text() == PROJECT_FILE


def test_hostile_names_stay_names(folder: Path) -> None:
    name = """it's "1"; drop table x; -- # {{ id }}"""
    with duckdb.connect() as connection:
        columns = ", ".join(
            f'{value} as "{column.replace(chr(34), 2 * chr(34))}"'
            for column, value in {
                f"order id {name}": "n",
                "customer_id": "n % 7",
                "order": "date '2024-01-05'",
                "amount": "5.5",
            }.items()
        )
        connection.execute(f"copy (select {columns} from range(40) as t(n)) to 'odd.parquet'")
    assert cli.main(["init", "odd.parquet"]) == 0
    columns_written = written_inputs(folder)["orders"]["columns"]
    assert columns_written["order_id"] == '"order id ' + name.replace('"', '""') + '"'
    assert columns_written["ordered_at"] == '"order"'


def test_a_glob_stays_a_glob_seen_from_the_project(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for part in "ab":
        (tmp_path / "data" / f"{part}.csv").write_text(orders_csv())
    (folder / "sub").mkdir()
    (folder / "sub" / "dbt_project.yml").write_text("name: sub\n")
    assert cli.main(["init", "data/*.csv", "--project", "sub"]) == 0
    assert written_inputs(folder / "sub")["orders"]["path"] == "../data/*.csv"


def test_tables_are_named_as_the_project_knows_them(folder: Path) -> None:
    with duckdb.connect("shop.duckdb") as connection:
        connection.execute("create schema raw")
        connection.execute("create table raw.sales as select * from read_csv($csv)",
                           {"csv": _written(folder / "x.csv")})  # fmt: skip
    arguments = ["init", "raw.sales", "--database", "shop.duckdb"]
    assert cli.main(arguments) == 0
    assert written_inputs(folder)["orders"]["table"] == "raw.sales"
    (folder / "models").mkdir()
    sources = "sources: [{name: raw, tables: [{name: sales}]}]\n"
    (folder / "models" / "sources.yml").write_text(sources)
    assert cli.main([*arguments, "--force"]) == 0
    assert written_inputs(folder)["orders"]["source"] == ["raw", "sales"]
    (folder / "models" / "sales.sql").write_text("select 1")
    assert cli.main([*arguments, "--force"]) == 0
    assert written_inputs(folder)["orders"]["model"] == "sales"


def _written(path: Path) -> str:
    path.write_text(orders_csv())
    return str(path)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("gone.csv", None, "There is no file gone.csv"),
        ("empty.csv", b"", "empty.csv is empty"),
        ("header.csv", b"order_id,customer_id,ordered_at,amount\n", "has columns but no rows"),
        ("nothing.csv", b"a,b\n1,2\n3,4\n", "no column that looks like one of ours"),
        ("twice.csv", b"order_id,amount,amount\n1,2,3\n4,5,6\n", "two columns called amount"),
        ("junk.parquet", b"not parquet at all", "DuckDB can't read junk.parquet"),
        ("part.csv", b"customer_id,campaign_id\nc1,k1\nc2,k1\n", "no column for contacted_at"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: bytes | None,
    sentence: str,
) -> None:
    if content is not None:
        (folder / name).write_bytes(content)
    assert sentence in complaint(capsys, name)
    assert (folder / "dbt_project.yml").read_text() == PROJECT_FILE


def test_mistakes_on_the_command_line_are_told_in_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one.csv", "two.csv"):
        (folder / name).write_text(orders_csv())
    duckdb.connect("shop.duckdb").close()
    for arguments, sentence in (
        ((), "Name at least one file"),
        (("--as", "one.csv"), "--as takes INPUT=PATH"),
        (("--as", "order=one.csv"), "order is not an input"),
        (("one.csv", "two.csv"), "both look like orders and hold the same rows"),
        (("raw.sales", "--database", "shop.duckdb"), "has no table raw.sales"),
        (("raw.sales", "--database", "gone.duckdb"), "no database at gone.duckdb"),
        (("one.csv", "--project", "gone"), "no dbt_project.yml in gone"),
    ):
        assert sentence in complaint(capsys, *arguments)


@pytest.mark.skipif(
    not ONLINE_RETAIL.exists(),
    reason=f"Online Retail is not at {ONLINE_RETAIL}; set SHARED_DATA to its folder.",
)
def test_recognises_online_retail(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert folder.exists()
    said = found(capsys, str(ONLINE_RETAIL))
    assert said["inputs"][0]["input"] == "order_lines"
    assert columns_of(said) == {
        "order_id": "InvoiceNo",
        "customer_id": "CustomerID",
        "ordered_at": "InvoiceDate",
        "product_id": "StockCode",
        "quantity": "Quantity",
        "unit_price": "UnitPrice",
    }
    assert said["inputs"][0]["row_count"] == 541_909
    assert said["inputs"][0]["rejected_by_reason"] == {"missing_customer_id": 135_080}
