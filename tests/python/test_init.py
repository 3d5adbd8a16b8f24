"""The guided start: what it recognises, what it refuses to guess, and what it writes."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

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
        ("blank.csv", b"\n\n\n", "no column that looks like one of ours"),
        ("mark.csv", b"\xef\xbb\xbf", "no line of column names"),
        ("crlf.csv", b"\xef\xbb\xbforder_id,amount\r\n", "has columns but no rows"),
        ("latin.csv", b"order_id,caf\xe9\nA1,1\nA2,2\n", "latin.csv is not UTF-8"),
        ("case.csv", b"order_id,Order_ID\n1,2\n4,5\n", "two columns called Order_ID"),
        ("wide.csv", b",".join([b"a%d" % n for n in range(301)]) + b"\n" + b"1," * 300 + b"1\n",
         "wide.csv has 301 columns"),
        ("torn.json", b'[{"order_id": 1}, {', "DuckDB can't read torn.json"),
        ("header.csv", b"order_id,customer_id,ordered_at,amount\n", "has columns but no rows"),
        ("nothing.csv", b"a,b\n1,2\n3,4\n", "no column that looks like one of ours"),
        ("twice.csv", b"order_id,amount,amount\n1,2,3\n4,5,6\n", "two columns called amount"),
        ("junk.parquet", b"not parquet at all", "DuckDB can't read junk.parquet"),
        ("part.csv", b"customer_id,campaign_id\nc1,k1\nc2,k1\n", "no column for contacted_at"),
    ],
)  # fmt: skip
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


EXPORTS = [
    (
        "Shopify's orders",
        "orders_export.csv",
        "Name,Email,Currency,Total,Discount Amount,Created at,Lineitem quantity,Lineitem price,SKU",
        "#{half},c{seventh}@x.com,EUR,{n}.5,2.0,2024-01-{day:02d} 10:00:00 +0100,{few},{n}.9,S{n}",
        "order_lines",
        {"order_id": "Name", "unit_price": '"Lineitem price"'},
    ),
    (
        "Shopify's refunds",
        "refunds.csv",
        "Refund ID,Order ID,Processed At,Refund Amount,Currency",
        "9{n},{half},2024-02-{day:02d} 10:00:00,{n}.50,EUR",
        "refunds",
        {
            "order_id": '"Order ID"',
            "refunded_at": '"Processed At"',
            "amount": '"Refund Amount"',
            "refund_id": '"Refund ID"',
            "currency": "Currency",
        },
    ),
    (
        "refunds that name the customer as orders do",
        "money_back.csv",
        "refund_id,order_id,customer_id,refund_date,amount",
        "R{n},A{half},c{seventh},2024-02-{day:02d},{n}.50",
        "refunds",
        {"refund_id": "refund_id", "refunded_at": "refund_date"},
    ),
    (
        "orders with what was refunded of them",
        "orders_with_refunds.csv",
        "order_id,customer_id,order_date,amount,refund_amount,refund_date,original_order_id",
        "A{n},c{seventh},2024-02-{day:02d},{n}.50,1.50,2024-03-{day:02d},B{n}",
        "orders",
        {
            "ordered_at": "order_date",
            "refund_amount": "refund_amount",
            "refunded_at": "refund_date",
            "refunded_order_id": "original_order_id",
        },
    ),
    (
        "WooCommerce's refunds",
        "wc_refunds.csv",
        "id,parent_id,date_created,amount,reason",
        "{n},{half},2024-01-{day:02d}T10:00:00,{n}.50,worn",
        "refunds",
        {"order_id": "parent_id", "refunded_at": "date_created", "refund_id": "id"},
    ),
    (
        "WooCommerce's orders",
        "wc_orders.csv",
        "order_id,order_date,status,customer_user,order_total,order_currency,refunded_total",
        "{n},2024-01-{day:02d} 10:00:00,completed,{seventh},{n}.50,EUR,0",
        "orders",
        {"customer_id": "customer_user", "amount": "order_total", "currency": "order_currency"},
    ),
    (
        "Magento's credit memos",
        "sales_creditmemo.csv",
        "entity_id,store_id,order_id,increment_id,grand_total,created_at,order_currency_code",
        "{n},1,{half},1000{n},{n}.5,2024-01-{day:02d} 10:00:00,EUR",
        "refunds",
        {"order_id": "order_id", "amount": "grand_total", "store": "store_id"},
    ),
    (
        "the grid of Magento's credit memos",
        "export.csv",
        "Credit Memo,Created,Order,Order Date,Bill-to Name,Status,Refunded",
        "1000{n},2024-02-{day:02d} 10:00:00,2000{half},2024-01-01 10:00:00,Ann,Refunded,{n}.50",
        "refunds",
        {"refund_id": '"Credit Memo"', "order_id": '"Order"', "refunded_at": "Created"},
    ),
    (
        "Stripe's refunds",
        "stripe_refunds.csv",
        "id,Amount,Charge ID,Created date (UTC),Currency,Reason,Status",
        "re_{n},{n}.50,ch_{half},2024-02-{day:02d} 10:00:00,eur,requested_by_customer,succeeded",
        "refunds",
        {"order_id": '"Charge ID"', "refund_id": "id", "currency": "upper(Currency)"},
    ),
    (
        "Stripe's payments",
        "unified_payments.csv",
        "id,Created date (UTC),Amount,Amount Refunded,Currency,Customer ID,Refunded date (UTC)",
        "ch_{n},2024-02-{day:02d} 10:00:00,{n}.50,1.50,EUR,cus_{seventh},2024-03-01 10:00:00",
        "orders",
        {"order_id": "id", "refund_amount": '"Amount Refunded"', "currency": "Currency"},
    ),
    (
        "Shopware's orders",
        "s_order.csv",
        "ordernumber,customerID,ordertime,invoice_amount,currency,subshopID,status",
        "2{n},{seventh},2024-01-{day:02d} 10:00:00,{n}.5,EUR,{few},2",
        "orders",
        {"order_id": "ordernumber", "ordered_at": "ordertime", "store": "subshopID"},
    ),
    (
        "Amazon's orders",
        "orders.txt",
        "amazon-order-id\tpurchase-date\tsku\tquantity\tcurrency\titem-price\tbuyer-email",
        "302-{half}\t2024-01-{day:02d}T10:00:00+00:00\tS{seventh}\t{few}\tEUR\t{n}.90\tm@x.de",
        "order_lines",
        {"amount": '"item-price"', "unit_price": '"item-price" / nullif(quantity, 0)'},
    ),
    (
        "an ERP's lines",
        "vbap.csv",
        "VBELN,POSNR,KUNNR,ERDAT,MATNR,KWMENG,NETPR,NETWR,WAERK",
        "000{half},{few},000{seventh},202401{day:02d},M{seventh},{few},{n}.50,{total:.2f},EUR",
        "order_lines",
        {"order_id": "VBELN", "customer_id": "KUNNR", "unit_price": "NETPR", "amount": "NETWR"},
    ),
    (
        "Superstore",
        "superstore.csv",
        "Row ID,Order ID,Order Date,Customer ID,Product ID,Category,Sales,Quantity,Discount,Profit",
        "{n},CA-{half},11/{day}/2016,CG-{seventh},F-{seventh},Chairs,{n}.96,{few},0.{few},4.91",
        "order_lines",
        {"amount": "Sales", "unit_price": "Sales / nullif(Quantity, 0)", "quantity": "Quantity"},
    ),
    (
        "Online Retail II",
        "retail.csv",
        "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country",
        "489{half},{seventh}5048,Mug,{few},2009-12-{day:02d} 07:45:00,{n}.95,13{seventh}.0,UK",
        "order_lines",
        {"order_id": "Invoice", "unit_price": "Price"},
    ),
    (
        "rates in a row each",
        "fx.csv",
        "date,currency,rate",
        "2024-01-{day:02d},{currency},{rate}",
        "exchange_rates",
        {"currency": "currency", "rate_date": "date", "rate": "1.0 / nullif(rate, 0)"},
    ),
    (
        "identities",
        "duplicates.csv",
        "old_customer_id,merged_into",
        "c{n},c{half}",
        "customer_identities",
        {"customer_id": "old_customer_id", "canonical_customer_id": "merged_into"},
    ),
    (
        "customers to be erased",
        "erased_customers.csv",
        "customer_id,requested_at",
        "c{n},2024-01-{day:02d}",
        "erased_customers",
        {"customer_id": "customer_id"},
    ),
    (
        "customers of a store",
        "customers.csv",
        "customer_id,email,created_at,shop",
        "c{n},c{n}@x.com,2024-01-{day:02d},berlin",
        "customers",
        {"customer_id": "customer_id", "store": "shop"},
    ),
]


def filled(row: str, count: int = 84) -> list[str]:
    """Rows of an export: two lines per order, four currencies a day."""
    rates = {"JPY": 160.1, "USD": 1.09, "GBP": 0.86, "CHF": 0.94}
    return [
        row.format(
            n=n,
            half=100 + n // 2,
            seventh=n % 7,
            few=1 + n % 5,
            day=1 + n // 4 % 28,
            total=(1 + n % 5) * (n + 0.5),
            currency=list(rates)[n % 4],
            rate=list(rates.values())[n % 4],
        )
        for n in range(10, 10 + count)
    ]


@pytest.mark.parametrize("export", [pytest.param(case[1:], id=case[0]) for case in EXPORTS])
def test_recognises_exports(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    export: tuple[str, str, str, str, dict[str, str]],
) -> None:
    name, header, row, expected, columns = export
    (folder / name).write_text(orders_csv(filled(row), header))
    said = found(capsys, name)
    assert said["inputs"][0]["input"] == expected
    assert columns.items() <= columns_of(said).items()
    assert said["inputs"][0]["usable_count"] == 84


@pytest.mark.parametrize("name", ["back.csv", "refunds.csv"])
def test_turns_refunds_below_zero(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    rows = filled("A{half};2024-01-{day:02d};-{n},50")
    (folder / name).write_text(orders_csv(rows, "order_no;datum;betrag"))
    said = found(capsys, name)
    amount = column_of(said, "amount")
    assert said["inputs"][0]["input"] == "refunds"
    assert amount["expression"].startswith("-")
    assert "below 0" in amount["note"]
    assert said["inputs"][0]["first_rows"][0]["amount"] == "10.50"
    assert said["inputs"][0]["rejected_by_reason"] == {}


def test_says_that_orders_below_zero_are_refunds(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"A{n},c{n % 7},2024-01-05,{'-' if n % 10 == 0 else ''}{n}.50" for n in range(40)]
    (folder / "shop.csv").write_text(orders_csv(rows))
    said = found(capsys, "shop.csv")
    assert "4 rows are below 0 and are read as refunds" in column_of(said, "amount")["note"]
    assert said["inputs"][0]["rejected_by_reason"] == {}


def test_says_why_wide_rates_are_not_mapped(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # As the European Central Bank has them, with a comma at the end of each line.
    rows = filled("2024-01-{day:02d},1.09,160.{n},1.9558,N/A,24.7,")
    (folder / "eurofxref.csv").write_text(orders_csv(rows, "Date,USD,JPY,BGN,CYP,CZK,"))
    (folder / "shop.csv").write_text(orders_csv())
    said = found(capsys, "shop.csv", "eurofxref.csv")
    assert [item["input"] for item in said["inputs"]] == ["orders"]
    comment = "\n".join(line for line in said["yaml"].splitlines() if line.startswith("  #"))
    assert "a column per currency (USD, JPY, BGN, CZK)" in comment
    assert list(yaml.safe_load(said["yaml"])["inputs"]) == ["orders"]
    assert "a row per currency and date" in complaint(capsys, "eurofxref.csv")


@pytest.mark.parametrize(("rates", "is_choice"), [((0.0061, 0.92), False), ((0.86, 0.92), True)])
def test_offers_rates_the_other_way_round_where_they_do_not_tell(
    folder: Path, capsys: pytest.CaptureFixture[str], rates: tuple[float, ...], *, is_choice: bool
) -> None:
    code = "GBP" if is_choice else "JPY"
    rows = [f"2024-01-{1 + n // 2:02d},{(code, 'USD')[n % 2]},{rates[n % 2]}" for n in range(40)]
    (folder / "fx.csv").write_text(orders_csv(rows, "rate_date,currency,rate"))
    rate = column_of(found(capsys, "fx.csv"), "rate")
    assert rate["expression"] == "rate"
    choices = ["1.0 / nullif(rate, 0)"] if is_choice else []
    assert [choice["expression"] for choice in rate["choices"]] == choices


def test_counts_what_would_be_rejected_of_refunds(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = [f"R{n},A{n},2024-01-05,5.00" for n in range(60)]
    bad = ["R1,A1,2024-01-05,5.00", "S1,,2024-01-05,5", "S2,A2,,5", "S3,A3,soon,5",
           "S4,A4,2024-01-05,", "S5,A5,2024-01-05,ten", "S6,A6,2024-01-05,-1",
           "S7,A7,2024-01-05,0", ",A8,2024-01-05,5", ",A9,2024-01-05,5"]  # fmt: skip
    (folder / "refunds.csv").write_text(
        orders_csv([*good, *bad], "refund_id,order_id,refunded_at,amount")
    )
    item = found(capsys, "refunds.csv")["inputs"][0]
    assert item["rejected_by_reason"] == {
        "negative_amount": 2,
        "duplicate_refund_id": 1,
        "missing_amount": 1,
        "missing_order_id": 1,
        "missing_refunded_at": 1,
        "unparseable_amount": 1,
        "unparseable_refunded_at": 1,
    }


def test_counts_what_would_be_rejected_of_rates(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = [f"2024-{1 + n // 28:02d}-{1 + n % 28:02d},USD,1.1" for n in range(80)]
    bad = [",USD,1.1", "soon,USD,1.1", "2024-07-01,,1.1", "2024-07-02,USD,",
           "2024-07-03,USD,one", "2024-07-04,USD,0", "2024-07-05,USD,-1"]  # fmt: skip
    (folder / "fx.csv").write_text(orders_csv([*good, *bad], "rate_date,currency,rate"))
    item = found(capsys, "fx.csv")["inputs"][0]
    assert item["rejected_by_reason"] == {
        "implausible_rate": 2,
        "missing_currency": 1,
        "missing_rate": 1,
        "missing_rate_date": 1,
        "unparseable_rate": 1,
        "unparseable_rate_date": 1,
    }


def test_several_shops_are_a_list_with_a_store_each(folder: Path) -> None:
    (folder / "orders_berlin.csv").write_text(orders_csv())
    (folder / "new-york.csv").write_text(
        orders_csv([f"A{n};c{n % 7};2024-01-05;{n}.50" for n in range(50)],
                   "Order Number;Client ID;order_date;Total")
    )  # fmt: skip
    assert cli.main(["init", "orders_berlin.csv", "new-york.csv"]) == 0
    berlin, new_york = written_inputs(folder)["orders"]
    assert (berlin["path"], berlin["columns"]["store"]) == ("orders_berlin.csv", "'berlin'")
    assert (new_york["path"], new_york["columns"]["store"]) == ("new-york.csv", "'new_york'")
    assert new_york["columns"]["order_id"] == '"Order Number"'


def test_a_store_column_stands_before_the_name_of_the_file(folder: Path) -> None:
    header = "order_id,customer_id,ordered_at,amount,store"
    for name in ("north", "south"):
        rows = [f"A{n},c{n % 7},2024-01-05,{n}.50,{name}" for n in range(40)]
        (folder / f"{name}.csv").write_text(orders_csv(rows, header))
    assert cli.main(["init", "--as", "orders=north.csv", "--as", "orders=south.csv"]) == 0
    assert [item["columns"]["store"] for item in written_inputs(folder)["orders"]] == ["store"] * 2


@pytest.mark.parametrize(
    ("names", "glob"),
    [
        (("orders_2024-01.csv", "orders_2024-02.csv"), "'orders_2024-*.csv'"),
        (("orders_jan.csv", "orders_feb.csv"), "'orders_*.csv'"),
        (("sales (1).csv", "sales (2).csv"), "'sales (*).csv'"),
    ],
)
def test_parts_of_one_file_are_to_be_a_glob(
    folder: Path, capsys: pytest.CaptureFixture[str], names: tuple[str, str], glob: str
) -> None:
    for number, name in enumerate(names):
        rows = [f"{number}A{n},c{n % 7},2024-01-05,{n}.50" for n in range(40)]
        (folder / name).write_text(orders_csv(rows))
    assert f"Give them as one glob, such as {glob}" in complaint(capsys, *names)


@pytest.mark.parametrize(
    ("clock", "is_local"), [(" 10:30:00", True), ("", False), (" 10:30:00+02:00", False)]
)
def test_a_time_zone_is_a_choice_where_times_have_none(
    folder: Path, capsys: pytest.CaptureFixture[str], clock: str, *, is_local: bool
) -> None:
    rows = [f"A{n},c{n % 7},2024-01-{1 + n % 28:02d}{clock},{n}.50" for n in range(40)]
    (folder / "shop.csv").write_text(orders_csv(rows))
    yaml_lines = found(capsys, "shop.csv")["yaml"].splitlines()
    assert ("    # time_zone: Europe/Berlin" in yaml_lines) == is_local


def test_says_what_several_currencies_need(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [f"A{n},c{n % 7},2024-01-05,{n}.50,{('EUR', 'USD')[n % 2]}" for n in range(40)]
    header = "order_id,customer_id,ordered_at,amount,currency"
    (folder / "shop.csv").write_text(orders_csv(rows, header))
    said = found(capsys, "shop.csv")
    assert "Amounts are in 2 currencies (EUR, USD): set the var reporting_currency" in said["yaml"]
    assert any("exchange_rates" in remark for remark in said["remarks"])


def test_an_amount_that_is_not_of_the_line_is_left_out_aloud(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = filled("A{half},c{seventh},2024-01-{day:02d},p{seventh},{few},{n}.50,99.90")
    header = "order_id,customer_id,ordered_at,product_id,quantity,unit_price,amount"
    (folder / "lines.csv").write_text(orders_csv(rows, header))
    said = found(capsys, "lines.csv")
    assert "amount" not in columns_of(said)
    assert re.search(r"^ +# Or, if amount is what the line came to", said["yaml"], re.MULTILINE)
    assert re.search(r"^ +# amount: amount$", said["yaml"], re.MULTILINE)


HOSTILE_HEADERS = {
    "quotes": ['order "id"', "customer_id", "ordered at", "amount"],
    "sql": ['order_id"; drop table x; --', "customer_id'); select 1", "ordered_at", "amount/*"],
    "jinja": ["order_id {{ x }}", "customer_id {% raw %}", "ordered_at {# #}", "amount"],
    "newlines": ["order id\nof ours", "customer_id", "ordered at\r\n", "amount"],
    "spaces": ["  order id ", " customer id", "ordered at  ", "amount\t"],
    "emoji": ["🛒 order id", "👤 customer id", "📅 ordered at", "💶 amount"],
    "controls": ["order_id\x1b[31m", "customer_id\x85", "ordered_at\u2028", "amount\u202e"],
    "keywords": ["order", "user", "select", "amount"],
    "our own aliases": ["input_order_id", "customer_id", "typed", "rows"],
    "yaml": ["order id: &a *b", "customer_id #", "ordered_at - ?", "amount | >"],
}


@pytest.mark.parametrize("names", HOSTILE_HEADERS.values(), ids=HOSTILE_HEADERS.keys())
@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "BOM"])
def test_hostile_headers_are_quoted(
    folder: Path, capsys: pytest.CaptureFixture[str], names: list[str], ending: str, mark: bytes
) -> None:
    header = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    lines = orders_csv(header="HEADER").splitlines()
    text = ending.join(lines).replace("HEADER", header) + ending
    (folder / "shop.csv").write_bytes(mark + text.encode())
    code = cli.main(["init", "shop.csv"])
    said = capsys.readouterr()
    assert all(sign == "\n" or sign.isprintable() for sign in said.out + said.err)
    if code == 2:
        # DuckDB takes no quotes or line ends within a name after a mark, or with other line ends.
        assert said.err.startswith("customer-value: ")
        assert mark or ending == "\r\n"
        assert any(set(name) & {'"', "\n"} for name in names)
        return
    assert code == 0
    columns = written_inputs(folder)["orders"]["columns"]
    assert list(columns) == ["order_id", "customer_id", "ordered_at", "amount"]
    selected = ", ".join(columns.values())
    with duckdb.connect() as connection:
        rows = connection.execute(f"select {selected} from 'shop.csv' limit 1").fetchall()
    assert [str(value) for value in rows[0]] == ["A0", "c0", "2024-01-01", "0.5"]


@given(
    names=st.lists(st.text(max_size=12), min_size=4, max_size=4),
    values=st.sampled_from(["A{n},c{n},2024-01-05,5.5", "{n},{n},{n},{n}", "a,b,c,d", ",,,"]),
)
@settings(max_examples=25, deadline=None)
def test_any_header_is_mapped_or_told_in_a_sentence(names: list[str], values: str) -> None:
    header = ",".join('"' + name.replace('"', '""') + '"' for name in names)
    rows = [values.format(n=n) for n in range(20)]
    with TemporaryDirectory() as path:
        Path(path, "it.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
        arguments = ["init", f"{path}/it.csv", "--as", f"orders={path}/it.csv", "--dry-run"]
        assert cli.main(arguments) in {0, 2}


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
