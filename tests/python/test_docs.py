"""What README.md and docs/ show runs as it stands."""

import datetime
import doctest
import pathlib
import random
import re

import journeyman as jm
import pytest

ROOT = pathlib.Path(__file__).parents[2]


def blocks(page, language):
    found = re.findall(rf"^```{language}\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert found, f"{page} has no block of {language}"
    return found


def test_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)   # it writes a report
    names = {}
    for code in blocks("README.md", "python"):
        exec(compile(code, "README.md", "exec"), names)
    assert {p.severity for p in names["playbook"].check(names["history"])} == {"note"}
    assert {row["contact_id"]: row["outcome"] for row in names["run"].journeys.to_pylist()} == {"anna": "goal", "bea": "completed"}
    assert [row["contact_id"] for row in names["run"].actions.to_pylist()] == ["anna", "bea", "bea"]
    rows = {row["kpi"]: row for row in names["playbook"].kpis(names["history"], names["run"]).to_pylist()}
    assert (rows["conversion"]["value"], rows["conversion"]["status"], rows["revenue"]["value"]) == (0.5, "met", 99.5)


@pytest.mark.parametrize("text", blocks("docs/playbook.md", "yaml"))
def test_the_playbook_of_the_docs_is_sound(text):
    playbook = jm.Playbook.parse(text)
    assert [p for p in playbook.check() if p.severity == "error"] == []
    assert jm.Playbook.parse(playbook.to_yaml()) == playbook


def test_the_segment_tools_of_the_docs_run():
    start = "2026-01-0{}T00:00:00Z".format
    events = [{"contact_id": "anna", "event": e, "timestamp": start(d), "amount": a} for e, d, a in (("form_submitted", 1, None), ("purchase", 2, 5.0), ("login", 9, None))]
    names = {"history": jm.History(contacts=[{"contact_id": "anna", "city": "Roma"}], events=events)}
    for code in blocks("docs/segments.md", "python"):
        exec(compile(code, "docs/segments.md", "exec"), names)
    assert [(f["orders"], f["spent"], f["city"]) for f in names["features"].to_pylist()] == [(1, 5.0, "Roma")]


@pytest.mark.parametrize("page", ["docs/funnels.md", "docs/retention.md"])
def test_the_funnels_and_retention_of_the_docs_run(page):
    start = "2026-01-0{}T00:00:00Z".format
    rows = (("page_viewed", 1, None), ("cart_started", 2, None), ("purchase", 3, 5.0), ("purchase", 9, 7.0))
    names = {"jm": jm, "history": jm.History(events=[{"contact_id": "anna", "event": e, "timestamp": start(d), "amount": a, "channel": "ads"} for e, d, a in rows])}
    for code in blocks(page, "python"):
        exec(compile(code, page, "exec"), names)
    assert "funnel" not in names or names["funnel"].counts == [1, 1, 1]
    assert "kept" not in names or names["kept"].matrix("sum") == [[12.0]]


def test_the_worked_examples_of_funnels_hold():
    page = (ROOT / "docs/funnels.md").read_text(encoding="utf-8")
    [text] = blocks("docs/funnels.md", "pycon")
    examples = doctest.DocTestParser().get_doctest(text, {"jm": jm}, "funnels", "docs/funnels.md", 0)
    assert doctest.DocTestRunner().run(examples).failed == 0
    rules = {name for row in re.findall(r"^\| (`.*?) \|", page[: page.index("## Worked")], re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert len(rules) == 25
    assert {r for r in rules if f"{r}=" not in text} == {"period", "breakdown", "rules"}   # in the call `start`, `end`; `by`, `attribution`; presets are below


def test_the_funnel_of_the_docs_is_sound():
    [text] = blocks("docs/funnels.md", "yaml")
    playbook = jm.Playbook.parse(text)
    assert [p for p in playbook.check() if p.severity == "error"] == []
    assert jm.Playbook.parse(playbook.to_yaml()) == playbook


def school():
    """Leads with a channel and a variant, visits, purchases that follow a habit."""
    draw = random.Random(3)
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    contacts, events = [], []
    for k in range(600):
        channel, at = draw.choice(["ads", "mail", "seo"]), start + datetime.timedelta(days=draw.random() * 90)
        contacts.append({"contact_id": k, "variant": draw.choice("ab")})
        events.append({"contact_id": k, "event": "lead", "timestamp": at, "channel": channel})
        rate, gone = draw.gammavariate(0.8, 1 / 12), draw.betavariate(0.9, 2.5)
        while at < start + datetime.timedelta(days=300):
            events.append({"contact_id": k, "event": "visit", "timestamp": at, "channel": draw.choice(["ads", "mail", "seo"])})
            events.append({"contact_id": k, "event": "purchase", "timestamp": at + datetime.timedelta(hours=1), "amount": draw.gammavariate(5, 8), "channel": channel})
            if draw.random() < gone:
                break
            at += datetime.timedelta(days=draw.expovariate(max(rate, 1e-6)))
    return jm.History(contacts=contacts, events=[e for e in events if e["timestamp"] < start + datetime.timedelta(days=300)])


@pytest.mark.parametrize("page", ["survival", "lifetime_value", "experiments", "attribution"])
def test_the_statistics_of_the_docs_run(page, capsys):
    names = {"history": school()}
    for code in blocks(f"docs/{page}.md", "python"):
        exec(compile(code, f"docs/{page}.md", "exec"), names)
    assert len(capsys.readouterr().out) > 200   # the summary


def test_the_kpis_of_the_docs_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    events = [{"contact_id": f"c{k}", "event": e, "timestamp": f"2026-0{1 + k % 3}-1{d}T00:00:00Z", "channel": "ads"} for k in range(30) for d, e in enumerate(("lead", "purchase")[: 1 + k % 2 + k // 20])]
    playbook = jm.Playbook.from_dict({
        "timezone": "UTC", "segments": {"buyers": "did(purchase)"},
        "kpis": {"conversion": {"value": "new(purchase) / new(lead)", "every": "month", "direction": "up"}, "cpa": {"value": "spend() / new(purchase)", "every": "month", "direction": "down", "unit": "money"}},
    })  # fmt: skip
    events.append({"contact_id": "c0", "event": "login", "timestamp": "2026-03-31T00:00:00Z", "channel": "ads"})
    history = jm.History(events=events, spend=[{"timestamp": "2026-02-01T00:00:00Z", "amount": 9.0, "channel": "ads"}])
    names = {"jm": jm, "playbook": playbook, "history": history, "run": playbook.replay(history), "part": history, "retention": history.events()}
    names["other"] = playbook.kpi_state(jm.History(events=[e | {"contact_id": "z" + e["contact_id"]} for e in events]), start="2026-01-01T00:00:00Z", end="2026-04-01T00:00:00Z")
    for code in blocks("docs/kpis.md", "python"):
        exec(compile(code, "docs/kpis.md", "exec"), names)
    assert names["why"].summary()
    assert (tmp_path / "report.html").exists()
