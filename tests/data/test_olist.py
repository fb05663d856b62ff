"""examples/olist on the real files: the figures of ../shared/data/README.md, and what pandas counts."""

import pandas as pd
import pytest
from data import real_data

pytestmark = pytest.mark.data

BY_ORIGIN = {
    "organic_search": (271, 2296),
    "paid_search": (195, 1586),
    "social": (75, 1350),
    "unknown": (179, 1099),
    "direct_traffic": (56, 499),
    "email": (15, 493),
    "referral": (24, 284),
}


@pytest.fixture(scope="module")
def folder():
    return real_data.path("olist")


@pytest.fixture(scope="module")
def olist():
    return real_data.example("olist")


@pytest.fixture(scope="module")
def history(olist, folder):
    return olist.read_history(folder)


@pytest.fixture(scope="module")
def kpis(olist, history):
    return olist.read_playbook().kpis(history, end=olist.END)


@pytest.fixture(scope="module")
def leads(folder):
    """One row a lead, with the day it came and the minute it was won, both as the files say them."""
    leads = pd.read_csv(folder / "leads.csv", keep_default_na=False, parse_dates=["first_contact_date"])
    deals = pd.read_csv(folder / "closed_deals.csv")
    deals["won_date"] = pd.to_datetime(deals["won_date"], format="%m/%d/%Y %H:%M")
    return leads.merge(deals[["mql_id", "won_date"]], on="mql_id", how="left", validate="one_to_one")


def test_everything_is_read(olist, history):
    assert (history.contacts_count, history.events_count, len(history.rejected)) == (8000, 8842, 0)
    assert list(olist.read_playbook().check(history)) == []


def test_won_by_origin(olist, kpis, leads):
    won = olist.by_origin(kpis, "won_of_leads")
    assert won["all"] == (842, 8000)
    [total] = [row for row in olist.rows(kpis, "won_of_leads") if row["origin"] is None]
    assert total["value"] == 0.10525
    assert not total["partial"]
    assert {origin: won[origin] for origin in BY_ORIGIN} == BY_ORIGIN
    counted = leads.groupby(leads["origin"].replace("", "(missing)"))["won_date"].agg(["count", "size"])
    assert {origin: cell for origin, cell in won.items() if origin != "all"} == {origin: (row["count"], row["size"]) for origin, row in counted.iterrows()}


@pytest.mark.parametrize(("days", "expected"), [(30, 546), (90, 690)])
def test_won_within(olist, kpis, leads, days, expected):
    took = leads["won_date"] - leads["first_contact_date"]
    in_time = (took >= pd.Timedelta(0)) & (took <= pd.Timedelta(days=days))
    assert in_time.sum() == expected

    months = olist.by_month(kpis, f"won_within_{days}_days")
    assert (sum(n for n, _ in months.values()), sum(n for _, n in months.values())) == (expected, 8000)
    by_month = in_time.groupby(leads["first_contact_date"].dt.strftime("%Y-%m")).agg(["sum", "size"])
    assert months == {month: (row["sum"], row["size"]) for month, row in by_month.iterrows()}

    origins = olist.by_origin(kpis, f"cohort_{days}_days")
    assert origins["all"] == (expected, 8000)
    by_origin = in_time.groupby(leads["origin"].replace("", "(missing)")).agg(["sum", "size"])
    assert {origin: cell for origin, cell in origins.items() if origin != "all"} == {origin: (row["sum"], row["size"]) for origin, row in by_origin.iterrows()}
    assert {row["immature"] for row in kpis.to_pylist() if row["kpi"].endswith(f"{days}_days")} == {0}


def test_customers_of_a_month_per_lead_of_the_month(olist, kpis, leads):
    came = leads["first_contact_date"].dt.strftime("%Y-%m").value_counts()
    won = leads["won_date"].dropna().dt.strftime("%Y-%m").value_counts()
    assert olist.by_month(kpis, "month_by_month") == {month: (won.get(month, 0), n) for month, n in came.items()}


def test_the_deal_before_its_lead(olist, history, leads):
    early = leads[leads["won_date"] < leads["first_contact_date"]]
    assert olist.won_before_their_lead(history) == list(early["mql_id"])
    assert len(early) == 1
    # Who is a customer at the end counts it; the cohorts do not, though the time between the two is less than 30 days.
    kpis = olist.read_playbook().kpis(history, end=olist.END, by=["first_time(won) < first_time(lead)"], only=["won_of_leads"])
    cells = {row["first_time(won) < first_time(lead)"]: int(row["numerator"]) for row in kpis.to_pylist() if row["origin"] not in (None, "(missing)")}
    assert cells["true"] == 1
    took = leads["won_date"] - leads["first_contact_date"]
    assert (took <= pd.Timedelta(days=30)).sum() == olist.by_origin(olist.read_playbook().kpis(history, end=olist.END), "cohort_30_days")["all"][0] + 1


def test_segments_are_the_origins(olist, history, leads):
    sizes = {row["segment"]: row["members"] for row in olist.read_playbook().sizes(history).to_pylist()}
    assert sizes.pop("leads") == 8000
    assert sizes.pop("won") == 842
    assert sizes.pop("no_origin") == 60
    assert sizes == {origin: (leads["origin"] == origin).sum() for origin in sizes}
    assert sizes == {origin: size for origin, (_, size) in BY_ORIGIN.items()}


def test_it_prints_its_tables(olist, folder, capsys):
    olist.main(folder)
    out = capsys.readouterr().out
    assert "10.525%" in out
    assert "Look at:" in out


def test_without_the_files_it_says_what_to_give(olist, tmp_path):
    with pytest.raises(SystemExit, match="Give the folder"):
        olist.main(tmp_path)
