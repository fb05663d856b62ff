"""What the other real data sets say through the public API: the figures of ../shared/data/README.md, each counted a second time without it."""

import duckdb
import journeyman as jm
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from data import real_data

pytestmark = pytest.mark.data


def whole(kpis, name):
    """The value of a KPI's only row, and its two counts."""
    [row] = [row for row in kpis.to_pylist() if row["kpi"] == name]
    return row["value"], row["numerator"], row["denominator"]


def campaign_kpis(timezone, start, end, values, **more):
    """A playbook whose KPIs have one row, for everything between two days."""
    kpis = {name: {"value": value, "every": "campaign", "direction": "up"} for name, value in values.items()}
    return jm.Playbook.from_dict({"timezone": timezone, "campaigns": {"all": {"from": start, "to": end}}, "kpis": kpis} | more)


# ---- CDNOW: columns parted by blanks, a day without a time


@pytest.fixture(scope="module")
def cdnow():
    file = real_data.path("cdnow") / "CDNOW_master.txt"
    return pd.read_csv(file, sep=r"\s+", dtype={"customer_id": str, "date": str})


def test_cdnow_repurchase(cdnow):
    history = jm.History(
        events=cdnow.assign(event="purchase"),
        columns={"contact_id": "customer_id", "timestamp": "date"},
        formats={"date": "%Y%m%d"},
        timezone="America/New_York",
    )
    assert (history.contacts_count, history.events_count, len(history.rejected)) == (23570, 69659, 0)
    values = {
        "transactions": "events(purchase)",
        "customers": "contacts(purchase)",
        "dollars": "sum(purchase.dollar_value)",
        "again": "members(count(purchase) > 1) / members(did(purchase))",
        # The data know days only, so two purchases on two days are two purchases at two instants.
        "another_day": "members(last_time(purchase) > first_time(purchase)) / members(did(purchase))",
    }
    kpis = campaign_kpis("America/New_York", "1997-01-01", "1998-07-01", values).kpis(history)
    assert whole(kpis, "transactions")[0] == len(cdnow) == 69659
    assert whole(kpis, "customers")[0] == cdnow["customer_id"].nunique() == 23570
    assert whole(kpis, "dollars")[0] == 2500315.63   # the true sum, correctly rounded
    share, again, customers = whole(kpis, "again")
    assert (again, customers, round(100 * share, 3)) == (11662, 23570, 49.478)
    assert again == (cdnow.groupby("customer_id").size() > 1).sum()
    share, again, customers = whole(kpis, "another_day")
    assert (again, customers, round(100 * share, 3)) == (11516, 23570, 48.859)
    assert again == (cdnow.groupby("customer_id")["date"].nunique() > 1).sum()


# ---- Online Retail: one row a line of an invoice, cancellations, customers that are not known

SOLD = 'Quantity > 0 and UnitPrice > 0 and not (InvoiceNo starts_with "C")'
SOLD_SQL = "CustomerID is not null and Quantity > 0 and UnitPrice > 0 and InvoiceNo not like 'C%'"


@pytest.fixture(scope="module")
def retail_file():
    return str(real_data.path("online_retail") / "online_retail.parquet")


@pytest.fixture(scope="module")
def retail(retail_file):
    lines = pq.read_table(retail_file)
    amount = pc.multiply(lines["Quantity"], lines["UnitPrice"])
    return jm.History(
        events=lines.append_column("event", pa.array(["purchase"] * len(lines))).append_column("amount", amount),
        columns={"contact_id": "CustomerID", "timestamp": "InvoiceDate"},
        timezone="Europe/London",
    )


def test_online_retail_is_read(retail, retail_file):
    [(rows, known, customers)] = duckdb.execute("select count(*), count(CustomerID), count(distinct CustomerID) from read_parquet(?)", [retail_file]).fetchall()
    assert (rows, customers) == (541909, 4372)
    assert (retail.events_count, retail.contacts_count) == (known, customers)
    # Nobody's lines are not dropped in silence.
    assert retail.rejected_counts.to_pylist() == [{"table": "events", "reason": "no contact_id", "rows": rows - known}]


def test_online_retail_net_of_cancellations(retail, retail_file):
    values = {
        "lines": f"events(purchase where {SOLD})",
        "customers": f"contacts(purchase where {SOLD})",
        "pounds": f"sum(purchase.amount where {SOLD})",
        "again": f"members(distinct(purchase.InvoiceNo where {SOLD}) > 1) / members(did(purchase where {SOLD}))",
    }
    kpis = campaign_kpis("Europe/London", "2010-12-01", "2012-01-01", values).kpis(retail)
    assert whole(kpis, "lines")[0] == 397884
    assert whole(kpis, "customers")[0] == 4338
    assert round(whole(kpis, "pounds")[0], 3) == 8911407.904
    assert whole(kpis, "again")[1:] == (2845, 4338)

    asked = f"select count(*), count(distinct CustomerID), sum(Quantity * UnitPrice), count(distinct InvoiceNo) from read_parquet(?) where {SOLD_SQL}"
    [(lines, customers, pounds, invoices)] = duckdb.execute(asked, [retail_file]).fetchall()
    assert (lines, customers, round(pounds, 3), invoices) == (397884, 4338, 8911407.904, 18532)
    asked = f"select count(*) from (select 1 from read_parquet(?) where {SOLD_SQL} group by CustomerID having count(distinct InvoiceNo) > 1)"
    assert duckdb.execute(asked, [retail_file]).fetchall() == [(2845,)]


def test_online_retail_cohort_of_december(retail):
    playbook = jm.Playbook.from_dict(
        {
            "timezone": "Europe/London",
            "segments": {"first_december": f'did(purchase where {SOLD}, before "2011-01-01")'},
            "kpis": {"active": {"value": f"contacts(purchase where {SOLD})", "scope": "first_december", "every": "month", "direction": "up"}},
        }
    )
    rows = playbook.kpis(retail).to_pylist()
    assert [row["value"] for row in rows] == [885, 324, 286, 340, 321, 352, 321, 309, 313, 350, 331, 445, 235]
    assert [row["partial"] for row in rows] == [False] * 12 + [True]


# ---- ecom: a clickstream, compressed; users and their sessions

PATH = ("catalog", "add_to_cart", "purchase")


@pytest.fixture(scope="module")
def ecom_file():
    return real_data.path("ecom") / "ecom.csv.gz"


@pytest.mark.parametrize(
    ("unit", "size", "reached"),
    [("user_id", 600, [600, 511, 285]), ("session_id", 3605, [2837, 819, 213])],
)
def test_ecom_sequence_without_a_window(ecom_file, unit, size, reached):
    history = jm.History(events=ecom_file, columns={"contact_id": unit}, timezone="UTC")
    assert (history.contacts_count, history.events_count, len(history.rejected)) == (size, 31106, 0)
    asked = [f"did({PATH[0]})", f"sequence({PATH[0]}, {PATH[1]})", f"sequence({', '.join(PATH)})"]
    assert [history.select(predicate).count for predicate in asked] == reached

    # The first of each step after the first of the one before: that is enough for the steps in order, without a window.
    clicks = pd.read_csv(ecom_file)
    clicks["row"] = range(len(clicks))
    clicks = clicks.sort_values(["timestamp", "row"], kind="stable").reset_index(drop=True)
    done, counted = pd.Series(-1, index=clicks[unit].unique()), []
    for step in PATH:
        here = clicks[clicks["event"] == step]
        here = here[here.index > here[unit].map(done).fillna(len(clicks))]
        done = pd.Series(here.index, index=here[unit]).groupby(level=0).min()
        counted.append(len(done))
    assert counted == reached


# ---- Hillstrom: an experiment; one row a person, no id, no date

ARMS = {"No E-Mail": (21306, 2262, 122, 13908.33), "Mens E-Mail": (21307, 3894, 267, 30311.69), "Womens E-Mail": (21387, 3238, 189, 23038.11)}


@pytest.fixture(scope="module")
def hillstrom():
    people = pd.read_csv(real_data.path("hillstrom") / "hillstrom.csv")
    return people.assign(contact_id=people.index.astype(str))   # the rows' numbers


def test_hillstrom_by_arm(hillstrom):
    history = jm.History(contacts=hillstrom)
    assert (history.contacts_count, len(history.rejected)) == (64000, 0)
    kpi = {"every": "year", "direction": "up", "by": ["contact.segment"]}
    rates = {what: kpi | {"value": f"members(exists(segment) and {what} == 1) / members(exists(segment))"} for what in ("visit", "conversion")}
    rows = jm.Playbook.from_dict({"timezone": "UTC", "kpis": rates}).kpis(history, start="2008-01-01T00:00:00Z", end="2009-01-01T00:00:00Z").to_pylist()
    cells = {(row["kpi"], row["contact.segment"]): (row["numerator"], row["denominator"]) for row in rows}
    for arm, (people, visits, conversions, _) in ARMS.items():
        assert cells["visit", arm] == (visits, people)
        assert cells["conversion", arm] == (conversions, people)
    for (what, arm), cell in cells.items():
        rows = hillstrom if arm is None else hillstrom[hillstrom["segment"] == arm]
        assert cell == (rows[what].sum(), len(rows))
    selected = {arm: history.select(f'segment == "{arm}" and visit == 1', at="2008-06-01T00:00:00Z").count for arm in ARMS}
    assert selected == {arm: visits for arm, (_, visits, _, _) in ARMS.items()}


def test_hillstrom_spend_by_arm(hillstrom):
    """Spend is an attribute there, and attributes are not summed: as an event of each person it is."""
    history = jm.History(contacts=hillstrom, events=hillstrom[["contact_id", "spend"]].assign(event="followed_up", timestamp="2008-03-20T00:00:00Z"))
    kpi = {"value": "sum(followed_up.spend)", "every": "year", "direction": "up", "by": ["contact.segment"]}
    rows = jm.Playbook.from_dict({"timezone": "UTC", "kpis": {"spend": kpi}}).kpis(history).to_pylist()
    assert {row["contact.segment"]: row["value"] for row in rows if row["contact.segment"]} == {arm: spend for arm, (_, _, _, spend) in ARMS.items()}
