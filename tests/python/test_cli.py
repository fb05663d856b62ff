"""The command line: what it prints, and how it ends."""

import subprocess
import sys

import pytest

CSV = "contact_id,event,timestamp\nanna,purchase,2026-01-02T00:00:00Z\nbea,login,2026-01-02T00:00:00Z\n"


@pytest.fixture
def run(tmp_path):
    (tmp_path / "e.csv").write_text(CSV)
    (tmp_path / "bad.csv").write_text(CSV + "cleo,login,yesterday\n")

    def command(*arguments):
        return subprocess.run([sys.executable, "-m", "journeyman.cli", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)

    return command


def test_select_writes_ids(run):
    done = run("select", "did(purchase, last 30d)", "--at", "2026-01-31T00:00:00Z", "--events", "e.csv")
    assert (done.returncode, done.stdout) == (0, "contact_id\nanna\n")
    assert "1 in, 0 unknown" in done.stderr


def test_data_shows_what_was_rejected(run):
    done = run("data", "--events", "bad.csv")
    assert done.returncode == 0
    assert "2 contacts, 2 events" in done.stdout
    assert "unreadable" in done.stdout
    assert run("data", "--events", "bad.csv", "--strict").returncode == 3
    assert run("data", "--events", "e.csv", "--strict").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["select", "cuont(x) > 1", "--at", "2026-01-31T00:00:00Z", "--events", "e.csv"], 1, "count"),
        (["select", "did(x)", "--at", "2026-01-31T00:00:00", "--events", "e.csv"], 1, "zone"),
        (["select", "did(x)", "--at", "2026-01-31T00:00:00Z", "--events", "no.csv"], 1, "no.csv"),
        (["select", "did(x)", "--at", "2026-01-31T00:00:00Z"], 2, "records"),
        (["data", "--wrong"], 2, "wrong"),
    ],
)
def test_exit_codes(run, arguments, code, says):
    done = run(*arguments)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
