"""examples/x_education on the real file: the figures of ../shared/data/README.md, and what pandas and DuckDB count."""

import duckdb
import journeyman as jm
import pandas as pd
import pytest
from data import real_data

pytestmark = pytest.mark.data

BY_SOURCE = {
    "Google": (2868, 0.3999),
    "Direct Traffic": (2543, 0.3217),
    "Olark Chat": (1755, 0.2553),
    "Organic Search": (1154, 0.3778),
    "Reference": (534, 0.9176),
    "Welingak Website": (142, 0.9859),
}
OCCUPATION = "What is your current occupation"


@pytest.fixture(scope="module")
def folder():
    return real_data.path("x_education")


@pytest.fixture(scope="module")
def x():
    return real_data.example("x_education")


@pytest.fixture(scope="module")
def history(x, folder):
    return x.read_history(folder)


@pytest.fixture(scope="module")
def rates(x, history):
    return x.conversions(history, x.read_playbook())


@pytest.fixture(scope="module")
def leads(folder):
    return pd.read_csv(folder / "leads.csv", keep_default_na=False)


def by(leads, column):
    cells = leads.groupby(leads[column].replace("", "(missing)"))["Converted"].agg(["sum", "size"])
    return {cell: (row["sum"], row["size"]) for cell, row in cells.iterrows()}


def test_the_file_is_read_whole(history, leads):
    assert leads.shape == (9240, 37)
    assert (history.contacts_count, len(history.rejected)) == (9240, 0)
    # 37 columns: one is the id, the others are the attributes, under their own names.
    assert set(history.schema["contact"]) == set(leads.columns) - {"Prospect ID"}


def test_every_cell_comes_back(history, leads):
    back = history.contacts().to_pandas().set_index("contact_id").loc[leads["Prospect ID"]]
    for name in leads.columns.drop("Prospect ID"):
        theirs = leads[name].astype(str).where(leads[name] != "")
        numbers = history.schema["contact"][name] in ("integer", "decimal")
        ours = back[name] if numbers else back[name].where(back[name].notna())
        assert list(ours.isna()) == list(theirs.isna()), name
        assert list(pd.to_numeric(theirs.dropna()) if numbers else theirs.dropna()) == list(ours.dropna()), name


def test_conversion(x, rates, history, leads):
    assert rates["conversion"] == {"all": (leads["Converted"].sum(), 9240)}
    converted, members = rates["conversion"]["all"]
    assert round(100 * converted / members, 3) == 38.539


def test_conversion_by_source(rates, leads):
    cells = dict(rates["conversion_by_source"])
    assert {source: (n, round(converted / n, 4)) for source, (converted, n) in cells.items() if source in BY_SOURCE} == BY_SOURCE
    assert cells.pop("all") == rates["conversion"]["all"]
    assert cells == by(leads, "Lead Source")


def test_conversion_by_occupation(rates, leads, folder):
    cells = dict(rates["conversion_by_occupation"])
    assert cells.pop("all") == rates["conversion"]["all"]
    assert cells == by(leads, OCCUPATION)
    # And by a reader that shares nothing with pandas.
    asked = f'select coalesce("{OCCUPATION}", \'(missing)\'), sum("Converted"), count(*) from read_csv(?, all_varchar=false, nullstr=\'\') group by 1'
    assert cells == {cell: (converted, n) for cell, converted, n in duckdb.execute(asked, [str(folder / "leads.csv")]).fetchall()}


def test_sms_is_the_last_notable_activity(rates, leads):
    for converted, n in (rates["conversion_by_last_activity"]["SMS Sent"], rates["conversion_after_sms"]["all"]):
        assert (n, round(converted / n, 4)) == (2172, 0.6943)
    cells = dict(rates["conversion_by_last_activity"])
    assert cells.pop("all") == rates["conversion"]["all"]
    assert cells == by(leads, "Last Notable Activity")
    assert (leads["Last Activity"] == "SMS Sent").sum() == 2745   # the other column is not the one of the figure


def test_segments(x, history, leads):
    sizes = x.sizes(history, x.read_playbook())
    assert sizes["leads"] == 9240
    by_occupation = ("unemployed", "professional", "student", "businessman", "housewife", "other_occupation", "occupation_unknown")
    assert sum(sizes[name] for name in by_occupation) == 9240
    written = leads[OCCUPATION].value_counts()
    assert [sizes[name] for name in by_occupation] == [written[v] for v in ("Unemployed", "Working Professional", "Student", "Businessman", "Housewife", "Other", "")]
    by_source = ("google", "direct_traffic", "olark_chat", "organic_search", "reference", "welingak_website")
    assert [sizes[name] for name in by_source] == [n for n, _ in BY_SOURCE.values()]


def test_coverage_with_select_and_without(x, history, leads):
    there = x.coverage(history, x.read_playbook())
    assert len(there) == 38
    occupation = {"unemployed": "Unemployed", "professional": "Working Professional", "student": "Student"}
    for (segment, group, name), (present, members) in there.items():
        rows = leads[leads[OCCUPATION] == occupation[segment]] if segment in occupation else leads
        answered = rows[name] != ""
        if group != "as_written":
            answered &= rows[name] != "Select"
        assert (present, members) == (answered.sum(), len(rows)), (segment, group, name)
    assert there["leads", "answered", "City"] == (5571, 9240)
    assert there["leads", "as_written", "City"] == (7820, 9240)


def test_who_lacks_what(x, history, leads):
    lacking = x.read_playbook().coverage(history, at=x.YEAR[0]).lacking.to_pandas()
    of_students = lacking[(lacking["segment"] == "student") & (lacking["expression"] == 'City != "Select"')]
    students = leads[leads[OCCUPATION] == "Student"]
    assert set(of_students["contact_id"]) == set(students.loc[students["City"].isin(["", "Select"]), "Prospect ID"])


def test_without_dates_the_instant_has_to_be_given(history):
    with pytest.raises(jm.Error, match="give `at`"):
        history.select("Converted == 1")
    assert {history.select("Converted == 1", at=f"{year}-06-01T00:00:00Z").count for year in (1999, 2026, 2100)} == {3561}


def test_it_prints_its_tables(x, folder, capsys):
    x.main(folder)
    out = capsys.readouterr().out
    assert "38.54%" in out
    assert "Look at:" in out
