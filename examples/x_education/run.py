"""Who converts: 9,240 leads of an online school by occupation and source, and how much of the data to collect is there.

    python examples/x_education/run.py [FOLDER]

FOLDER holds leads.csv (default: ../shared/data/x_education, beside the repository). README.md says where it comes from.
"""

import pathlib
import sys

import journeyman as jm

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parents[2] / "shared" / "data" / "x_education"
# The file has no dates, so its leads exist always, and any year gives the same answers; but a year has to be named.
YEAR = ("2026-01-01T00:00:00+05:30", "2027-01-01T00:00:00+05:30")


def read_history(folder: pathlib.Path = DATA) -> jm.History:
    """The file as it stands: one contact a row, its columns the attributes."""
    return jm.History(contacts=folder / "leads.csv", columns={"contact_id": "Prospect ID"})


def read_playbook() -> jm.Playbook:
    return jm.Playbook.load(HERE / "playbook.yaml")


def sizes(history: jm.History, playbook: jm.Playbook) -> dict[str, int]:
    """Segment to members."""
    return {row["segment"]: row["members"] for row in playbook.sizes(history, at=YEAR[0]).to_pylist()}


def conversions(history: jm.History, playbook: jm.Playbook) -> dict[str, dict[str, tuple[int, int]]]:
    """KPI to cell to (converted, leads). The total is the cell "all"; leads that lack the dimension are "(missing)"."""
    out: dict[str, dict[str, tuple[int, int]]] = {}
    for row in playbook.kpis(history, start=YEAR[0], end=YEAR[1]).to_pylist():
        cell = row["source"] or row["occupation"] or row["last_notable_activity"] or "all"
        out.setdefault(row["kpi"], {})[cell] = (int(row["numerator"]), int(row["denominator"]))
    return out


def coverage(history: jm.History, playbook: jm.Playbook) -> dict[tuple[str, str, str], tuple[int, int]]:
    """(segment, group, column) to (there, members)."""
    rows = playbook.coverage(history, at=YEAR[0]).to_pylist()
    return {(row["segment"], row["group"], column(row["expression"])): (row["present"], row["members"]) for row in rows}


def column(expression: str) -> str:
    """The column that an expression of the playbook reads."""
    name = expression.removesuffix(' != "Select"')
    return name.removeprefix('attr("').removesuffix('")').removeprefix("contact.")


def table(title: str, cells: dict[str, tuple[int, int]]) -> None:
    print(f"\n{title:<30}{'leads':>7}{'converted':>11}{'share':>9}")
    for cell, (converted, leads) in sorted(cells.items(), key=lambda item: -item[1][1]):
        if leads >= 10:
            print(f"{cell:<30}{leads:>7,}{converted:>11,}{converted / leads:>9.2%}")


def main(folder: pathlib.Path) -> None:
    if not (folder / "leads.csv").exists():
        sys.exit(f"{folder}/leads.csv is not there. Give the folder that holds it; README.md says where to get it.")
    history, playbook = read_history(folder), read_playbook()
    if problems := playbook.check(history):
        print(problems)
    print(f"{history.contacts_count:,} leads, {len(history.schema['contact'])} attributes each, {len(history.rejected)} rows rejected")

    rates = conversions(history, playbook)
    print("\nCells of ten leads or more:")
    table("occupation", rates["conversion_by_occupation"])
    table("source", rates["conversion_by_source"])
    table("last notable activity", rates["conversion_by_last_activity"])

    there = coverage(history, playbook)
    print(f"\n{'data to collect, all leads':<48}{'there':>7}{'share':>9}   with \"Select\" as an answer")
    for (segment, group, name), (present, members) in there.items():
        if segment == "leads" and group != "as_written":
            written = there.get((segment, "as_written", name))
            print(f"{name:<48}{present:>7,}{present / members:>9.2%}   {f'{written[0]:,}' if written else ''}")

    print(f"\n{'data to collect':<48}{'unemployed':>14}{'professional':>14}{'student':>14}")
    for (segment, group, name), _ in there.items():
        if segment == "unemployed":
            shares = (present / members for present, members in (there[s, group, name] for s in ("unemployed", "professional", "student")))
            print(f"{name:<48}" + "".join(f"{share:>14.1%}" for share in shares))

    unknown = rates["conversion_by_occupation"]["(missing)"]
    known = [sum(part) for part in zip(*(pair for cell, pair in rates["conversion_by_occupation"].items() if cell not in ("all", "(missing)")), strict=True)]
    print(f"\nLook at: the occupation of {unknown[1]:,} leads is not known, and they convert at {unknown[0] / unknown[1]:.1%} against {known[0] / known[1]:.1%} of the others:")
    print("ask it earlier. Working professionals, and who was sent by somebody or came from the Welingak website, nearly always buy: call them first.")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else DATA)
