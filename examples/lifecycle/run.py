"""Who is who, and since when: segments of a made-up online school, asked of the same history at several instants.

    python examples/lifecycle/run.py [FOLDER]

The history is made by the seed below (2,000 contacts, a year), written as JSON Lines in the Segment spec, and read back as yours would be.
"""

import json
import pathlib
import random
import sys
from datetime import datetime, timedelta, timezone

import journeyman as jm

SEED = 7
START = datetime(2025, 1, 1, tzinfo=timezone.utc)
SEGMENTS = {
    "freelance": 'audience == "B2C" and occupation == "freelance"',
    "unemployed": 'audience == "B2C" and occupation == "unemployed"',
    "hr": 'audience == "B2B" and occupation == "hr"',
    "engaged": "count(email_opened, last 30d) >= 2",
    "customers": "did(purchase)",
    "repeat_customers": "count(purchase) >= 2",
    "lapsed": "did(purchase) and never(purchase, last 90d)",
    "promising": 'segment("freelance") and segment("engaged") and never(purchase)',
    "big_spenders": "sum(purchase.amount, this year) > 500",
    "went_all_the_way": "sequence(form_submitted, email_opened, purchase, within 30d)",
}


def make_records(contacts: int = 2000):
    """The records, in time order; the same for the same seed."""
    draw = random.Random(SEED)
    records = []

    def record(kind, who, at, **more):
        records.append({"type": kind, "userId": who, "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), **more})

    for n in range(contacts):
        who = f"c{n:05}"
        joined = START + timedelta(seconds=draw.randrange(300 * 86400))
        b2b = draw.random() < 0.3
        traits = {"audience": "B2B" if b2b else "B2C"}
        if draw.random() < 0.9:  # of one in ten the occupation is not known
            traits["occupation"] = draw.choice(["hr", "manager"] if b2b else ["freelance", "unemployed", "student"])
        record("identify", who, joined, traits=traits)
        record("track", who, joined, event="form_submitted", properties={"form": draw.choice(["webinar", "trial"])})
        at = joined
        for _ in range(draw.randrange(12)):
            at += timedelta(seconds=draw.expovariate(1 / (12 * 86400)))
            if at >= START + timedelta(days=365):
                break
            event = draw.choices(["email_opened", "page_viewed", "purchase"], [5, 4, 1])[0]
            properties = {"amount": round(draw.uniform(49, 399), 2)} if event == "purchase" else {}
            record("track", who, at, event=event, properties=properties)
    records.sort(key=lambda r: r["timestamp"])
    return records


def main(folder: pathlib.Path) -> None:
    """Prints the size of each segment at the end of each quarter, and writes the members at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "records.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in make_records()), encoding="utf-8")
    history = jm.History.from_records(path)
    print(f"{history.contacts_count} contacts, {history.events_count} events, {len(history.rejected)} rows rejected\n")
    quarters = ["2025-03-31", "2025-06-30", "2025-09-30", "2025-12-31"]
    print(f"{'segment':<18}" + "".join(f"{q:>12}" for q in quarters) + f"{'unknown':>9}")
    for name, text in SEGMENTS.items():
        at_end = [history.select(text, at=f"{q}T23:59:59.999999Z", segments=SEGMENTS) for q in quarters]
        print(f"{name:<18}" + "".join(f"{s.count:>12}" for s in at_end) + f"{len(at_end[-1].unknown_ids):>9}")
        (folder / f"{name}.txt").write_text("".join(i + "\n" for i in at_end[-1].ids), encoding="utf-8")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/lifecycle"))
