"""The SkillTime example: its sample history can be made anew, and what its playbooks say is what pandas counts."""

import importlib.util
import math
import pathlib

import journeyman as jm
import pandas as pd
import pyarrow.parquet as pq
import pytest

FOLDER = pathlib.Path(__file__).parents[2] / "examples" / "skilltime"
TABLES = ["contacts", "accounts", "events", "spend"]
END = pd.Timestamp("2026-04-01", tz="Europe/Rome")


def path(name):
    return FOLDER / "history" / f"{name}.parquet"


@pytest.fixture(scope="module")
def history():
    return jm.History(**{name: path(name) for name in TABLES})


@pytest.fixture(scope="module")
def webinar():
    return jm.Playbook.load(FOLDER / "webinar.yaml")


@pytest.fixture(scope="module")
def kpis(webinar, history):
    return webinar.kpis(history, end=END.isoformat()).to_pandas()


@pytest.fixture(scope="module")
def events():
    return pd.read_parquet(path("events"))


def attributes(at):
    """The contacts' attributes as of an instant (excluded), by contact: of each its last value, unless cleared since."""
    log = pd.read_parquet(path("contacts"))
    log = log[log["timestamp"] < at]
    known = log.groupby("contact_id").last()
    for row in log[log["cleared"].notna()].itertuples():
        later = log[(log["contact_id"] == row.contact_id) & (log["timestamp"] > row.timestamp)]
        for name in row.cleared.split(","):
            if later[name].isna().all():
                known.loc[row.contact_id, name] = None
    return known


def by_period(instants, unit):
    """How many instants fall into each calendar period in Rome, by its first instant."""
    start = instants.dt.tz_convert("Europe/Rome").dt.tz_localize(None).dt.to_period(unit).dt.start_time
    return start.dt.tz_localize("Europe/Rome").value_counts()


def first(events, name):
    """When each contact first did it."""
    return events[events["event"] == name].groupby("contact_id")["timestamp"].min()


def rows(kpis, name):
    """The totals of a KPI, by period."""
    found = kpis[kpis["kpi"] == name]
    assert len(found) > 0
    return found.set_index("period")


def test_the_history_is_made_anew(tmp_path):
    spec = importlib.util.spec_from_file_location("make_history", FOLDER / "make_history.py")
    make_history = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_history)
    for folder in ("once", "twice"):
        make_history.main(tmp_path / folder)
    for name in TABLES:
        assert (tmp_path / "once" / f"{name}.parquet").read_bytes() == (tmp_path / "twice" / f"{name}.parquet").read_bytes()
        # Not their bytes: those differ from one version of Arrow to the next.
        assert pq.read_table(tmp_path / "once" / f"{name}.parquet").equals(pq.read_table(path(name)))


def test_the_history_is_of_the_promised_size(history):
    assert history.contacts_count == 5000
    assert 90_000 < history.events_count < 110_000
    assert len(history.rejected) == 0
    assert sum(path(name).stat().st_size for name in TABLES) < 1_500_000


@pytest.mark.parametrize("design", ["webinar", "trial"])
def test_the_check_finds_nothing(history, design):
    found = jm.Playbook.load(FOLDER / f"{design}.yaml").check(history)
    assert [p for p in found if p.severity != "note"] == []
    assert {p.code for p in found} == {"workflow.sends", "workflow.passage", "workflow.kpi"}


def test_sizes_of_segments(webinar, history):
    got = {r["segment"]: r for r in webinar.sizes(history, END.isoformat()).to_pylist()}
    known = attributes(END)
    for segment, audience, attribute, value in [
        ("b2c_freelance", "B2C", "occupation", "freelance"),
        ("b2c_unemployed", "B2C", "occupation", "unemployed"),
        ("b2b_hr", "B2B", "role", "hr"),
        ("b2b_manager", "B2B", "role", "manager"),
    ]:
        theirs = known[known["audience"] == audience][attribute]
        assert (got[segment]["members"], got[segment]["unknown"]) == ((theirs == value).sum(), theirs.isna().sum())


def test_coverage(webinar, history):
    coverage = webinar.coverage(history, END.isoformat())
    got = {(r["segment"], r["expression"]): (r["present"], r["members"]) for r in coverage.to_pylist()}
    known = attributes(END)
    unemployed = known[(known["audience"] == "B2C") & (known["occupation"] == "unemployed")]
    assert got["b2c_unemployed", "field_of_interest"] == (unemployed["field_of_interest"].notna().sum(), len(unemployed))
    accounts = pd.read_parquet(path("accounts")).groupby("account_id").last()
    managers = known[(known["audience"] == "B2B") & (known["role"] == "manager")]
    goals = managers["account_id"].map(accounts["training_goals"])
    assert got["b2b_manager", "account.training_goals"] == (goals.notna().sum(), len(managers))
    lacking = [r["contact_id"] for r in coverage.lacking.to_pylist() if (r["segment"], r["expression"]) == ("b2b_manager", "account.training_goals")]
    assert sorted(lacking) == sorted(goals.index[goals.isna()])


def test_conversion_of_leads(kpis, events):
    leads, customers = (by_period(first(events, name), "M") for name in ("form_submitted", "purchase"))
    got = rows(kpis, "lead_conversion")
    assert len(got) == 18
    for period, row in got.iterrows():
        assert (row["numerator"], row["denominator"]) == (customers[period], leads[period])
        assert row["value"] == customers[period] / leads[period]
        assert row["status"] == ("met" if row["value"] >= 0.15 else "missed")
    assert set(got["status"]) == {"met", "missed"}


def test_cost_per_acquisition(kpis, events):
    spend = pd.read_parquet(path("spend"))
    week = spend["timestamp"].dt.tz_convert("Europe/Rome").dt.tz_localize(None).dt.to_period("W").dt.start_time.dt.tz_localize("Europe/Rome")
    spent = spend.groupby(week)["amount"].agg(math.fsum)
    customers = by_period(first(events, "purchase"), "W")
    got = rows(kpis, "cpa")
    assert len(got) == 79
    for period, row in got.iterrows():
        assert row["numerator"] == spent[period]
        assert row["denominator"] == customers.get(period, 0)
        assert row["denominator"] == 0 or row["value"] == spent[period] / customers[period]
    assert {"met", "missed"} <= set(got["status"])


def test_cost_per_acquisition_by_channel(webinar, history, events):
    """The channel of a customer is that of their first form; spend has a column of that name."""
    got = webinar.kpis(history, end=END.isoformat(), by=["channel"], only=["cpa"]).to_pandas().dropna(subset="channel")
    got = got.groupby("channel")[["numerator", "denominator"]].sum()
    forms = events[events["event"] == "form_submitted"].sort_values("timestamp", kind="stable")
    acquired = forms.groupby("contact_id")["channel"].first().loc[first(events, "purchase").index].value_counts()
    spent = pd.read_parquet(path("spend")).groupby("channel")["amount"].sum()
    assert dict(got["denominator"]) == dict(acquired)
    assert got["numerator"].to_dict() == pytest.approx(spent.reindex(got.index).fillna(0).to_dict())


def test_repurchase_of_freelances(kpis, events):
    purchases = events[events["event"] == "purchase"]
    for period, row in rows(kpis, "repurchase_freelance").iterrows():
        end = min(period.tz_convert("Europe/Rome") + pd.DateOffset(months=1), END)
        known = attributes(end)
        freelances = known.index[(known["audience"] == "B2C") & (known["occupation"] == "freelance")]
        bought = purchases[(purchases["timestamp"] < end) & purchases["contact_id"].isin(freelances)].groupby("contact_id").size()
        assert (row["numerator"], row["denominator"]) == ((bought > 1).sum(), len(bought))


def test_repurchases_within_90_days(kpis, events):
    purchases = events[events["event"] == "purchase"].sort_values(["contact_id", "timestamp"], kind="stable")
    nth = purchases.groupby("contact_id").cumcount()
    start = purchases[nth == 0].set_index("contact_id")["timestamp"]
    again = purchases[nth == 1].set_index("contact_id")["timestamp"].reindex(start.index)
    mature = start + pd.Timedelta(days=90) < END
    back = again - start <= pd.Timedelta(days=90)
    got = rows(kpis, "result_repurchases")
    for measure, chosen in (("numerator", mature & back), ("denominator", mature), ("immature", ~mature)):
        expected = by_period(start[chosen], "Q")
        assert {p: n for p, n in got[measure].items() if n} == dict(expected)
    # The baseline is one cohort, of October 2024 to September 2025; the aim is 30 % more.
    year = (start >= pd.Timestamp("2024-10-01", tz="Europe/Rome")) & (start < pd.Timestamp("2025-10-01", tz="Europe/Rome"))
    assert got["target"].iloc[0] == pytest.approx((year & back).sum() / year.sum() * 1.3)


def test_every_kpi_has_values_and_some_targets_are_missed(history, webinar):
    trial = jm.Playbook.load(FOLDER / "trial.yaml")
    for playbook in (webinar, trial):
        report = playbook.kpis(history, end=END.isoformat())
        table = report.to_pandas()
        for name in playbook.to_dict()["kpis"]:
            assert table[table["kpi"] == name]["value"].gt(0).any(), name
        assert set(table["status"].dropna()) == {"met", "missed", "no_data"}
        assert len(report.improve) > 0


def test_journeys_of_the_webinar(history, webinar, events):
    run = webinar.replay(history, until=END.isoformat())
    forms = events[(events["event"] == "form_submitted") & (events["form"] == "webinar")].sort_values("timestamp", kind="stable")
    log = pd.read_parquet(path("contacts")).sort_values("timestamp", kind="stable")
    freelance = log["audience"].eq("B2C").groupby(log["contact_id"]).transform("max")
    log = log[freelance & log["occupation"].notna()]
    # As of the form, included: an attribute change comes before an event of the same instant.
    at_form = pd.merge_asof(forms, log[["contact_id", "timestamp", "occupation"]], on="timestamp", by="contact_id")
    entered = at_form[at_form["occupation"] == "freelance"].groupby("contact_id")["timestamp"].min()
    journeys = run.journeys.to_pandas().set_index("contact_id")["entered_at"]
    assert journeys.sort_index().eq(entered.sort_index()).all() and len(journeys) == len(entered)

    # The welcome is suppressed exactly for those without consent at that moment, and never sent between 21:00 and 08:00 in Rome.
    welcome = run.actions.to_pandas().query("step == 'welcome' and status != 'deferred'").set_index("contact_id")
    consents = pd.read_parquet(path("contacts")).groupby("contact_id")["consent_email"].first().reindex(welcome.index)
    gone = first(events, "unsubscribed").reindex(welcome.index)
    allowed = consents.eq(True) & ~(gone <= welcome["at"])
    assert (welcome["status"] == "sent").eq(allowed).all()
    elsewhere = pd.read_parquet(path("contacts")).groupby("contact_id")["timezone"].last().reindex(welcome.index)
    hours = welcome.loc[elsewhere.isna() & allowed, "at"].dt.tz_convert("Europe/Rome").dt.hour
    assert hours.between(8, 20).all()
