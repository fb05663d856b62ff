"""Predicates built by operators are the trees their texts are."""

import copy
import datetime
import json
import pickle

import journeyman as jm
import pytest

UTC = datetime.timezone.utc
buy = jm.event("purchase")
PAIRS = [
    (buy.last("30d").count() >= 2, "count(purchase, last 30d) >= 2"),
    (buy.last(datetime.timedelta(days=30)).did(), "did(purchase, last 30d)"),
    (buy.where(jm.prop("amount") >= 50).where('channel == "ads"').did(), 'did(purchase where amount >= 50 and channel == "ads")'),
    ((jm.attr("a") == "x") & (jm.attr("b") > 1) | ~jm.attr("vip"), 'a == "x" and b > 1 or not vip'),
    ((jm.attr("a") == 1) & (jm.attr("b") == 2) & (jm.attr("c") == 3), "a == 1 and b == 2 and c == 3"),
    (buy.sum("amount") / buy.count() > 2 * jm.attr("n") - 1, "sum(purchase.amount) / count(purchase) > 2 * n - 1"),
    (jm.now - buy.last_time() > jm.duration("60d"), "now - last_time(purchase) > 60d"),
    (jm.now - buy.last_time() > datetime.timedelta(days=60), "now - last_time(purchase) > 60d"),
    (jm.now + "5d" > jm.attr("due"), "now + 5d > due"),
    (jm.event("page_viewed").last("page") == "/p7", 'last(page_viewed.page) == "/p7"'),
    (jm.event("page_viewed").property("page").last() == "/p7", 'last(page_viewed.page) == "/p7"'),
    (jm.attr("account.size").between(10, 50), "account.size between 10 and 50"),
    (jm.attr("city").in_(["Roma", "Milano"]), 'city in ["Roma", "Milano"]'),
    (jm.attr("city").not_in(["Roma"]), 'city not in ["Roma"]'),
    (jm.attr("email").ends_with(".edu") | jm.attr("email").missing(), 'email ends_with ".edu" or missing(email)'),
    (jm.attr("vip") == True, "vip == true"),  # noqa: E712
    (buy.this("month").did() & buy.previous("year").never(), "did(purchase, this month) and never(purchase, previous year)"),
    (buy.since("2026-01-31").did(), 'did(purchase, since "2026-01-31")'),
    (jm.sequence("page_viewed", buy, within="14d"), "sequence(page_viewed, purchase, within 14d)"),
    (jm.event("cart").without(buy, on="cart_id", within="1h").last("3d").did(), "did(cart without purchase on cart_id within 1h, last 3d)"),
    (jm.event("form_*").did(), "did(form_*)"),
    (jm.attr("day") == datetime.date(2026, 1, 2), 'day == "2026-01-02"'),
]


@pytest.mark.parametrize(("built", "text"), PAIRS, ids=[t for _, t in PAIRS])
def test_built_is_written(built, text):
    assert built.equals(jm.predicate(text)), str(built)
    assert jm.predicate(str(built)).equals(built)
    assert pickle.loads(pickle.dumps(built)).equals(built)
    assert copy.deepcopy(built).equals(built)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: jm.attr("a") == 1 & jm.attr("b"), "parentheses"),
        (lambda: jm.attr("a") + 1 & jm.attr("b"), "parentheses"),
        (lambda: jm.attr("a") & "b == 1", "parentheses"),
        (lambda: ~(jm.attr("a") + 1), "parentheses"),
        (lambda: 1 < jm.attr("a") < 3, "between"),
        (lambda: jm.attr("a") in [1, 2], "in_"),
        (lambda: (jm.attr("a") == 1) and True, "&"),
        (lambda: jm.attr("a") == None, "missing"),  # noqa: E711
        (lambda: bool(buy), "did"),
        (lambda: jm.attr("a") == buy, "count"),
        (lambda: jm.attr("a").in_("Roma"), "list"),
        (lambda: jm.attr("a") == object(), "predicate"),
        (lambda: {jm.attr("a")}, "unhashable"),
    ],
)
def test_what_python_would_get_wrong_is_refused(wrong, says):
    with pytest.raises(TypeError, match=says):
        wrong()


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (lambda: buy.last("30 dd"), "input.duration"),
        (lambda: buy.this("mnth"), "name.unknown"),
        (lambda: jm.attr("a") == 2**64, "input.number"),
        (lambda: jm.attr("a") == float("nan"), "predicate.value"),
        (lambda: jm.attr("a") > datetime.datetime(2026, 1, 1), "input.instant"),
        (lambda: buy.where("amount >"), "predicate.syntax"),
    ],
)
def test_errors_have_codes(wrong, code):
    with pytest.raises(jm.Error) as e:
        wrong()
    assert e.value.code == code


def test_a_built_predicate_selects():
    h = jm.History(events={"contact_id": ["a", "b", "a"], "event": ["purchase"] * 3, "timestamp": ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z"]})
    assert h.select(buy.last("30d").count() >= 2, at="2026-01-30T23:59:59.999999Z").ids == ["a"]
    assert h.select(buy.last("30d").count() >= 2, at=datetime.datetime(2026, 1, 31, tzinfo=UTC)).ids == []
    assert h.select('segment("loyal")', at="2026-01-06T00:00:00Z", segments={"loyal": buy.count() >= 2}).ids == ["a"]


def test_json_form() -> None:
    p = jm.predicate('count(purchase where amount >= 50, last 30d) >= 2 and audience == "B2C"')
    tree = {
        "and": [
            {">=": [{"count": {"event": "purchase", "where": {">=": [{"prop": "amount"}, 50]}, "last": "30d"}}, 2]},
            {"==": [{"attr": "audience"}, "B2C"]},
        ]
    }
    assert json.loads(p.to_json()) == tree
    assert jm.Expression.from_json(tree).equals(p)
    assert jm.Expression.from_json(p.to_json()).equals(p)
    s = jm.event("purchase").where(jm.prop("amount") > 5).last("1mo")
    assert jm.Selector.from_json(s.to_json()).equals(s)
    assert jm.Selector.from_json('"purchase"').equals(jm.event("purchase"))


def test_json_errors_have_a_pointer() -> None:
    with pytest.raises(jm.Error) as e:
        jm.Expression.from_json({"and": [True, {"==": [{"att": "x"}, 1]}]})
    assert (e.value.code, e.value.place) == ("predicate.syntax", "#/and/1/==/0/att") and "attr" in str(e.value)
    with pytest.raises(jm.Error) as e:
        jm.Expression.from_json({"==": [{"attr": "x"}, float("nan")]})
    assert e.value.code == "predicate.syntax"
    deep: object = True
    for _ in range(70):
        deep = {"not": deep}
    with pytest.raises(jm.Error) as e:
        jm.Expression.from_json(deep)  # type: ignore[arg-type]
    assert e.value.code == "predicate.limit"
