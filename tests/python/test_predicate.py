"""The text form: what reads, how it prints, and where errors point."""

import subprocess
import sys
import time

import journeyman as jm
import pytest

TEXTS = [
    'audience == "B2C" and occupation == "freelance"',
    "count(purchase where amount >= 50, last 30d) >= 2",
    "did(webinar_attended) and never(purchase, last 90d)",
    'sum(purchase.amount, this year) > 1000 or segment("vip")',
    "now - last_time(login) > 60d",
    'sequence(page_viewed where page == "/pricing", trial_started, purchase, within 14d)',
    "did(cart_started without purchase on cart_id within 1h, last 3d)",
    'city in ["Roma", "Milano"] and not (email ends_with ".edu")',
    'bucket("holdout-2026") < 0.1',
    "a - (b - c) > 0 and not (a or b)",
    'count("Order Completed" where contact.x == y) between 1 and 3',
    'last(any.email) contains "@"',
    'did("form_*", since "2026-01-31")',
    "if(did(x, last 10d), 50, 0) >= 50",
    "start + 1mo - 1d == now",
]


@pytest.mark.parametrize("text", TEXTS)
def test_printing_and_reading_come_back_to_the_same_tree(text):
    p = jm.predicate(text)
    assert jm.predicate(str(p)).equals(p)
    assert str(jm.predicate(str(p))) == str(p)


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("audience = 1", "1:10", "=="),
        ("audience == ", "1:13", "end"),
        ("cuont(purchase) > 1", "1:1", "count"),
        ("count(purchase, last 30) > 1", "1:22", "unit"),
        ("count(purchase, lats 30d) > 1", "1:17", "last"),
        ('a == "x', "1:6", "quote"),
        ("a ==\n b ==", "2:4", "chain"),
        ("did(purchase", "1:13", "`)`"),
    ],
)
def test_errors_point_at_the_character(text, place, says):
    with pytest.raises(jm.Error) as e:
        jm.predicate(text)
    assert e.value.code == "predicate.syntax"
    assert e.value.place == place
    assert says in e.value.message


def test_limits_are_errors():
    with pytest.raises(jm.Error, match="limit"):
        jm.predicate("(" * 5000 + "a" + ")" * 5000)
    with pytest.raises(jm.Error, match="limit"):
        jm.predicate(" + ".join(["1"] * 20_000) + " > 0")


SHAPES = """
import resource, sys
import journeyman as jm
n = 450_000
shapes = {
    "a list": "x in [" + "1," * n + "1]",
    "operands": "coalesce(" + "a," * n + "a) == 1",
    "a chain": "a" + "+a" * n,
    "selectors": "sequence(" + "a," * n + "a)",
    "signs": "-" * n + "1",
    "parentheses": "(" * n + "a" + ")" * n,
    "filters": "did(a where " * (n // 6) + "a" + ")" * (n // 6),
    "JSON lists": "[" * n + "]" * n,
    "JSON items": "[" + "1," * n + "1]",
    "JSON objects": '{"a":' * (n // 3) + "1" + "}" * (n // 3),
    "JSON keys": "{" + ",".join(f'"{k}":1' for k in range(90_000)) + "}",
}
taken = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (taken + (64 << 20), resource.RLIM_INFINITY))
for what, text in shapes.items():
    assert len(text) < 1_000_000, what
    try:
        (jm.Expression.from_json if what.startswith("JSON") else jm.predicate)(text)
        sys.exit(f"{what} was accepted")
    except jm.Error as e:
        if not (e.code == "predicate.limit" or (what == "JSON keys" and e.code == "predicate.syntax")):
            sys.exit(f"{what}: {e}")
    except MemoryError:
        sys.exit(f"{what} took 64 MiB before it was refused")
"""


def test_what_is_too_large_is_refused_before_it_takes_memory():
    done = subprocess.run([sys.executable, "-c", SHAPES], capture_output=True, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_long_text_is_refused_in_time():
    # half a million items: counted from the start at each, the places alone would take minutes
    began = time.monotonic()
    with pytest.raises(jm.Error) as e:
        jm.predicate("x in [" + "1," * 499_990 + "1]")
    assert e.value.code == "predicate.limit"
    assert time.monotonic() - began < 10


def test_a_predicate_has_no_truth():
    with pytest.raises(TypeError, match="select"):
        bool(jm.predicate("a == 1"))


def test_calendar_windows_are_in_the_zone_asked():
    h = jm.History.from_records([{"type": "track", "userId": "a", "event": "x", "timestamp": "2026-01-31T23:30:00Z"}])
    assert h.select("did(x, this month)", at="2026-02-10T00:00:00Z", timezone="Europe/Rome").ids == ["a"]
    assert h.select("did(x, this month)", at="2026-02-10T00:00:00Z").ids == []
    with pytest.raises(jm.Error):
        h.select("did(x)", at="2026-02-10T00:00:00Z", timezone="Europe/Rom")
