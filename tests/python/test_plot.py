"""Plots show the numbers of their tables, on the `ax` that they were given."""

import pathlib
import subprocess
import sys

import journeyman as jm
import matplotlib
import pytest
from matplotlib.figure import Figure

matplotlib.use("Agg")
SKILLTIME = pathlib.Path(__file__).parents[2] / "examples" / "skilltime"


@pytest.fixture(scope="module")
def asked():
    history = jm.History(**{t: SKILLTIME / "history" / f"{t}.parquet" for t in ("contacts", "events", "accounts", "spend")})
    playbook = jm.Playbook.load(SKILLTIME / "trial.yaml")
    return playbook, history, playbook.kpis(history)


@pytest.fixture
def ax():
    return Figure().subplots()


def test_sizes(asked, ax):
    table = asked[0].sizes(asked[1])
    assert table.plot(ax) is ax
    assert [bar.get_width() for bar in ax.patches] == [r["members"] for r in table.to_pylist()]
    assert [t.get_text() for t in ax.get_yticklabels()] == [r["title"] for r in table.to_pylist()]


def test_stages(asked, ax):
    table = asked[0].stages(asked[1])
    assert table.plot("b2b_hr", ax=ax) is ax
    rows = [r for r in table.to_pylist() if r["segment"] == "b2b_hr"]
    assert [bar.get_width() for bar in ax.patches] == [n for r in rows for n in (r["reached"], r["standing"])]
    with pytest.raises(ValueError, match="b2b_hr"):
        table.plot("nosuch")


def test_kpi_over_time(asked, ax):
    kpis = asked[2]
    assert kpis.plot("lead_conversion", ax=ax) is ax
    rows = [r for r in kpis.to_pylist() if r["kpi"] == "lead_conversion" and r["channel"] is None]
    assert list(ax.lines[0].get_ydata()) == [r["value"] for r in rows]
    assert str(ax.lines[0].get_xdata()[0]) == "2024-09-30 00:00:00"   # the Monday, in Rome
    hollow = [line.get_markerfacecolor() == "none" for line in ax.lines if line.get_marker() == "o"]
    assert hollow == [r["partial"] for r in rows]
    assert ax.get_title(loc="left") == "Tasso di conversione lead → cliente"
    target = next(line for line in ax.lines if line.get_label() == "target")
    assert set(target.get_ydata()) == {0.15}
    band = ax.collections[0].get_paths()[0].vertices
    assert band[:, 1].max() == pytest.approx(max(r["high"] for r in rows))


def test_kpi_by_a_dimension(asked, ax):
    kpis = asked[2]
    assert kpis.dimensions == ["channel"]
    kpis.plot("lead_conversion", by="channel", ax=ax)
    values = {r["channel"] for r in kpis.to_pylist()} - {None}
    assert {t.get_text() for t in ax.get_legend().get_texts()} == values


def test_kpi_by_campaign(asked, ax):
    kpis = asked[2]
    kpis.plot("cpa", ax=ax)
    rows = [r for r in kpis.to_pylist() if r["kpi"] == "cpa"]
    assert [t.get_text() for t in ax.get_yticklabels()] == [r["campaign"] for r in rows]
    assert [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"] == [r["value"] for r in rows]


def test_wrong_names_say_the_right_ones(asked):
    kpis = asked[2]
    with pytest.raises(ValueError, match="lead_conversion"):
        kpis.plot("nosuch")
    with pytest.raises(ValueError, match="name one"):
        kpis.plot()
    with pytest.raises(ValueError, match="channel"):
        kpis.plot("cpa", by="nosuch")


def test_without_an_ax_there_is_a_new_one(asked):
    import matplotlib.pyplot as plt

    playbook, history, _ = asked
    first, second = playbook.sizes(history).plot(), playbook.kpis(history, only="cpa").plot()
    assert first.figure is not second.figure
    plt.close("all")


def test_matplotlib_is_loaded_only_for_a_plot():
    subprocess.run([sys.executable, "-c", "import journeyman, sys; assert 'matplotlib' not in sys.modules"], check=True)
