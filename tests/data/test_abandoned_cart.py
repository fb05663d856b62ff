"""examples/abandoned_cart on the real file: the figures of ../shared/data/README.md, and every journey and e-mail as pandas and a loop count them."""

import collections
import datetime

import pandas as pd
import pytest
from data import real_data

pytestmark = pytest.mark.data

HOUR, DAY = pd.Timedelta(hours=1), pd.Timedelta(days=1)


@pytest.fixture(scope="module")
def cart():
    return real_data.example("abandoned_cart")


@pytest.fixture(scope="module")
def file():
    return real_data.path("ecom/ecom.csv.gz")


@pytest.fixture(scope="module")
def history(cart, file):
    return cart.read_history(file)


@pytest.fixture(scope="module")
def run(cart, history):
    return cart.read_playbook().replay(history, until=cart.END)


@pytest.fixture(scope="module")
def rows(file):
    return pd.read_csv(file, parse_dates=["timestamp"])


def after_the_night(t):
    """Quiet hours are [22:00, 08:00)."""
    if t.time() >= datetime.time(22):
        return t.normalize() + DAY + 8 * HOUR
    return t.normalize() + 8 * HOUR if t.time() < datetime.time(8) else t


def followed(carts, purchases):
    """(entered, left, outcome, sends) of each cart of one user, as a shop's clerk would keep them by hand.

    Carts and purchases are (time, row of the file): at one second the file's order counts.
    """
    out, sent, busy = [], [], (pd.Timestamp.min, 0)
    for cart in carts:
        if cart <= busy:
            continue
        bought, row = next((p for p in purchases if p > cart), (pd.Timestamp.max, 0))
        at, end, sends = cart[0], None, []
        for wait, step in ((HOUR, "reminder"), (DAY, "second_reminder"), (3 * DAY, "give_up")):
            at += wait
            if bought <= at:
                end = bought
                break
            if step == "give_up":
                break
            morning = after_the_night(at)
            if morning != at:
                sends.append((at, step, "deferred"))
                if bought <= morning:
                    end = bought
                    break
                at = morning
            room = sum(at < s + 7 * DAY for s in sent) < 3
            sends.append((at, step, "sent" if room else "suppressed"))
            if room:
                sent.append(at)
        out.append((cart[0], end or at, "goal" if end else "completed", sends))
        busy = (end, row) if end else (at, 10**9)   # timers come after what happened at that second
    return out


@pytest.fixture(scope="module")
def by_hand(rows):
    found = {user: {"add_to_cart": [], "purchase": []} for user in rows["user_id"].unique()}
    for row in rows[rows["event"].isin(["add_to_cart", "purchase"])].itertuples():
        found[row.user_id][row.event].append((row.timestamp, row.Index))
    return {user: followed(sorted(f["add_to_cart"]), sorted(f["purchase"])) for user, f in found.items()}


def test_the_funnel(cart, history, rows):
    assert (history.contacts_count, history.events_count, len(history.rejected)) == (600, 31_106, 0)
    did = lambda *names: set(rows[rows["event"].isin(names)]["user_id"])  # noqa: E731
    got = {s["stage"]: s["reached"] for s in cart.read_playbook().stages(history, cart.END).to_pylist()}
    looked, filled, bought = did("catalog", "product_view"), did("add_to_cart"), did("purchase")
    assert bought < filled <= looked
    assert got == {"Visited": 600, "Looked": len(looked), "Filled a cart": len(filled), "Bought": len(bought)}
    # In this order, at any distance: as ../shared/data/README.md has them.
    assert history.select("sequence(catalog, add_to_cart)", at=cart.END).count == 511
    assert history.select("sequence(catalog, add_to_cart, purchase)", at=cart.END).count == 285


def test_every_journey(run, by_hand):
    expected = sorted((user, entered, left, outcome) for user, carts in by_hand.items() for entered, left, outcome, _ in carts)
    got = run.journeys.to_pandas()
    naive = lambda c: got[c].dt.tz_localize(None)  # noqa: E731
    assert sorted(zip(got["contact_id"], naive("entered_at"), naive("left_at"), got["outcome"], strict=True)) == expected
    assert len(expected) > 1000


def test_every_send(run, by_hand):
    expected = sorted((user, *send) for user, carts in by_hand.items() for _, _, _, sends in carts for send in sends)
    got = run.actions.to_pandas()
    got = got[got["kind"] == "send"]
    assert sorted(zip(got["contact_id"], got["at"].dt.tz_localize(None), got["step"], got["status"], strict=True)) == expected
    counts = collections.Counter(status for _, _, _, status in expected)
    assert counts["sent"] > 1500 and counts["deferred"] > 50 and counts["suppressed"] > 20


def test_bought_within_an_hour(cart, history, rows):
    kpis = cart.read_playbook().kpis(history, end=cart.END).to_pandas()
    got = kpis[kpis["kpi"] == "bought_within_an_hour"].set_index("period")
    first = rows[rows["event"] == "add_to_cart"].groupby("user_id")["timestamp"].min()
    purchases = rows[rows["event"] == "purchase"].merge(first.rename("cart"), on="user_id")
    soon = purchases[(purchases["timestamp"] > purchases["cart"]) & (purchases["timestamp"] <= purchases["cart"] + HOUR)]["user_id"].unique()
    for period, row in got.iterrows():
        month = first[first.dt.to_period("M") == period.tz_localize(None).to_period("M")]
        assert (row["numerator"], row["denominator"]) == (month.index.isin(soon).sum(), len(month))
    assert got["denominator"].sum() == len(first)
