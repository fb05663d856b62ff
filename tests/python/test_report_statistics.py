"""The `report:` of a playbook: read, checked, written back, and answered in the page."""

import datetime

import journeyman as jm
import numpy
import pytest

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
REPORT = {
    "Does a gift sell more": {"experiment": {"split": "hello.offer", "metrics": {"bought": 'did(purchase, since changed_time(attr("hello.offer")))',
                                                                                 "basket": ["sum(purchase.amount)", "count(purchase)"]}, "weights": {"gift": 1, "end": 1}}},
    "Which channel earned it": {"attribution": {"touch": "lead.channel", "conversion": "purchase.amount", "within": "30d", "models": ["last", "markov"]}},
    "What a customer is worth": {"lifetime_value": {"purchase": "purchase.amount", "by": ["way"], "model": "bg_nbd", "period": 30, "rate": 0.01}},
    "How long it takes": {"survival": {"start": "lead", "event": "purchase", "by": ["channel", 'segment("far")'], "level": 0.9}},
}  # fmt: skip
PLAYBOOK = {
    "timezone": "Europe/Rome", "segments": {"far": "far"}, "dimensions": {"way": {"value": "first(lead.channel)"}},
    "workflows": {"hello": {"trigger": {"event": "lead"}, "first": "offer", "steps": {"offer": {"split": [{"weight": 1, "then": "gift"}, {"weight": 1, "then": "end"}]}, "gift": {"send": "email"}}}},
    "report": REPORT,
}  # fmt: skip


@pytest.fixture(scope="module")
def history():
    r = numpy.random.default_rng(1)
    events = []
    for k in range(600):
        lead = START + datetime.timedelta(days=float(r.uniform(0, 60)))
        events.append({"contact_id": k, "event": "lead", "timestamp": lead, "channel": ["ads", "mail"][k % 2]})
        rate, t = r.gamma(0.6, 0.1), 0.0
        while r.random() > 0.2 and (t := t + r.exponential(1 / rate)) < 120:
            events.append({"contact_id": k, "event": "purchase", "timestamp": lead + datetime.timedelta(days=t), "amount": float(r.gamma(4, 10))})
    return jm.History(events=events, contacts=[{"contact_id": k, "far": k % 3 == 0} for k in range(600)])


def test_it_is_read_checked_written_and_read_again(history):
    pb = jm.Playbook.from_dict(PLAYBOOK)
    assert pb.to_dict()["report"]["How long it takes"] == REPORT["How long it takes"]
    assert pb.to_dict()["report"]["Does a gift sell more"] == REPORT["Does a gift sell more"]
    assert jm.Playbook.parse(pb.to_yaml()) == pb and jm.Playbook.from_dict(pb.to_dict()) == pb
    assert pb.check().errors == 0 and pb.check(history).errors == 0


def test_the_page_has_what_the_calls_give(history, tmp_path):
    pb = jm.Playbook.from_dict(PLAYBOOK)
    run = pb.replay(history)
    found = pb.statistics(history, run)
    split = jm.experiment(run, split="hello.offer", metrics={"bought": 'did(purchase, since changed_time(attr("hello.offer")))', "basket": ("sum(purchase.amount)", "count(purchase)")}, playbook=pb)
    direct = {"Does a gift sell more": split,
              "Which channel earned it": jm.attribution(run.history, touch="lead.channel", conversion="purchase.amount", within="30d", models=["last", "markov"], playbook=pb),
              "What a customer is worth": jm.lifetime_value(run.history, purchase="purchase.amount", by="way", period=30, rate=0.01, playbook=pb),
              "How long it takes": jm.survival(run.history, start="lead", event="purchase", by=["channel", 'segment("far")'], level=0.9, playbook=pb)}  # fmt: skip
    page = pb.report(history, run, tmp_path / "report.html").read_text()
    for title, result in direct.items():
        assert found[title].to_pylist() == result.to_pylist()
        assert result.summary().split(". ")[0].replace("'", "&#x27;") in page and f'aria-label="{title}"' in page
    assert page.index("Does a gift") < page.index("Which channel") < page.index("What a customer") < page.index("How long")


def test_the_end_of_the_report_is_theirs_and_what_cannot_be_said_is_said(history, tmp_path):
    pb = jm.Playbook.from_dict(PLAYBOOK)
    end = START + datetime.timedelta(days=30)
    found = pb.statistics(history, end=end)
    assert found["Does a gift sell more"].code == "statistics.run"
    last = end - datetime.timedelta(microseconds=1)
    assert found["How long it takes"].to_pylist() == jm.survival(history, start="lead", event="purchase", by=["channel", 'segment("far")'], level=0.9, until=last, playbook=pb).to_pylist()
    page = pb.report(history, path=tmp_path / "report.html", end=end).read_text()
    assert "who went which way only a run knows" in page and "How long it takes" in page


def part(statistic, settings):
    return {**PLAYBOOK, "report": {"r": {statistic: settings}}}


@pytest.mark.parametrize("statistic, settings, code, place", [
    ("experiment", {"metrics": {"m": "did(purchase)"}}, "playbook.missing", "report.r.experiment"),
    ("experiment", {"split": "hello.gift", "metrics": {"m": "did(purchase)"}}, "name.unknown", "report.r.experiment.split"),
    ("experiment", {"arm": "far", "metrics": {"m": "near + 1"}}, "name.unknown", "report.r.experiment.metrics.m"),
    ("experiment", {"arm": "far", "metrics": {"m": ["count(purchase)", 'far > "x"']}}, "type.mismatch", "report.r.experiment.metrics.m.1"),
    ("experiment", {"arm": "far", "metrics": {"m": "did(purchase)"}, "before": {"n": "1"}}, "name.unknown", "report.r.experiment.before.n"),
    ("attribution", {"touch": "lead.chanel", "conversion": "purchase"}, "name.unknown", "report.r.attribution.touch"),
    ("attribution", {"touch": "lead.channel", "conversion": "purchase", "who": "1 + 1"}, "type.not_a_predicate", "report.r.attribution.who"),
    ("attribution", {"touch": "lead.channel", "conversion": "purchase", "until": "soon"}, "playbook.value", "report.r.attribution.until"),
    ("lifetime_value", {"by": "chanel"}, "name.unknown", "report.r.lifetime_value.by"),
    ("survival", {"start": "lead"}, "playbook.missing", "report.r.survival"),
    ("survival", {"start": "lead", "event": "purchase", "by": ["way", 'segment("near")']}, "segment.unknown", "report.r.survival.by.1"),
])  # fmt: skip
def test_mistakes_are_found_by_the_check_at_their_place(history, statistic, settings, code, place):
    found = [p for p in jm.Playbook.from_dict(part(statistic, settings)).check(history) if p.severity == "error"]
    assert [(p.code, p.place.split(":")[0]) for p in found] == [(code, place)], found


@pytest.mark.parametrize("statistic, settings, message", [
    ("experiment", {"metric": {"m": "did(purchase)"}}, "no key `metric`. Did you mean metrics"),
    ("experiment", {"arm": "far"}, "needs `metrics`"),
    ("experiment", {"arm": "far", "metrics": {"m": "did("}}, "report.r.experiment.metrics.m"),
    ("experiment", {"arm": {"attr": "far"}, "metrics": {"m": "1"}}, "written as a text"),
    ("attribution", {"touch": ["a"], "conversion": "b"}, "written as a text"),
    ("attribution", {"touch": "a", "conversion": "b", "models": "best"}, "`models`"),
    ("attribution", {"touch": "a", "conversion": "b", "order": 6}, "at most 5"),
    ("lifetime_value", {"scale": 0}, "above 0"),
    ("survival", {"start": "a", "lapse": "soon"}, "duration"),
    ("survival", {"start": "a.b", "event": "b", "level": 95}, "between 0 and 1"),
])  # fmt: skip
def test_what_cannot_be_read_is_refused(statistic, settings, message):
    with pytest.raises(jm.Error) as e:
        jm.Playbook.from_dict(part(statistic, settings))
    assert message in str(e.value)
