"""Lifetime value from histories: occasions, groups, discounting, and what is said where the models do not fit."""

import datetime

import journeyman as jm
import numpy
import pytest
from journeyman import statistics

UTC = datetime.timezone.utc
START = datetime.datetime(2024, 1, 1, tzinfo=UTC)
END = "2024-12-31T23:00:00Z"


def donors(n=1500, seed=3):
    """Donors who give in a month or not, and leave at the beginning of one: x, t_x, T as they were drawn, and as a history."""
    r = numpy.random.default_rng(seed)
    table, events = {"x": [], "t_x": [], "T": []}, []
    for k in range(n):
        rate, drop, first, habit = r.beta(1.2, 0.8), r.beta(0.7, 2.8), int(r.integers(0, 6)), 1 / r.gamma(4, 1 / 15)
        give = lambda month, k=k, habit=habit: events.append({"contact_id": k, "event": "gift", "amount": float(r.gamma(1.5, 100 * habit)), "channel": ["mail", "fair"][k % 2],  # noqa: E731
                                                 "timestamp": datetime.datetime(2024, month + 1, int(r.integers(1, 29)), tzinfo=UTC)})  # fmt: skip
        give(first)
        x = t_x = 0
        for month in range(first + 1, 12):
            if r.random() < drop:
                break
            if r.random() < rate:
                x, t_x = x + 1, month - first
                for _ in range(int(r.integers(1, 3))):   # several in a month are one
                    give(month)
        for name, value in (("x", x), ("t_x", t_x), ("T", 11 - first)):
            table[name].append(float(value))
    return table, jm.History(events=events, contacts=[{"contact_id": k, "size": "small" if k % 3 else "large"} for k in range(n)])


def test_occasions_come_from_a_history_month_by_month():
    table, history = donors()
    v = jm.lifetime_value(history, purchase="gift.amount", model="bg_bb", unit="month", until=END)
    plain = statistics.fit_purchases("bg_bb", table["x"], table["t_x"], table["T"])
    assert v.fitted.converged and v.fitted.estimates == pytest.approx(plain.estimates, rel=1e-9)
    rows = v.to_pandas().sort_values("contact_id")
    assert rows["x"].tolist() == table["x"] and rows["t_x"].tolist() == table["t_x"] and rows["T"].tolist() == table["T"]
    assert "BG/BB" in v.summary() and "12 months" in v.summary() and sum(r["actual"] for r in v.fit_by_frequency.to_pylist()) == 1500
    with pytest.raises(jm.Error, match="one occasion"):
        jm.lifetime_value(history, purchase="gift.amount", model="bg_bb", unit="month", scale=2, until=END)


@pytest.mark.parametrize("model, unit", [("bg_nbd", "day"), ("mbg_nbd", "day"), ("pareto_nbd", "day"), ("bg_bb", "month")])
def test_value_is_the_discounted_sum_of_what_is_expected_by_contact_and_by_group(model, unit):
    _, history = donors(seed=5)
    v = jm.lifetime_value(history, purchase="gift.amount", model=model, unit=unit, until=END, by="channel", period=3, periods=4, rate=0.02)
    rows = v.to_pylist()
    assert v.spend_fitted.converged
    p, q, scale = v.spend_fitted.estimates
    for r in rows[:40]:
        until = [v.model.expected(r["x"], r["t_x"], r["T"], 3 * k) for k in range(5)]
        spend = statistics.gamma_gamma_mean(p, q, scale, r["x"], r["money"])
        assert r["alive"] == pytest.approx(v.model.alive(r["x"], r["t_x"], r["T"])) and r["expected"] == pytest.approx(until[4])
        assert r["value"] == pytest.approx(spend * statistics.discounted_value(numpy.diff(until).tolist(), rate=0.02))
    for g in v.groups.to_pylist():
        mine = [r for r in rows if r["group"] == g["group"]]
        assert g["customers"] == len(mine) and g["value"] == pytest.approx(sum(r["value"] for r in mine)) and g["value_each"] == pytest.approx(g["value"] / len(mine))


def test_groups_are_read_at_the_first_purchase():
    _, history = donors(300)
    later = history.append(contacts=[{"contact_id": 0, "timestamp": datetime.datetime(2024, 12, 1, tzinfo=UTC), "size": "small"}])
    of = lambda h, by, **how: {r["contact_id"]: r["group"] for r in jm.lifetime_value(h, purchase="gift.amount", until=END, by=by, **how).to_pylist()}  # noqa: E731
    assert of(later, "contact.size")[0] == "large"   # what the customer was, not what they became
    playbook = jm.Playbook.from_dict({"timezone": "UTC", "dimensions": {"way": {"value": "first(gift.channel)"}}, "segments": {"big": 'size == "large"'}})
    assert of(history, "way", playbook=playbook) == of(history, "channel")
    assert set(of(history, 'segment("big")', playbook=playbook).values()) == {"true", "false"} or len(set(of(history, 'segment("big")', playbook=playbook).values())) == 2


def test_amounts_that_are_alike_count_as_their_mean():
    _, history = donors(300)
    events = [{**e, "amount": 25.0} for e in history.events().to_pylist()]
    v = jm.lifetime_value(jm.History(events=events), purchase="gift.amount", model="bg_bb", unit="month", until=END)
    assert v.mean_purchase > 25 and "every purchase counts as their mean" in v.summary()   # of months with one or two gifts
    for r in v.to_pylist()[:20]:
        assert r["spend"] == pytest.approx(v.mean_purchase) and r["value"] == pytest.approx(r["expected"] * v.mean_purchase)


def test_without_customers_it_is_said():
    with pytest.raises(jm.Error, match="there are no customers"):
        jm.lifetime_value(jm.History.from_records([]), purchase="gift.amount", until=END)
