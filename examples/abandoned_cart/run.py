"""What an abandoned-cart workflow would have sent over half a year of a shop's clickstream, and to whom.

    python examples/abandoned_cart/run.py [FILE]

FILE is ecom.csv.gz (default: ../shared/data/ecom/ecom.csv.gz, beside the repository). README.md says where it comes from.
"""

import pathlib
import sys

import journeyman as jm

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parents[2] / "shared" / "data" / "ecom" / "ecom.csv.gz"
END = "2024-07-15T00:00:00Z"  # two weeks after the last event: every journey has come to its end
STEPS = ("reminder", "second_reminder", "give_up")


def read_history(file: pathlib.Path = DATA) -> jm.History:
    """Every row is an event; the channel, the same in all rows of a user, stays a property of each."""
    return jm.History(events=file, columns={"contact_id": "user_id"}, timezone="UTC")


def read_playbook() -> jm.Playbook:
    return jm.Playbook.load(HERE / "playbook.yaml")


def passages(run: jm.Run) -> dict[str, int]:
    """How many journeys came to each point: carts, then what was really sent, then who gave up or bought."""
    journeys, actions = run.journeys.to_pylist(), run.actions.to_pylist()
    done = {(a["contact_id"], a["journey"], a["step"]) for a in actions if a["status"] in ("sent", "done")}
    counts = {"carts": len(journeys)} | {step: sum(s == step for _, _, s in done) for step in STEPS}
    bought = [j["at_step"] for j in journeys if j["outcome"] == "goal"]
    return counts | {f"bought at {step}": bought.count(step) for step in ("an_hour", "reminder", "a_day", "second_reminder", "three_days")}


def main(file: pathlib.Path) -> None:
    if not file.exists():
        sys.exit(f"{file} is not there. Give the path of ecom.csv.gz; README.md says where to get it.")
    history, playbook = read_history(file), read_playbook()
    print(f"{history.contacts_count:,} contacts, {history.events_count:,} events, {len(history.rejected)} rows rejected\n")

    print("The funnel, as it stands at the end:")
    for stage in playbook.stages(history, END).to_pylist():
        print(f"  {stage['stage']:<16}{stage['reached']:>5} reached it, {stage['standing']:>5} stand there")

    run = playbook.replay(history, until=END)
    counts = passages(run)
    print("\nThe workflow, over the same half year:")
    for name, n in counts.items():
        print(f"  {name:<28}{n:>5}{n / counts['carts']:>8.1%}")
    sends = [a for a in run.actions.to_pylist() if a["kind"] == "send"]
    late = sum(a["status"] == "deferred" for a in sends)
    kept = sum(a["status"] == "suppressed" for a in sends)
    print(f"\n{sum(a['status'] == 'sent' for a in sends)} e-mails would have been sent; {late} waited for the morning first, {kept} were held back by the cap.")

    reminded = [a for a in sends if a["status"] == "sent" and a["step"] == "reminder"]
    print("\nThe first three of them:")
    for a in reminded[:3]:
        print(f"  {a['at']:%Y-%m-%d %H:%M}  {a['contact_id']}  {a['template']}")
    print("\nNobody got these e-mails, so who bought afterwards bought without them: that is the number to beat, in a trial with a holdout.")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else DATA)
