"""Our inputs, their columns, and the names that shops give to them.

Names are compared as lowercase words: InvoiceNo, invoice_no and INVOICE NO are all "invoice no".
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import product


@dataclass(frozen=True)
class OurColumn:
    """A column of an input: what it holds, and how others call it, the likeliest name first.

    kind: key, time, money, quantity, label, text, email, rate or rating.
    weight: how much finding an optional column says about which input a file is.
    """

    name: str
    kind: str
    names: tuple[str, ...]
    weak_names: tuple[str, ...] = ()
    is_required: bool = False
    weight: float = 0.3


def _joined(firsts: str, seconds: str) -> tuple[str, ...]:
    """Every word of the first text before every word of the second: "order id", "invoice id"."""
    return tuple(" ".join(pair) for pair in product(firsts.split(), seconds.split()))


ID = "id no nr number num code key ref"
GERMAN_ID = "nummer nr id"

ORDER_NAMES = (
    *_joined("order invoice transaction basket receipt sale purchase ticket bill", ID),
    *(
        a + b
        for a, b in product(("bestell", "auftrags", "rechnungs", "beleg", "bon"), GERMAN_ID.split())
    ),
    *_joined("commande facture pedido factura ordine fattura bestelling encomenda", f"{ID} numero"),
    *("document no", "document number", "sales document", "vbeln"),
    *("n commande", "numero commande", "numero de commande", "numero pedido", "numero ordine"),
)
CUSTOMER_NAMES = (
    *_joined("customer client household user member buyer shopper account cust", ID),
    *("kunden" + b for b in GERMAN_ID.split()),
    *("debitor" + b for b in GERMAN_ID.split()),
    *(
        "customer user",
        "debitorennummer",
        "kunnr",
        "sold to party",
        "sell to customer no",
        "bill to customer no",
    ),
    *_joined("client cliente klant kunde", f"{ID} numero"),
    *("numero client", "numero cliente", "klantnummer", "klantnr"),
)
PRODUCT_NAMES = (
    *_joined("product item stock article sku variant", ID),
    *("sku", "lineitem sku", "asin", "ean", "upc", "isbn", "matnr", "material number"),
    *("artikel" + b for b in GERMAN_ID.split()),
    *_joined("produkt produit producto prodotto articulo articolo artikel", f"{ID} numero"),
)
ORDERED_AT_NAMES = (
    *("ordered at", "order date", "invoice date", "order time", "order datetime", "ordered on"),
    *("order timestamp", "order purchase timestamp", "order created at", "order placed at"),
    *("transaction timestamp", "transaction date", "transaction time", "transaction datetime"),
    *("purchase date", "purchased at", "purchase timestamp", "sale date", "placed at"),
    *("receipt date", "bestelldatum", "auftragsdatum", "rechnungsdatum", "belegdatum", "kaufdatum"),
    *("date commande", "date de commande", "date facture", "fecha pedido", "fecha factura"),
    *("posting date", "document date", "audat", "erdat", "fkdat", "buchungsdatum"),
    *("data ordine", "data fattura", "orderdatum", "besteldatum", "datum bestellung"),
)
ANY_TIME_NAMES = (
    *("created at", "created", "date", "datetime", "timestamp", "time", "datum", "fecha", "data"),
    *("created utc", "created date utc", "created date", "date created", "date created gmt"),
    *("day", "paid at", "processed at", "completed at", "booked at", "zeitpunkt"),
)
REFUNDED_AT_NAMES = (
    *("refunded at", "refund date", "refund time", "refund created at", "refund processed at"),
    *("refunded on", "refunded date", "refunded date utc", "date refunded", "refund created"),
    *("return date", "returned at", "returned on", "credit memo date", "credit note date"),
    *("creditmemo created at", "credited at", "erstattungsdatum", "erstattet am"),
    *("gutschriftsdatum", "rueckgabedatum", "retourendatum", "date remboursement"),
    *("date de remboursement", "fecha reembolso", "data rimborso"),
)
CATEGORY_NAMES = ("category", "product category", "kategorie", "warengruppe", "categorie")

ORDER_ID = OurColumn(
    "order_id",
    "key",
    ORDER_NAMES,
    ("order", "invoice", "name", "id", "increment id"),
    is_required=True,
)
CUSTOMER_ID = OurColumn(
    "customer_id",
    "key",
    CUSTOMER_NAMES,
    ("customer", "client", "kunde", "email", "customer email", "user", "member", "buyer email"),
    is_required=True,
)
ORDERED_AT = OurColumn("ordered_at", "time", ORDERED_AT_NAMES, ANY_TIME_NAMES, is_required=True)
PRODUCT_ID = OurColumn(
    "product_id", "key", PRODUCT_NAMES, ("product", "item", "artikel", "material")
)
CURRENCY = OurColumn(
    "currency",
    "label",
    ("currency", "currency code", "order currency", "order currency code", "waerk", "waers"),
    ("waehrung", "devise", "moneda", "valuta"),
)
STORE = OurColumn(
    "store",
    "label",
    ("store", "store id", "shop", "shop id", "store name", "shop name", "filiale", "subshop id"),
    ("filialnummer", "purchase point", "magasin", "tienda", "negozio"),
)

INPUTS: dict[str, tuple[OurColumn, ...]] = {
    "orders": (
        ORDER_ID,
        CUSTOMER_ID,
        ORDERED_AT,
        OurColumn(
            "amount",
            "money",
            (
                *("amount", "order amount", "gross amount", "order total", "total", "total amount"),
                *("grand total", "total price", "invoice amount", "order value", "revenue"),
                *("betrag", "summe", "gesamtbetrag", "gesamtsumme", "bestellwert", "umsatz"),
                *("rechnungsbetrag", "montant", "montant total", "importe", "importe total"),
                *("order total amount", "net revenue", "n revenue", "netwr", "net value"),
                *("importo", "totale", "bedrag", "totaal", "valor"),
            ),
            ("subtotal", "sales", "sales value", "value", "spend", "price", "turnover", "payment"),
            is_required=True,
        ),
        OurColumn(
            "status",
            "label",
            ("status", "order status", "financial status", "state", "bestellstatus", "estado"),
            ("payment status", "fulfillment status", "statut", "stato"),
        ),
        OurColumn(
            "discount_amount",
            "money",
            ("discount amount", "discount", "total discount", "total discounts", "discounts"),
            ("cart discount", "rabatt", "nachlass", "remise", "descuento", "sconto", "korting"),
        ),
        OurColumn(
            "refund_amount",
            "money",
            ("refund amount", "refunded amount", "amount refunded", "refund", "refunds"),
            (
                "total refunded",
                "refunded total",
                "order refund amount",
                "erstattung",
                "remboursement",
                "reembolso",
                "rimborso",
            ),
        ),
        OurColumn("refunded_at", "time", REFUNDED_AT_NAMES),
        OurColumn(
            "refunded_order_id",
            "key",
            ("refunded order id", "original order id", "parent order id", "original invoice"),
            ("refund of", "credited invoice", "return against", "parent id", "ursprungsbeleg"),
        ),
        OurColumn(
            "cost_amount",
            "money",
            ("cost amount", "cost", "total cost", "cogs", "cost of goods", "cost of goods sold"),
            ("wareneinsatz", "einkaufspreis", "costs", "cout", "coste", "costo"),
        ),
        CURRENCY,
        OurColumn(
            "channel",
            "label",
            ("channel", "sales channel", "order channel", "kanal", "vertriebskanal"),
            ("source", "source name", "canal", "canale"),
        ),
        OurColumn(
            "store",
            "label",
            STORE.names,
            (*STORE.weak_names, "branch", "location", "outlet", "platform"),
        ),
        OurColumn(
            "updated_at",
            "time",
            ("updated at", "modified at", "last modified", "updated", "last updated at"),
            ("changed at", "loaded at", "geaendert am", "aenderungsdatum"),
        ),
    ),
    "order_lines": (
        ORDER_ID,
        # Of an order that no orders input holds.
        OurColumn("customer_id", "key", CUSTOMER_ID.names, CUSTOMER_ID.weak_names),
        OurColumn("ordered_at", "time", ORDERED_AT.names, ORDERED_AT.weak_names),
        OurColumn(
            "line_number",
            "key",
            _joined("line lineitem position pos row", f"{ID} item"),
            ("line", "position", "pos", "positionsnummer", "zeile"),
        ),
        OurColumn(
            "product_id",
            "key",
            PRODUCT_ID.names,
            (*PRODUCT_ID.weak_names, "lineitem name"),
            is_required=True,
        ),
        OurColumn(
            "quantity",
            "quantity",
            ("quantity", "qty", "lineitem quantity", "units", "menge", "anzahl", "stueckzahl"),
            (
                "qty ordered",
                "order quantity",
                "kwmeng",
                "count",
                "pieces",
                "quantite",
                "cantidad",
                "quantita",
                "aantal",
            ),
            is_required=True,
        ),
        OurColumn(
            "unit_price",
            "money",
            ("unit price", "lineitem price", "item price", "price per unit", "price each"),
            (
                "price",
                "netpr",
                "net price",
                "einzelpreis",
                "stueckpreis",
                "preis",
                "prix unitaire",
                "precio unitario",
            ),
            is_required=True,
        ),
        OurColumn(
            "amount",
            "money",
            (
                *("line total", "line amount", "lineitem total", "line item total", "row total"),
                *("extended price", "extended amount", "line value", "item total", "amount"),
                *("gesamtpreis", "positionsbetrag", "zeilenbetrag", "montant ligne"),
            ),
            ("line subtotal", "line revenue", "item subtotal", "netwr", "importe linea"),
        ),
        OurColumn(
            "discount_amount",
            "money",
            ("discount amount", "line discount", "lineitem discount", "item discount", "discount"),
            ("item promotion discount", "rabatt", "nachlass", "remise", "descuento", "sconto"),
        ),
        OurColumn("category", "label", CATEGORY_NAMES, ("department", "product type")),
        OurColumn("cost", "money", ("unit cost", "cost", "item cost", "einkaufspreis")),
        CURRENCY,
        OurColumn("channel", "label", ("channel", "sales channel"), ("kanal", "source name")),
        STORE,
    ),
    "refunds": (
        OurColumn(
            "order_id",
            "key",
            (*ORDER_NAMES, "order increment id", "original order id", "refunded order id"),
            (
                *("order", "invoice", "original order", "parent order id", "parent id"),
                *("charge id", "charge", "payment intent id", "payment intent", "payment id"),
            ),
            is_required=True,
        ),
        OurColumn(
            "refunded_at",
            "time",
            REFUNDED_AT_NAMES,
            (*ANY_TIME_NAMES, "posting date", "belegdatum"),
            is_required=True,
        ),
        OurColumn(
            "amount",
            "money",
            (
                *("refund amount", "refunded amount", "amount refunded", "refund total"),
                *("total refunded", "refunded", "refund", "credit amount", "credit memo total"),
                *("erstattungsbetrag", "gutschriftsbetrag", "erstattung", "montant rembourse"),
                *("importe reembolsado", "importo rimborsato"),
            ),
            ("total", "grand total", "total amount", "betrag", "value", "montant", "importe"),
            is_required=True,
        ),
        OurColumn(
            "refund_id",
            "key",
            (
                *_joined("refund creditmemo return rma", ID),
                *("credit memo", "credit memo id", "credit memo number", "credit note number"),
                *("credit note id", "credit note", "gutschriftsnummer", "gutschriftnr"),
            ),
            ("id", "increment id", "entity id"),
            weight=1.0,
        ),
        CURRENCY,
        STORE,
    ),
    "customers": (
        CUSTOMER_ID,
        OurColumn(
            "acquired_at",
            "time",
            ("acquired at", "signup date", "signed up at", "registered at", "registration date"),
            ("created at", "joined at", "join date", "customer since", "kunde seit", "created"),
        ),
        OurColumn("acquisition_cost", "money", ("acquisition cost", "cac", "cost of acquisition")),
        OurColumn(
            "acquisition_channel",
            "label",
            ("acquisition channel", "signup channel", "acquisition source", "utm source"),
            ("channel", "source", "referrer", "kanal"),
        ),
        OurColumn("email", "email", ("email", "e mail", "email address", "mail"), weight=0.6),
        OurColumn(
            "name",
            "text",
            ("name", "full name", "customer name", "last name", "kundenname", "nachname"),
            ("nom", "nombre", "nome"),
            weight=0.6,
        ),
        STORE,
    ),
    "events": (
        CUSTOMER_ID,
        OurColumn(
            "event_at",
            "time",
            ("event at", "event time", "event timestamp", "event date", "occurred at"),
            ("timestamp", "time", "created at", "received at", "datetime", "date"),
            is_required=True,
        ),
        OurColumn(
            "event_name",
            "label",
            ("event name", "event", "event type", "action", "ereignis"),
            ("type", "activity", "evenement", "evento"),
            is_required=True,
        ),
        OurColumn("session_id", "key", ("session id", "session", "visit id"), weight=0.8),
        PRODUCT_ID,
        STORE,
    ),
    "campaign_contacts": (
        CUSTOMER_ID,
        OurColumn(
            "campaign_id",
            "key",
            _joined("campaign mailing experiment kampagnen campagne", ID),
            ("campaign", "campaign name", "mailing", "experiment", "kampagne"),
            is_required=True,
        ),
        OurColumn(
            "contacted_at",
            "time",
            ("contacted at", "contact date", "sent at", "send date", "sent date", "contact time"),
            ("delivered at", "exposed at", "start date", "versendet am", "timestamp", "date"),
            is_required=True,
        ),
        OurColumn(
            "treatment",
            "label",
            ("treatment", "arm", "variant", "test group", "treatment group", "is treated"),
            ("group", "cell", "gruppe"),
            weight=1.5,
        ),
        OurColumn("cost", "money", ("contact cost", "cost", "cost per contact"), ("kosten",)),
        OurColumn(
            "responded_at",
            "time",
            ("responded at", "response date", "redemption date", "redeemed at", "clicked at"),
            ("opened at", "converted at", "conversion date"),
        ),
        STORE,
    ),
    "reviews": (
        CUSTOMER_ID,
        OurColumn("product_id", "key", PRODUCT_ID.names, PRODUCT_ID.weak_names, is_required=True),
        OurColumn(
            "reviewed_at",
            "time",
            ("reviewed at", "review date", "review creation date", "review time", "rated at"),
            ("created at", "timestamp", "date", "datum"),
            is_required=True,
        ),
        OurColumn(
            "rating",
            "rating",
            ("rating", "stars", "review score", "score", "bewertung", "star rating"),
            ("note", "points", "sterne", "grade"),
            is_required=True,
            weight=1.0,
        ),
        STORE,
    ),
    "exchange_rates": (
        OurColumn(
            "currency",
            "label",
            (*CURRENCY.names, "from currency", "source currency", "foreign currency"),
            (*CURRENCY.weak_names, "quote currency", "target currency", "iso code", "code"),
            is_required=True,
        ),
        OurColumn(
            "rate_date",
            "time",
            ("rate date", "exchange date", "valid from", "valid on", "effective date", "kursdatum"),
            ("date", "day", "datum", "as of", "time period", "timestamp", "fecha", "data"),
            is_required=True,
        ),
        OurColumn(
            "rate",
            "rate",
            ("rate", "exchange rate", "fx rate", "conversion rate", "wechselkurs", "kurs"),
            ("mid rate", "mid", "obs value", "value", "taux", "tipo de cambio"),
            is_required=True,
        ),
    ),
    "customer_identities": (
        OurColumn(
            "customer_id",
            "key",
            (*CUSTOMER_NAMES, "old customer id", "duplicate customer id", "duplicate id"),
            ("old id", "alias id", "alias", "source id", "merged id"),
            is_required=True,
        ),
        OurColumn(
            "canonical_customer_id",
            "key",
            (
                *("canonical customer id", "canonical id", "master customer id", "master id"),
                *("primary customer id", "primary id", "main customer id", "golden id"),
                *("merged into", "merged into id", "merged into customer id"),
            ),
            ("new customer id", "new id", "survivor id", "person id"),
            is_required=True,
            weight=1.0,
        ),
    ),
    "excluded_customers": (CUSTOMER_ID,),
    "erased_customers": (CUSTOMER_ID,),
}

# What in a file's name says what it holds, where columns alone would not: each inner set is
# enough, all of it being there.
FILE_WORDS: dict[str, tuple[frozenset[str], ...]] = {
    "refunds": tuple(
        frozenset({word})
        for word in (
            *("refund", "refunds", "refunded", "return", "returns", "creditmemo", "creditmemos"),
            *("creditnote", "creditnotes", "credit", "erstattung", "erstattungen", "gutschrift"),
            *("gutschriften", "retoure", "retouren", "remboursements", "reembolsos", "rimborsi"),
        )
    ),
    "excluded_customers": (
        *(frozenset({word}) for word in ("excluded", "exclusions", "employees", "staff")),
        *(frozenset({word}) for word in ("internal", "mitarbeiter", "testkunden")),
        frozenset({"test", "customers"}),
    ),
    "erased_customers": tuple(
        frozenset({word})
        for word in ("erased", "erasures", "erasure", "forgotten", "gdpr", "dsgvo", "geloescht")
    ),
}
# A file of both, such as orders_with_refunds, is not known by its name.
ORDER_WORDS = frozenset({"orders", "bestellungen", "auftraege", "commandes", "pedidos"})
REFUND_WORDS = re.compile(
    r"refund|credit ?(memo|note)|rma|return(s|ed)? |erstatt|gutschrift|retour|rembours|reembols"
)
# Currencies that rates are published for, as a wide table names its columns.
CURRENCY_CODES = frozenset(
    (
        *("AED", "ARS", "AUD", "BGN", "BRL", "CAD", "CHF", "CLP", "CNY", "CZK", "DKK", "EUR"),
        *("GBP", "HKD", "HRK", "HUF", "IDR", "ILS", "INR", "ISK", "JPY", "KRW", "MXN", "MYR"),
        *("NOK", "NZD", "PHP", "PLN", "RON", "RUB", "SAR", "SEK", "SGD", "THB", "TRY", "TWD"),
        *("UAH", "USD", "VND", "ZAR"),
    )
)
# A unit of these is worth far less than one of any currency that shops report in.
SMALL_CURRENCIES = ("CLP", "HUF", "IDR", "ISK", "JPY", "KRW", "VND")

# The columns whose values are to differ from row to row.
UNIQUE_KEYS = {"orders": "order_id", "customers": "customer_id", "refunds": "refund_id"}

# Read as text from CSV files, so that 1.10 stays apart from 1.1.
TEXT_KEYS = {column.name for columns in INPUTS.values() for column in columns
             if column.kind == "key" and column.name.endswith("_id")}  # fmt: skip


def words(name: str) -> tuple[str, ...]:
    """A column's name as lowercase words without accents.

    >>> words("InvoiceNo"), words("Bestell-Nr."), words("orderID2"), words("Größe")
    (('invoice', 'no'), ('bestell', 'nr'), ('order', 'id', '2'), ('groesse',))
    """
    german = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue",
                            "ß": "ss"})  # fmt: skip
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFC", name).translate(german))
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return tuple(word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", plain))


def name_score(theirs: str, ours: OurColumn) -> tuple[float, str]:
    """How well a name fits, in 0..1, and why in a word; (0, "") where it does not.

    >>> name_score("CustomerID", CUSTOMER_ID)
    (1.0, 'our name')
    """
    found = words(theirs)
    if not found:
        return 0.0, ""
    joined = "".join(found)
    if joined == ours.name.replace("_", ""):
        return 1.0, "our name"
    for score, names in ((1.0, ours.names), (0.75, ours.weak_names)):
        for index, name in enumerate(names):
            if joined == name.replace(" ", ""):
                # An earlier name is the likelier one: enough to break ties.
                return score - min(index, 40) * 0.001, "name" if score == 1.0 else "loose name"
    for names in (ours.names, (ours.name.replace("_", " "),)):
        for name in names:
            if _holds(found, tuple(name.split())):
                return 0.8, "part of name"
    return 0.0, ""


def _holds(found: tuple[str, ...], sought: tuple[str, ...]) -> bool:
    """Whether two or more sought words stand side by side among the found ones."""
    size = len(sought)
    return size > 1 and any(
        found[start : start + size] == sought for start in range(len(found) - size + 1)
    )
