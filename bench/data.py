"""Makes the data of the benchmarks: one made-up year of a company's contacts, the same for the same seed.

    python bench/data.py FOLDER [--scale 1.0] [--seed 7]

Scale 1 is 400,000 contacts and 20,000,000 events of 16 names: contacts.parquet, events.parquet, spend.parquet, summary.json.
Events come in sessions; a few contacts have thousands of them, some one or none. Rows are in order of time, as they would arrive, not by
contact. No two events share an instant, so that no answer hangs on the order of ties. Half of the carts are bought, with their `cart_id`.
Money is in `amount` (units, a double) and in `amount_cents` (an integer).
"""

import argparse
import json
import pathlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

DAY = 86_400_000_000
START = 1_735_689_600_000_000  # 2025-01-01T00:00:00Z
END = START + 365 * DAY

SHARES = {
    "page_viewed": 0.36, "email_sent": 0.20, "email_opened": 0.12, "login": 0.09, "email_clicked": 0.05, "form_submitted": 0.04,
    "cart_started": 0.03, "purchase": 0.02, "webinar_registered": 0.02, "webinar_attended": 0.015, "trial_started": 0.015,
    "support_ticket": 0.010, "survey_answered": 0.010, "course_completed": 0.010, "referral_made": 0.007, "refund": 0.003,
}  # fmt: skip
NAMES = list(SHARES)
CODE = {name: i for i, name in enumerate(NAMES)}
CHANNELS = ["email", "google_ads", "linkedin", "meta", "organic", "webinar"]
COUNTRIES = ["IT", "FR", "DE", "ES", "GB", "US", "NL", "BE", "PT", "AT", "CH", "PL", "CZ", "SE", "DK", "NO", "FI", "IE", "GR", "RO"]
OCCUPATIONS = ["freelance", "unemployed", "student", "hr", "manager"]  # the last two are companies' people
SEGMENTS = ["b2c_freelance", "b2c_unemployed", "b2b_hr", "b2b_manager"]
PAGES = [f"/p{i}" for i in range(50)]
INSTANT = pa.timestamp("us", "UTC")


def coded(codes: Any, names: list[str], missing: Any = None) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=missing), pa.array(names))


def contact_ids(n: int) -> pa.StringArray:
    """c0000000, c0000001, …"""
    letters = np.full((n, 8), ord("c"), dtype=np.uint8)
    rest = np.arange(n)
    for place in range(7, 0, -1):
        letters[:, place] = ord("0") + rest % 10
        rest = rest // 10
    return pa.StringArray.from_buffers(n, pa.py_buffer(np.arange(0, 8 * n + 8, 8, dtype=np.int32)), pa.py_buffer(letters.tobytes()))


def make(folder: pathlib.Path, scale: float = 1.0, seed: int = 7, contacts: int | None = None, events: int | None = None) -> dict[str, Any]:
    """Writes the files and returns the summary."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    contacts = contacts or int(400_000 * scale)
    events = events or int(20_000_000 * scale)

    occupation = rng.choice(5, contacts, p=[0.30, 0.20, 0.15, 0.20, 0.15]).astype(np.int8)
    before = rng.random(contacts) < 0.4
    created = START + np.where(before, -rng.integers(1, 400 * DAY, contacts), rng.integers(0, 360 * DAY, contacts))
    acquired = rng.choice(6, contacts, p=[0.15, 0.25, 0.15, 0.20, 0.15, 0.10]).astype(np.int8)
    country = np.minimum(rng.geometric(0.18, contacts) - 1, 19).astype(np.int8)

    # Sessions of skewed contacts, then the events in them.
    weight = np.minimum(rng.lognormal(0, 1.5, contacts), 250.0)
    sessions = int(events / 4.7)
    who = np.searchsorted(np.cumsum(weight) / weight.sum(), rng.random(sessions)).astype(np.int32)
    earliest = np.maximum(created[who], START)
    begin = earliest + ((END - earliest) * rng.random(sessions)).astype(np.int64)
    size = 1 + rng.poisson(4.0, sessions)
    total = int(size.sum())
    gaps = np.cumsum(rng.exponential(600e6, total))
    contact = np.repeat(who, size)
    at = np.repeat(begin, size) + (gaps - gaps[np.repeat(np.cumsum(size) - size, size)]).astype(np.int64)
    event = rng.choice(16, total, p=np.array(list(SHARES.values()))).astype(np.int8)
    cart = np.full(total, -1, dtype=np.int64)
    carts = np.flatnonzero(event == CODE["cart_started"])
    cart[carts] = np.arange(len(carts)) + 1
    bought = carts[rng.random(len(carts)) < 0.5]
    contact = np.concatenate([contact, contact[bought]])
    at = np.concatenate([at, at[bought] + rng.exponential(7.2e9, len(bought)).astype(np.int64)])  # two hours later on average
    event = np.concatenate([event, np.full(len(bought), CODE["purchase"], np.int8)])
    cart = np.concatenate([cart, cart[bought]])

    keep = np.flatnonzero(at < END - 60_000_000)
    if len(keep) < events:
        raise SystemExit(f"only {len(keep)} events were made; take a larger scale")
    keep = keep[np.argsort(at[keep], kind="stable")]
    keep = np.delete(keep, rng.choice(len(keep), len(keep) - events, replace=False))
    contact, at, event, cart = contact[keep], at[keep], event[keep], cart[keep]
    index = np.arange(events, dtype=np.int64)
    at = np.maximum.accumulate(at - index) + index  # strictly rising

    channel = rng.choice(6, events, p=[0.35, 0.20, 0.10, 0.15, 0.12, 0.08]).astype(np.int8)
    page = np.minimum(rng.geometric(0.06, events) - 1, 49).astype(np.int8)
    cents = np.round(np.exp(rng.normal(4.2, 0.8, events)) * 100).astype(np.int64)
    without_amount = (event != CODE["purchase"]) & (event != CODE["refund"])

    ids = contact_ids(contacts)
    pq.write_table(pa.table({
        "contact_id": ids,
        "audience": coded((occupation < 3).astype(np.int8), ["B2B", "B2C"]),
        "occupation": coded(occupation, OCCUPATIONS),
        "country": coded(country, COUNTRIES),
        "acquisition_channel": coded(acquired, CHANNELS),
        "created_at": pa.array(created, INSTANT),
    }), folder / "contacts.parquet")  # fmt: skip
    pq.write_table(pa.table({
        "contact_id": ids.take(pa.array(contact)),
        "event": coded(event, NAMES),
        "timestamp": pa.array(at, INSTANT),
        "channel": coded(channel, CHANNELS),
        "page": coded(page, PAGES, event != CODE["page_viewed"]),
        "amount": pa.array(cents / 100, mask=without_amount),
        "amount_cents": pa.array(cents, mask=without_amount),
        "cart_id": pa.array(cart, mask=cart < 0),
    }), folder / "events.parquet", row_group_size=1 << 20)  # fmt: skip
    rows = 365 * 6 * 4
    pq.write_table(pa.table({
        "timestamp": pa.array(START + np.repeat(np.arange(365), 24) * DAY, INSTANT),
        "channel": coded(np.tile(np.repeat(np.arange(6), 4), 365).astype(np.int8), CHANNELS),
        "segment": coded(np.tile(np.arange(4), 365 * 6).astype(np.int8), SEGMENTS),
        "amount": pa.array(rng.integers(500, 50_000, rows) / 100),
    }), folder / "spend.parquet")  # fmt: skip

    per_contact = np.bincount(contact, minlength=contacts)
    summary = {
        "contacts": contacts,
        "events": events,
        "seed": seed,
        "events_of_a_contact": dict(zip(["least", "median", "90%", "99%", "most"], np.quantile(per_contact, [0, 0.5, 0.9, 0.99, 1]).tolist(), strict=True)),
        "by_name": dict(zip(NAMES, np.bincount(event, minlength=16).tolist(), strict=True)),
    }
    (folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    return summary


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--contacts", type=int, help="instead of 400,000 times the scale")
    parser.add_argument("--events", type=int, help="instead of 20,000,000 times the scale")
    args = parser.parse_args()
    print(json.dumps(make(args.folder, args.scale, args.seed, args.contacts, args.events), indent=1))


if __name__ == "__main__":
    main()
