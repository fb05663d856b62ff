"""The command line, as a process of its own: what it prints, what it writes, and how it ends."""

import contextlib
import json
import os
import pathlib
import pty
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET

import journeyman as jm
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = pathlib.Path(__file__).parents[2]
SKILLTIME = ROOT / "examples" / "skilltime"
HISTORY = ["--history", str(SKILLTIME / "history")]
WEBINAR, TRIAL = str(SKILLTIME / "webinar.yaml"), str(SKILLTIME / "trial.yaml")
COMMAND = [sys.executable, "-m", "journeyman.cli"]
CSV = "contact_id,event,timestamp\nanna,purchase,2026-01-02T00:00:00Z\nbea,login,2026-01-02T00:00:00Z\n"
WRONG = """timezone: Europe/Rome
segments: {vip: segment("nosuch")}
workflows:
  w: {trigger: {event: purchase}, first: a, steps: {a: {wait: 1d, next: b}, b: {wait: 1d, next: a}}}
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "e.csv").write_text(CSV)
    (tmp_path / "bad.csv").write_text(CSV + "cleo,login,yesterday\n")
    (tmp_path / "wrong.yaml").write_text(WRONG)
    (tmp_path / "broken.yaml").write_text("segments: {vip: [}\n")

    def command(*arguments):
        return subprocess.run([*COMMAND, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)

    return command


@pytest.fixture(scope="module")
def skilltime():
    history = jm.History(**{t: SKILLTIME / "history" / f"{t}.parquet" for t in ("contacts", "events", "accounts", "spend")})
    playbook = jm.Playbook.load(WEBINAR)
    return playbook, history, playbook.replay(history)


def test_select_writes_ids(run):
    done = run("select", "did(purchase, last 30d)", "--at", "2026-01-31T00:00:00Z", "--events", "e.csv")
    assert (done.returncode, done.stdout) == (0, "contact_id\nanna\n")
    assert "1 in, 0 unknown" in done.stderr
    assert json.loads(run("select", "did(purchase)", "--events", "e.csv", "--json").stdout) == {"contacts": [{"contact_id": "anna"}]}


def test_select_knows_the_segments_of_a_playbook(run, skilltime):
    playbook, history, _ = skilltime
    done = run("select", 'segment("b2b_hr")', "--playbook", WEBINAR, *HISTORY)
    assert done.stdout.split()[1:] == history.select(playbook.segments["b2b_hr"]).ids


def test_data_shows_what_was_rejected(run):
    done = run("data", "--events", "bad.csv")
    assert done.returncode == 0
    assert "2 contacts, 2 events" in done.stdout
    assert "unreadable" in done.stdout
    assert run("data", "--events", "bad.csv", "--strict").returncode == 3
    assert run("data", "--events", "e.csv", "--strict").returncode == 0


def test_rejected_rows_are_said_everywhere_and_end_it_if_strict(run):
    done = run("select", "did(purchase)", "--events", "bad.csv")
    assert (done.returncode, done.stdout) == (0, "contact_id\nanna\n")
    assert "rows rejected: 1 events" in done.stderr
    done = run("select", "did(purchase)", "--events", "bad.csv", "--strict")
    assert (done.returncode, done.stdout) == (3, "")


def test_options_of_the_history(run, tmp_path):
    (tmp_path / "odd.csv").write_text("who,what,when,plan\nanna,purchase,02/01/2026 10:00,12\n")
    options = ["--events", "odd.csv", "--columns", "contact_id=who", "--columns", "events.event=what", "--columns", "timestamp=when"]
    options += ["--formats", "when=%d/%m/%Y %H:%M", "--types", "purchase.plan=text", "--timezone", "Europe/Rome"]
    done = run("select", 'last(purchase.plan) == "12" and last_time(purchase) == "2026-01-02T09:00:00Z"', *options)
    assert done.stdout == "contact_id\nanna\n", done.stderr
    (tmp_path / "r.jsonl").write_text('{"type":"track","userId":"bea","event":"x","timestamp":"2026-01-01T00:00:00","properties":{"d":"2026-01-01"}}\n')
    assert run("select", "did(x)", "--records", "r.jsonl", "--timezone", "Europe/Rome").stdout == "contact_id\nbea\n"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["select", "cuont(x) > 1", "--at", "2026-01-31T00:00:00Z", "--events", "e.csv"], 1, "count"),
        (["select", "did(x)", "--at", "2026-01-31T00:00:00", "--events", "e.csv"], 1, "zone"),
        (["select", "did(x)", "--at", "2026-01-31T00:00:00Z", "--events", "no.csv"], 1, "no.csv"),
        (["select", "did(x)", "--at", "2026-01-31T00:00:00Z"], 2, "records"),
        (["select", "did(x)", "--events", "e.csv", "--types", "x"], 2, "NAME=VALUE"),
        (["select", "did(x)", "--events", "e.csv", "--records", "e.csv"], 2, "--spend"),
        (["select", "did(x)", "--history", "."], 1, "contacts.csv"),
        (["data", "--wrong"], 2, "wrong"),
        (["nosuch"], 2, "nosuch"),
        (["check", "nosuch.yaml"], 1, "nosuch.yaml"),
        (["check", "broken.yaml"], 1, "broken.yaml:1:"),
        (["run", "wrong.yaml", "--events", "e.csv"], 1, "[workflow.circle]"),
        (["segments", WEBINAR, *HISTORY, "--members", "nosuch"], 2, "b2b_hr"),
        (["segments", WEBINAR, *HISTORY, "--coverage", "--stages", "--csv"], 2, "one table"),
        (["segments", WEBINAR, *HISTORY, "--json", "--csv"], 2, "not both"),
        (["kpis", WEBINAR, *HISTORY, "--only", "nosuch"], 1, "nosuch"),
        (["kpis", WEBINAR, *HISTORY, "--start", "yesterday"], 1, "yesterday"),
        (["draw", WEBINAR, "nosuch"], 2, "webinar"),
        (["draw", WEBINAR, "--out", "no/such/folder.svg"], 1, "output.file"),
        (["run", WEBINAR, *HISTORY, "--out", "e.csv"], 1, "output.folder"),
    ],
)
def test_exit_codes(run, arguments, code, says):
    done = run(*arguments)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_check_says_all_one_a_line(run):
    done = run("check", "wrong.yaml")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert len(lines) >= 2
    for line in lines:
        assert re.fullmatch(r"wrong\.yaml:\d+:\d+: (error|warning|note): .+ \[[a-z_.]+\]", line), line
    assert "error" in done.stderr
    problems = json.loads(run("check", "wrong.yaml", "--json").stdout)["problems"]
    assert [f"{p['place']}: {p['severity']}: {p['message']} [{p['code']}]" for p in problems] == lines
    right = run("check", WEBINAR, *HISTORY)
    assert right.returncode == 0
    assert re.fullmatch(r"\d+ notes\n", right.stderr)  # how much each workflow sends, and how long it lasts
    assert all(": note: " in line for line in right.stdout.splitlines())


def test_segments(run, skilltime):
    playbook, history, _ = skilltime
    assert json.loads(run("segments", WEBINAR, *HISTORY, "--json").stdout)["segments"] == playbook.sizes(history).to_pylist()
    both = json.loads(run("segments", WEBINAR, *HISTORY, "--coverage", "--stages", "--json").stdout)
    assert both == {"coverage": playbook.coverage(history).to_pylist(), "stages": playbook.stages(history).to_pylist()}
    members = run("segments", WEBINAR, *HISTORY, "--members", "b2b_hr", "--csv", "--at", "2025-10-01T00:00:00Z").stdout
    assert members.split()[1:] == history.select(playbook.segments["b2b_hr"], at="2025-10-01T00:00:00Z").ids
    assert re.search(r"b2b_hr +B2B HR Aziendali +[\d,]+ ", run("segments", WEBINAR, *HISTORY).stdout)


def test_kpis(run, skilltime):
    playbook, history, done = skilltime
    told = json.loads(run("kpis", WEBINAR, *HISTORY, "--json", "--with-run", "--only", "lead_conversion", "--by", "channel").stdout)
    expected = playbook.kpis(history, done, by="channel", only="lead_conversion").to_pylist()
    assert [r["value"] for r in told["kpis"]] == [r["value"] for r in expected]
    assert told["kpis"][0]["period"] == "2024-09-30T22:00:00Z"
    assert {r["channel"] for r in told["kpis"]} > {None, "google_ads"}
    lines = run("kpis", WEBINAR, *HISTORY, "--only", "cpa", "--csv", "--start", "2025-10-01T00:00:00+02:00", "--end", "2025-11-01T00:00:00+01:00").stdout.splitlines()
    assert lines[0].startswith("kpi,scope,period,campaign,partial")
    assert len(lines) == 1 + len(playbook.kpis(history, start="2025-10-01T00:00:00+02:00", end="2025-11-01T00:00:00+01:00", only="cpa"))
    shown = run("kpis", WEBINAR, *HISTORY).stdout
    assert "2026 Q1" in shown
    assert "Conversione Lead-Cliente" in shown
    assert "to improve it" in shown


def test_run_prints_and_writes(run, skilltime, tmp_path):
    playbook, history, done = skilltime
    ended = run("run", WEBINAR, *HISTORY, "--out", "made", "--format", "csv")
    assert ended.returncode == 0, ended.stderr
    assert re.search(rf"webinar +{len(done.journeys):,} ", ended.stdout)
    assert "purchase_reminder" in ended.stdout
    assert "written to made" in ended.stderr
    names = {f.name for f in (tmp_path / "made").iterdir()}
    assert {"actions.csv", "journeys.csv", "steps.csv", "edges.csv", "kpis.csv", "workflow-webinar.svg", "stages.png", "kpi-cpa.png"} <= names
    assert len((tmp_path / "made" / "actions.csv").read_text().splitlines()) == 1 + len(done.actions)
    ET.parse(tmp_path / "made" / "workflow-webinar.svg")
    assert (tmp_path / "made" / "kpi-cpa.png").read_bytes().startswith(b"\x89PNG")

    again = run("run", WEBINAR, *HISTORY, "--out", "made")
    assert again.returncode == 1
    assert "--force" in again.stderr
    forced = run("run", WEBINAR, *HISTORY, "--out", "made", "--force", "--until", "2025-06-01T00:00:00Z", "--json")
    assert forced.returncode == 0, forced.stderr
    assert not list((tmp_path / "made").glob("*.csv"))
    made = pq.read_table(tmp_path / "made" / "journeys.parquet").to_pylist()
    assert made == playbook.replay(history, until="2025-06-01T00:00:00Z").journeys.to_pylist()
    told = json.loads(forced.stdout)
    assert sorted(told) == ["edges", "journeys", "steps"]
    assert told["journeys"][0]["journeys"] == len(made)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.csv", "broken.yaml", "e.csv", "made", "wrong.yaml"]


def test_draw(run, skilltime, tmp_path):
    playbook, _, done = skilltime
    workflow = playbook.workflows["webinar"]
    assert run("draw", WEBINAR).stdout == workflow.to_mermaid()
    assert run("draw", WEBINAR, "webinar", "--format", "dot").stdout == workflow.to_dot()
    ended = run("draw", WEBINAR, *HISTORY, "--out", "w.svg")
    assert (ended.returncode, ended.stdout) == (0, "")
    assert (tmp_path / "w.svg").read_text(encoding="utf-8") == workflow.to_svg(done)


@pytest.mark.parametrize("name", ["data", "select", "check", "run", "segments", "kpis", "draw"])
def test_the_example_in_the_help_works(name, tmp_path):
    environment = os.environ | {"COLUMNS": "300", "NO_COLOR": "1"}
    told = subprocess.run([*COMMAND, name, "--help"], capture_output=True, text=True, check=True, env=environment).stdout
    example = re.search(r"journeyman (" + name + r" .*\S)", told)[1]
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    done = subprocess.run([*COMMAND, *shlex.split(example)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout or name in ("check", "draw")


def test_the_help_says_the_exit_codes():
    told = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True).stdout
    for code in ("0 done", "1 a definition", "2 the command", "3 rows", "130 interrupted"):
        assert code in " ".join(told.split())


def test_a_closed_pipe_is_no_error(tmp_path):
    command = f"{shlex.join([*COMMAND, 'select', 'exists(email) or missing(email)', *HISTORY])} | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "contact_id\n")
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    """A replay of a minute or more: each event looks at all before it."""
    folder = tmp_path_factory.mktemp("endless")
    contacts, events = 4000, 800
    pq.write_table(
        pa.table({
            "contact_id": pa.array(np.repeat(np.arange(contacts), events).astype(str)).dictionary_encode(),
            "event": pa.array(["x"] * (contacts * events)).dictionary_encode(),
            "timestamp": pa.array(np.tile(np.arange(events), contacts) * 3_600_000_000 + 1_700_000_000_000_000, pa.timestamp("us", "UTC")),
            "a": np.tile(np.arange(events), contacts),
        }),
        folder / "events.parquet",
    )  # fmt: skip
    never = "distinct(x.a, since entry) > 1000000 and sequence(x where a == 1, x where a == 2, x where a == -1)"
    step = {"wait_for": {"when": never}, "timeout": "9000d", "then": "end", "else": "end"}
    workflow = {"trigger": {"event": "x"}, "first": "s", "steps": {"s": step}}
    (folder / "p.json").write_text(json.dumps({"timezone": "UTC", "workflows": {"w": workflow}}))
    return folder


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("arguments", [["run", "p.json", "--history", ".", "--out", "out/made"], ["draw", "p.json", "--history", ".", "--out", "w.svg"]])
def test_interrupted_it_leaves_nothing_behind(endless, arguments, stop, code):
    before = sorted(endless.rglob("*"))
    terminal, end = pty.openpty()   # so that the progress tells when the replay is under way
    process = subprocess.Popen([*COMMAND, *arguments], cwd=endless, stdout=subprocess.PIPE, stderr=end)
    os.close(end)
    begun = threading.Event()

    def look_on():   # to its end: who stops reading stops the writer
        with contextlib.suppress(OSError):   # how a terminal says that the other side is closed
            while shown := os.read(terminal, 1000):
                if b"replaying" in shown:
                    begun.set()

    threading.Thread(target=look_on, daemon=True).start()
    try:
        assert begun.wait(120)
        time.sleep(0.5)
        assert process.poll() is None, "the replay was too short to be interrupted"
        process.send_signal(stop)
        out = process.communicate(timeout=300)[0]
    finally:
        process.kill()
    assert process.returncode == code
    assert out == b""
    assert sorted(endless.rglob("*")) == before


def test_a_write_that_fails_leaves_what_was_there(tmp_path):
    """Interrupted in the middle of writing, where no process can be stopped at will."""
    from journeyman._files import whole_file, whole_folder

    (tmp_path / "f.svg").write_text("old")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "old").write_text("old")
    with pytest.raises(KeyboardInterrupt), whole_file(tmp_path / "f.svg") as file:
        file.write_text("half")
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt), whole_folder(tmp_path / "d", force=True) as folder:
        (folder / "half").write_text("half")
        raise KeyboardInterrupt
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")) == ["d", "d/old", "f.svg"]
    assert (tmp_path / "f.svg").read_text() == "old"
