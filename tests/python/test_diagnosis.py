"""Why a KPI changed, from Python: the identity on real samples, campaigns, words and pictures. By hand it is in tests/unit/kpi_diagnosis.cpp."""

import math
import pathlib

import journeyman as jm
import pytest
from matplotlib.figure import Figure

SKILLTIME = pathlib.Path(__file__).parents[2] / "examples" / "skilltime"


@pytest.fixture(scope="module")
def school():
    history = jm.History(**{t: SKILLTIME / "history" / f"{t}.parquet" for t in ("contacts", "events", "accounts", "spend")})
    return jm.Playbook.load(SKILLTIME / "webinar.yaml"), history


@pytest.mark.parametrize("kpi", ["lead_conversion", "cpa", "repurchase_freelance", "advocacy_hr", "result_lead_time", "result_perceived_value"])
def test_effects_and_the_rest_are_the_change(school, kpi):
    playbook, history = school
    why = playbook.diagnose(history, kpi, by=["channel", "segment", "contact.city"])
    (change,) = why.change.to_pylist()
    table = {r["period"]: r["value"] for r in playbook.kpis(history, only=kpi).to_pylist()}
    assert (change["value"], change["before"]) == (table[change["period"]], table[change["against"]])
    for dimension in ("channel", "segment", "contact.city"):
        rows = [r for r in why.parts.to_pylist() if r["dimension"] == dimension]
        whole, cells = rows[0], rows[1:]
        assert whole["cell"] is None
        assert cells
        effects = math.fsum(r["effect"] for r in cells)
        assert math.isclose(effects + whole["rest"], change["change"], rel_tol=1e-9, abs_tol=1e-12)
        for r in cells:
            if r["mix"] is not None:
                assert math.isclose(r["mix"] + r["rate"], r["effect"], rel_tol=1e-9, abs_tol=1e-12)
        if dimension != "segment":   # where everybody stands in one cell nothing is left, but for contacts who count twice
            assert math.isclose(whole["rest"], 0, abs_tol=1e-9)


def test_costs_are_those_of_the_table(school):
    playbook, history = school
    why = playbook.diagnose(history, "cpa", by="channel", shift=0.2, returns=0.7)
    period = why.change.to_pylist()[0]["period"]
    table = playbook.kpis(history, only="cpa", by="channel").to_pylist()
    cells = {r["channel"]: r for r in table if r["period"] == period}
    costs = why.costs.to_pylist()
    assert [r["rank"] for r in costs] == list(range(1, len(costs) + 1))
    assert [r["cost"] for r in costs if r["cost"] is not None] == sorted(r["cost"] for r in costs if r["cost"] is not None)
    for r in costs:
        mine = cells[r["cell"]]
        assert (r["cost"], r["low"], r["high"], r["spend"], r["count"]) == (mine["value"], mine["low"], mine["high"], mine["numerator"], mine["denominator"])
    for r in why.moves.to_pylist():
        assert r["to"] == costs[0]["cell"]
        assert math.isclose(r["net"], r["gained"] - r["lost"], abs_tol=1e-12)
        assert r["low"] <= r["net"] <= r["high"]
    assert "power 0.7" in why.assumptions and "20%" in why.assumptions


def test_campaigns_are_named(school):
    playbook = jm.Playbook.from_dict({
        "timezone": "Europe/Rome", "campaigns": {"one": {"from": "2025-10-01", "to": "2025-11-01"}, "two": {"from": "2025-11-01", "to": "2025-12-01"}},
        "kpis": {"k": {"value": "new(purchase) / new(form_submitted)", "every": "campaign", "direction": "up"}}, "segments": {"b2c": 'audience == "B2C"'},
    })  # fmt: skip
    why = playbook.diagnose(school[1], "k", "two", "one", by="segment")
    row = why.change.to_pylist()[0]
    assert (row["campaign"], row["against_campaign"], row["period"]) == ("two", "one", None)
    assert "in two" in why.summary() and "from one" in why.summary()
    with pytest.raises(jm.Error, match="two"):
        playbook.diagnose(school[1], "k", "tow", "one")


def test_words_and_pictures(school):
    playbook, history = school
    why = playbook.diagnose(history, "lead_conversion", "2026-02-10T00:00:00Z", "2025-02-10T00:00:00Z", by="channel")
    assert why.summary().startswith("Conversione Lead-Cliente was ")
    assert "Feb 2026" in why.summary() and "Feb 2025" in why.summary() and "points" in why.summary()
    ax = Figure().subplots()
    assert why.plot(ax=ax) is ax
    assert {t.get_text() for t in ax.get_yticklabels()} <= {r["cell"] for r in why.parts.to_pylist()}
    with pytest.raises(ValueError, match="channel"):
        why.plot("nosuch")
    assert "<table>" in why._repr_html_()


@pytest.mark.parametrize(("arguments", "code"), [({"kpi": "cap"}, "name.unknown"), ({"kpi": "cpa", "period": "2030-01-01T00:00:00Z"}, "kpi.window"), ({"kpi": "cpa", "shift": 2.0}, "kpi.diagnosis"), ({"kpi": "cpa", "returns": 0.0}, "kpi.diagnosis")])
def test_what_is_asked_wrongly_is_refused(school, arguments, code):
    with pytest.raises(jm.Error) as e:
        school[0].diagnose(school[1], **arguments)
    assert e.value.code == code
