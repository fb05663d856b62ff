"""From lead to customer, by origin and by month: 8,000 leads of a Brazilian marketplace and the 842 deals that closed.

    python examples/olist/run.py [FOLDER]

FOLDER holds leads.csv and closed_deals.csv (default: ../shared/data/olist, beside the repository). README.md says where they come from.
"""

import csv
import pathlib
import sys

import journeyman as jm

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parents[2] / "shared" / "data" / "olist"
END = "2018-12-01T00:00:00-02:00"  # of the campaign `all_time`: later than the last deal, so no row is cut off and no lead is immature


def read_history(folder: pathlib.Path = DATA) -> jm.History:
    """The leads are contacts as they stand in their file; leads and deals are its events."""
    return jm.History(
        contacts=folder / "leads.csv",
        events=list(events(folder)),
        columns={"contact_id": "mql_id", "events": {"timestamp": "won_date"}},
        formats={"won_date": "%m/%d/%Y %H:%M"},
        timezone="America/Sao_Paulo",  # neither file says one; the company is there
    )


def events(folder: pathlib.Path):
    """The rows of both files under one another, for a history takes one table of events, with a column that names them.

    That, and the day of a lead written as the deals write theirs, is all that has to be shaped: the deals' other columns come as they are.
    """
    with open(folder / "leads.csv", encoding="utf-8", newline="") as leads:
        for row in csv.DictReader(leads):
            year, month, day = row["first_contact_date"].split("-")
            yield {"mql_id": row["mql_id"], "event": "lead", "won_date": f"{month}/{day}/{year} 0:00"}
    with open(folder / "closed_deals.csv", encoding="utf-8", newline="") as deals:
        for row in csv.DictReader(deals):
            yield {"event": "won", **row}


def read_playbook() -> jm.Playbook:
    return jm.Playbook.load(HERE / "playbook.yaml")


def rows(kpis: jm.Kpis, name: str) -> list[dict]:
    """The rows of one KPI, its totals and its cells; of an empty month nothing."""
    return [row for row in kpis.to_pylist() if row["kpi"] == name and row["denominator"]]


def by_origin(kpis: jm.Kpis, name: str) -> dict[str, tuple[int, int]]:
    """Origin to (numerator, denominator); the total is under "all"."""
    return {row["origin"] or "all": (int(row["numerator"]), int(row["denominator"])) for row in rows(kpis, name)}


def by_month(kpis: jm.Kpis, name: str) -> dict[str, tuple[int, int]]:
    """Month as YYYY-MM to (numerator, denominator)."""
    # Periods come in UTC: the midnight of São Paulo is 02:00 or 03:00 of the same day there.
    return {f"{row['period']:%Y-%m}": (int(row["numerator"]), int(row["denominator"])) for row in rows(kpis, name)}


def won_before_their_lead(history: jm.History) -> list[str]:
    """Deals that are dated before the lead they came from."""
    return history.select("first_time(won) < first_time(lead)").ids


def main(folder: pathlib.Path) -> None:
    if not (folder / "leads.csv").exists():
        sys.exit(f"{folder}/leads.csv is not there. Give the folder that holds leads.csv and closed_deals.csv; README.md says where to get them.")
    history, playbook = read_history(folder), read_playbook()
    if problems := playbook.check(history):
        print(problems)
    print(f"{history.contacts_count:,} leads, {history.select('did(won)').count:,} won, {len(history.rejected)} rows rejected\n")
    kpis = playbook.kpis(history, end=END)

    won, in_30, in_90 = (by_origin(kpis, name) for name in ("won_of_leads", "cohort_30_days", "cohort_90_days"))
    interval = {row["origin"] or "all": f"{row['low']:.1%} to {row['high']:.1%}" for row in rows(kpis, "won_of_leads")}
    print(f"{'origin':<18}{'leads':>8}{'won':>6}{'share':>9}   {'95 % interval':<18}{'in 30 d':>8}{'in 90 d':>8}")
    for origin, (n, leads) in sorted(won.items(), key=lambda item: -item[1][1]):
        print(f"{origin:<18}{leads:>8,}{n:>6}{n / leads:>9.3%}   {interval[origin]:<18}{in_30[origin][0]:>8}{in_90[origin][0]:>8}")

    in_30, in_90, period = (by_month(kpis, name) for name in ("won_within_30_days", "won_within_90_days", "month_by_month"))
    print(f"\n{'month':<8}{'leads':>8}{'in 30 d':>9}{'share':>8}{'in 90 d':>9}{'share':>8}   won in the month, whenever a lead")
    for month, (soon, leads) in in_30.items():
        late, news = in_90[month][0], period[month][0]
        print(f"{month:<8}{leads:>8,}{soon:>9}{soon / leads:>8.2%}{late:>9}{late / leads:>8.2%}{news:>6}")
    print(f"{'all':<8}{total(in_30, 1):>8,}{total(in_30, 0):>9}{'':>8}{total(in_90, 0):>9}")

    early = won_before_their_lead(history)
    best = max((o for o in won if o != "all" and won[o][1] >= 100), key=lambda o: won[o][0] / won[o][1])
    print(f"\nDated before their lead: {len(early)} ({', '.join(early)}). `won_of_leads` counts it, the cohorts do not.")
    print(f"Look at: `{best}` closes most of its leads ({won[best][0] / won[best][1]:.1%}), so find out who they are. Deals begin in December 2017:")
    print("compare the months from 2018 on, by cohort; by calendar month the backlog of leads makes April look better than it is.")


def total(by: dict[str, tuple[int, int]], part: int) -> int:
    return sum(pair[part] for pair in by.values())


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else DATA)
