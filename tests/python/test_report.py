"""The report: looked at by a real browser (headless Chromium), and its words by tests of our own."""

import html.parser
import json
import os
import pathlib
import re
import shutil
import subprocess

import journeyman as jm
import pytest

SKILLTIME = pathlib.Path(__file__).parents[2] / "examples" / "skilltime"
END = "2026-04-01T00:00:00+02:00"
CHROMIUM = next((p for p in (shutil.which(n) for n in ("chromium", "chromium-browser", "google-chrome")) if p), None)
browser = pytest.mark.skipif(CHROMIUM is None and not os.environ.get("CI"), reason="no Chromium here; in CI its absence is a failure")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    history = jm.History(**{t: SKILLTIME / "history" / f"{t}.parquet" for t in ("contacts", "events", "accounts", "spend")})
    playbook = jm.Playbook.load(SKILLTIME / "webinar.yaml")
    path = tmp_path_factory.mktemp("report") / "report.html"
    assert playbook.report(history, playbook.replay(history), path, end=END, add={"Who is where": playbook.overlap(history)}) == path
    return path, playbook, history


class Outline(html.parser.HTMLParser):
    """What a screen reader would stumble over."""

    VOID = {"meta", "link", "br", "img", "input", "hr"}

    def __init__(self):
        super().__init__()
        self.open, self.headings, self.problems, self.texts, self.ids, self.links = [], [], [], [], [], []

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        if tag not in self.VOID:
            self.open.append(tag)
        if "id" in a:
            self.ids.append(a["id"])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "svg" and not (a.get("aria-label") or a.get("aria-hidden") == "true"):
            self.problems.append("a picture without words")
        if tag == "th" and a.get("scope") not in ("col", "row"):
            self.problems.append("a head of a table without scope")
        if tag in ("script", "iframe", "object", "embed") or any(n.startswith("on") for n in a):
            self.problems.append(f"<{tag}> may run")
        for name in ("href", "src", "xlink:href"):
            if name in a and not a[name].startswith(("#", "data:")):
                self.problems.append(f"{name}={a[name]} points elsewhere")
            elif name in a and a[name].startswith("#") and len(a[name]) > 1:
                self.links.append(a[name][1:])

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> closes nothing")

    def handle_data(self, data):
        self.texts.append(data)


def outline(path):
    parser = Outline()
    parser.feed(path.read_text(encoding="utf-8"))
    return parser


def test_the_page_is_well_formed_and_stands_alone(page):
    seen = outline(page[0])
    assert seen.problems == []
    assert seen.open == []
    assert seen.headings[0] == 1 and seen.headings.count(1) == 1
    assert all(b - a <= 1 for a, b in zip(seen.headings, seen.headings[1:], strict=False)), "a level of headings is left out"
    assert len(set(seen.ids)) == len(seen.ids)
    assert set(seen.links) <= set(seen.ids)
    assert "url(" not in page[0].read_text(encoding="utf-8").replace("url(#", "")


def test_it_shows_the_numbers_of_the_tables(page):
    path, playbook, history = page
    text = " ".join(outline(path).texts)
    kpis = playbook.kpis(history, playbook.replay(history), end=END)
    for name, rows in kpis.totals().items():
        row = [r for r in rows if r["value"] is not None and not r["partial"]][-1]
        assert kpis.written(name, row["value"]) in text
        assert kpis.definitions[name]["title"] in text
        if row["status"] == "missed":
            for i in kpis.improve.to_pylist():
                if (i["kpi"], i["period"]) == (name, row["period"]):
                    assert i["action"] in text
    for r in playbook.sizes(history, END).to_pylist():
        assert r["title"] in text and f"{r['members']:,}" in text
    for title in ("Scorecard", "KPIs", "Segments", "Funnels", "Workflows", "Cohorts", "Data to collect", "Who is where"):
        assert title in text


def test_names_and_values_are_escaped(tmp_path):
    evil = '<script>alert("x")</script>&'
    book = jm.Playbook.from_dict({
        "name": evil, "timezone": "UTC", "segments": {"s": {"where": "did(visit)", "title": evil, "channels": ["email"]}},
        "workflows": {"w": {"title": evil, "trigger": {"event": "visit"}, "first": "a", "steps": {"a": {"send": "email", "template": evil}}}},
        "kpis": {"k": {"title": evil, "value": "events(visit)", "unit": evil, "every": "day", "direction": "up", "by": ["page"], "target": 9, "improve": [evil]}},
    })  # fmt: skip
    history = jm.History(events=[{"contact_id": evil, "event": "visit", "timestamp": f"2026-01-{d:02d}T00:00:00Z", "page": evil} for d in range(1, 6)])
    path = book.report(history, book.replay(history), tmp_path / "evil.html", title=evil, add={evil: history.events()})
    assert outline(path).problems == []
    assert "<script" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("definition", [{"timezone": "UTC"}, {"timezone": "UTC", "segments": {"s": "did(visit)"}, "kpis": {"k": {"value": "new(visit) / new(lead)", "every": "month", "direction": "up", "target": 1}}}])
def test_a_report_of_little(tmp_path, definition):
    history = jm.History(events=[{"contact_id": "a", "event": "visit", "timestamp": "2026-01-01T00:00:00Z"}])
    seen = outline(jm.Playbook.from_dict(definition).report(history, path=tmp_path / "little.html"))
    assert seen.problems == []


def test_the_page_sees_what_is_before_its_end(tmp_path):
    rows = [("a", "lead", 1), ("a", "visit", 2), ("b", "lead", 1), ("b", "visit", 3), ("c", "lead", 3)]
    history = jm.History(events=[{"contact_id": c, "event": e, "timestamp": f"2026-01-0{d}T00:00:00Z"} for c, e, d in rows])
    playbook = jm.Playbook.from_dict({"timezone": "UTC", "segments": {"visitors": "did(visit)"}, "funnels": {"f": {"steps": [{"name": "first", "event": "lead"}, {"name": "second", "event": "visit"}]}}})

    def counts(**more):
        html = playbook.report(history, path=tmp_path / "page.html", **more).read_text(encoding="utf-8")
        return re.search(r">visitors</th><td[^>]*>(\d+)<", html)[1], *re.findall(r"<td>(?:first|second)</td><td[^>]*>(\d+)<", html)

    assert counts() == ("2", "3", "2")
    assert counts(end="2026-01-03") == ("1", "2", "1")


def test_a_history_without_instants_needs_an_end(tmp_path):
    history, playbook = jm.History(contacts=[{"contact_id": "a", "city": "Roma"}]), jm.Playbook.from_dict({"timezone": "UTC", "segments": {"romans": 'city == "Roma"'}})
    with pytest.raises(jm.Error, match="give `end`"):
        playbook.report(history, path=tmp_path / "none.html")
    assert playbook.report(history, path=tmp_path / "some.html", end="2026-01-01").exists()


def test_what_cannot_be_added_is_refused(tmp_path):
    history = jm.History(events=[{"contact_id": "a", "event": "visit", "timestamp": "2026-01-01T00:00:00Z"}])
    with pytest.raises(TypeError, match="to_pylist"):
        jm.Playbook.from_dict({"timezone": "UTC"}).report(history, path=tmp_path / "none.html", add={"x": 3})
    assert not (tmp_path / "none.html").exists()


# --- in the browser -------------------------------------------------------------------------------------------------------
def chromium(folder, *arguments):
    assert CHROMIUM, "no Chromium: apt-get install chromium"
    quiet = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
             "--no-first-run", "--disable-dev-shm-usage", "--hide-scrollbars", "--enable-logging=stderr", f"--user-data-dir={folder / 'profile'}")  # fmt: skip
    return subprocess.run([CHROMIUM, *quiet, *arguments], capture_output=True, text=True, timeout=180, check=True)


def requests_of(log):
    """URLs that the page asked for, by Chromium's log of the network; what the browser asks for itself has no origin."""
    params = [e.get("params") or {} for e in json.loads(log.read_text())["events"]]
    return [p["url"] for p in params if p.get("initiator", "not an origin") != "not an origin" and re.match("(https?|wss?|ftp):", p.get("url", ""))]


@browser
def test_the_browser_finds_no_error_and_asks_nothing_of_the_network(page, tmp_path):
    done = chromium(tmp_path, f"--log-net-log={tmp_path / 'net.json'}", "--dump-dom", page[0].as_uri())
    assert [line for line in done.stderr.splitlines() if "CONSOLE" in line] == []
    assert requests_of(tmp_path / "net.json") == []
    assert "Conversione Lead-Cliente" in done.stdout


@browser
def test_the_browser_would_say_so(tmp_path):
    planted = tmp_path / "planted.html"
    planted.write_text('<!DOCTYPE html><title>x</title><img src="http://127.0.0.1:9/a.png"><script>console.error("planted")</script>')
    done = chromium(tmp_path, f"--log-net-log={tmp_path / 'net.json'}", "--dump-dom", planted.as_uri())
    assert any("planted" in line for line in done.stderr.splitlines() if "CONSOLE" in line)
    assert requests_of(tmp_path / "net.json") == ["http://127.0.0.1:9/a.png"]


@browser
def test_it_is_light_or_dark_as_the_screen_is_and_prints_on_white(page, tmp_path):
    import matplotlib.image

    def corner(name, *arguments):
        chromium(tmp_path, *arguments, "--window-size=1000,800", f"--screenshot={tmp_path / name}", page[0].as_uri())
        return matplotlib.image.imread(tmp_path / name)[5, 5, :3].mean()

    assert corner("light.png") > 0.95
    assert corner("dark.png", "--blink-settings=preferredColorScheme=0") < 0.2
    chromium(tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={tmp_path / 'report.pdf'}", page[0].as_uri())
    pages = (tmp_path / "report.pdf").read_bytes()
    assert pages.startswith(b"%PDF") and 2 <= len(re.findall(rb"/Type\s*/Page\b(?!s)", pages)) <= 20
