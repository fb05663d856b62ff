"""Cohorts and repurchase of the UK shop: the figures of ../shared/data/README.md, each counted a second time without the library."""

import journeyman as jm
import pandas as pd
import pyarrow.parquet as pq
import pytest
from data import real_data

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def invoices():
    rows = pq.read_table(real_data.path("online_retail/online_retail.parquet")).to_pandas()
    names = {"customerid": "contact_id", "invoicedate": "timestamp", "quantity": "quantity", "unitprice": "price", "price": "price", "invoiceno": "invoice", "invoice": "invoice"}
    rows = rows.rename(columns={c: names[k] for c in rows.columns if (k := c.lower().replace(" ", "").replace("_", "")) in names})
    # Net of cancellations; 40 more rows have no price.
    rows = rows[rows["contact_id"].notna() & (rows["quantity"] > 0) & (rows["price"] > 0) & ~rows["invoice"].astype(str).str.startswith("C")]
    rows = rows.assign(contact_id=rows["contact_id"].astype("int64"), timestamp=pd.to_datetime(rows["timestamp"]), amount=rows["quantity"] * rows["price"])
    assert len(rows) == 397884
    return rows.groupby(["contact_id", "invoice"], as_index=False).agg(timestamp=("timestamp", "min"), amount=("amount", "sum"))


@pytest.fixture(scope="module")
def history(invoices):
    events = invoices.assign(event="purchase")[["contact_id", "event", "timestamp", "amount"]]
    return jm.History(events=events, timezone="Europe/London")


def test_cohorts(history, invoices):
    assert (history.contacts_count, history.events_count) == (4338, 18532)
    r = jm.retention(history, "purchase", sum="amount", timezone="Europe/London")
    assert r.matrix()[0] == [885, 324, 286, 340, 321, 352, 321, 309, 313, 350, 331, 445, 235]

    month = invoices["timestamp"].dt.to_period("M").astype("int64")
    first = month.groupby(invoices["contact_id"]).transform("min")
    frame = invoices.assign(cohort=first, interval=month - first)
    active = frame.groupby(["cohort", "interval"])["contact_id"].nunique()
    money = frame.groupby(["cohort", "interval"])["amount"].sum()
    assert [[c, j, n] for (c, j), n in active.items()] == [[first.min() + i, j, n] for i, row in enumerate(r.matrix()) for j, n in enumerate(row) if n]
    sums = r.matrix("sum")
    assert all(sums[c - first.min()][j] == pytest.approx(x) for (c, j), x in money.items())
    assert sum(map(sum, sums)) == pytest.approx(8911407.904)


def test_repurchase(history, invoices):
    r = jm.retention(history, "purchase", timezone="Europe/London").again.to_pylist()[0]
    assert (r["size"], r["again"]) == (4338, 2845)
    assert r["again"] == (invoices.groupby("contact_id").size() > 1).sum()


def test_clickstream_funnel():
    rows = pd.read_csv(real_data.path("ecom/ecom.csv.gz")).rename(columns={"user_id": "contact_id", "session_id": "session"})
    rows["session"] = rows["session"].astype(str)
    history = jm.History(events=rows[["contact_id", "event", "timestamp", "session"]], timezone="UTC")
    assert (history.events_count, history.contacts_count, rows["session"].nunique()) == (31106, 600, 3605)
    steps = ["catalog", "add_to_cart", "purchase"]
    assert jm.funnel(history, steps).counts == [600, 511, 285]
    assert jm.funnel(history, steps, unit=["session"]).counts == [2837, 819, 213]
    shown = jm.paths(history, unit=["contact", "session"])
    assert len(shown) == 3605
    follows = rows.sort_values(["contact_id", "session", "timestamp"], kind="stable")
    pairs = follows.assign(after=follows.groupby(["contact_id", "session"])["event"].shift(-1)).groupby(["event", "after"]).size()
    assert {(t["from"], t["to"]): t["transitions"] for t in shown.transitions().to_pylist() if "(" not in t["from"] + t["to"]} == {(a, b): n for (a, b), n in pairs.items() if "(" not in a + b}
