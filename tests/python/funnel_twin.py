"""Funnels by brute force, from the words of docs/funnels.md: all chains of a unit are written down, then the best is taken. Shares nothing with the library."""

import itertools

DEFAULTS = {
    "window": None, "window_from": "start", "window_end": "inclusive", "event_gap": None, "order": "ordered", "adjacency": "none", "skip_ahead": "ignore",
    "anchor": "any", "tie_rule": "arrival", "one_event_many_steps": False, "start_event_many_steps": False, "strict_increase": False, "repeats": "allowed",
    "exclusions": [], "optional_steps": [],
}  # fmt: skip


class Unit:
    """Events as (instant, set of steps from 1, set of exclusions), in order of arrival at each instant."""

    def __init__(self, events, steps, rules):
        self.r = DEFAULTS | rules
        self.n = steps
        self.events = sorted(events, key=lambda e: e[0])   # stable
        self.window_of = lambda since: self.r["window"]    # how long the one that begins then is
        self.only = self.chosen = None                     # the one start to look at; the events of the best chain
        if self.r["tie_rule"] == "step_order" and self.greedy:
            self.events.sort(key=lambda e: (e[0], sorted(e[1])))

    @property
    def greedy(self):
        return self.r["adjacency"] in ("listed", "all") or self.r["repeats"] in ("end_chain_last", "end_chain_any", "reset")

    def t(self, k):
        return self.events[k][0]

    def limit(self, chain):
        """The first instant outside the window of what follows."""
        return self.closes(self.t(chain[0][0] if self.r["window_from"] == "start" else chain[-1][0]))

    def closes(self, since):
        window = self.window_of(since)
        return float("inf") if window is None else since + window + (self.r["window_end"] == "inclusive")

    def broken_by_gap(self, start, end):
        if self.r["event_gap"] is None:
            return False
        seen = sorted(t for t, steps, _ in self.events if (steps or self.r["adjacency"] == "all") and self.t(start) <= t <= self.t(end))
        return any(b - a > self.r["event_gap"] for a, b in itertools.pairwise(seen))

    def met(self, chain):
        """The first instant at which the chain meets an exclusion, or None."""
        found = []
        for number, x in enumerate(self.r["exclusions"]):
            before = [(k, s) for k, s in chain if s == x["from_step"]]
            if not before:
                continue
            after = [k for k, s in chain if s >= x["to_step"]]
            for t, _, exclusions in self.events:
                if number in exclusions and t > self.t(before[-1][0]) and t < (self.t(after[0]) if after else self.limit(chain) - (self.r["window_end"] == "inclusive")):
                    found.append(t)
        return min(found, default=None)

    def may_follow(self, chain, k, s):
        """Whether event k may be step s after this chain."""
        last, step = chain[-1]
        if s not in self.events[k][1] or any(x not in self.r["optional_steps"] for x in range(step + 1, s)) or s <= step:
            return False
        if self.r["strict_increase"] and self.t(k) <= self.t(last):
            return False
        if self.t(k) >= self.limit(chain) or self.broken_by_gap(chain[0][0], k):
            return False
        again = any(k == e for e, _ in chain)
        if again and (not self.r["one_event_many_steps"] or (k == chain[0][0] and not self.r["start_event_many_steps"])):
            return False
        if self.r["tie_rule"] == "arrival":
            return k >= last
        return self.t(k) >= self.t(last)

    def starts(self):
        first = [k for k, e in enumerate(self.events) if 1 in e[1]]
        if self.only is not None:
            return [self.only]
        if self.r["anchor"] != "first" or not first or self.r["repeats"] == "reset":
            return first
        return [k for k in first if k == first[0] or (self.r["tie_rule"] == "step_order" and not self.greedy and self.t(k) == self.t(first[0]))]

    def all_chains(self):
        open_chains = [[(k, 1)] for k in self.starts()]
        while open_chains:
            chain = open_chains.pop()
            yield chain
            for k in range(len(self.events)):
                for s in self.events[k][1]:
                    if self.may_follow(chain, k, s):
                        longer = [*chain, (k, s)]
                        met = self.met_so_far(longer)
                        if met is None or sum(self.t(e) > met for e, _ in longer) <= 1:
                            open_chains.append(longer)

    def met_so_far(self, chain):
        """As `met`, but only what lies before its last event: what comes later cannot stop a step already taken."""
        met = self.met(chain)
        return met if met is not None and met < self.t(chain[-1][0]) else None

    def greedy_chains(self):
        r = self.r
        for start in self.starts():
            chain = [(start, 1)]
            if r["one_event_many_steps"] and r["start_event_many_steps"] and not r["strict_increase"]:
                self.climb(chain, start)
            yield list(chain)
            for k in range(start + 1, len(self.events)):
                steps = self.events[k][1]
                if self.broken_by_gap(start, k) and (steps or r["adjacency"] == "all"):
                    break
                if self.t(k) >= self.limit(chain):
                    break
                if r["strict_increase"] and self.t(k) == self.t(chain[-1][0]):
                    continue
                if r["repeats"] == "reset" and 1 in steps:
                    break
                step = chain[-1][1]
                following = self.following(chain, k)
                met = self.met_now(chain, k)
                if following and not (met is not None and sum(self.t(e) > met for e, _ in chain) >= 1):
                    chain.append((k, following[0]))
                    if r["one_event_many_steps"] and not r["strict_increase"]:
                        self.climb(chain, k)
                    yield list(chain)
                    continue
                if r["repeats"] == "end_chain_last" and step in steps:
                    break
                if r["repeats"] == "end_chain_any" and any(s <= step for s in steps):
                    break
                if (r["adjacency"] == "listed" and steps) or r["adjacency"] == "all":
                    break

    def met_now(self, chain, k):
        met = self.met([*chain])
        return met if met is not None and met < self.t(k) else None

    def climb(self, chain, k):
        while following := self.following(chain, k):
            chain.append((k, following[0]))

    def following(self, chain, k):
        step = chain[-1][1]
        if self.t(k) >= self.limit(chain):
            return []
        return [s for s in sorted(self.events[k][1]) if s > step and all(x in self.r["optional_steps"] for x in range(step + 1, s))]

    def walk(self):
        """All chains of the one walk over pairs of event and step (adjacency walk, repeats end_walk)."""
        r, chains, reached = self.r, [], set()
        groups = [[k] for k in range(len(self.events))]
        if r["tie_rule"] == "step_order":
            groups = [list(g) for _, g in itertools.groupby(range(len(self.events)), key=self.t)]
        allowed = set(self.starts())
        for group in groups:
            if r["adjacency"] == "walk" and reached and any(not self.events[k][1] for k in group):
                break
            over = False
            for s in range(1, self.n + 1):
                for k in group:
                    if s not in self.events[k][1] or over:
                        continue
                    if s == 1:
                        if k in allowed:
                            chains.append([(k, 1)])
                        reached.add(1)
                        continue
                    if r["repeats"] == "end_walk" and s in reached:
                        over = True
                        continue
                    if r["adjacency"] == "walk" and reached and s - 1 not in reached:
                        over = over or r["skip_ahead"] == "end"
                        continue
                    longer = []
                    for kk in group:   # at one instant any event of the group may be the step
                        longer += [[*c, (kk, s)] for c in chains if self.may_follow(c, kk, s)]
                    chains += longer
                    if longer:
                        reached.add(s)
            if over:
                break
        return chains

    def unordered(self):
        best = (0, None, False)
        top = 0
        for o in range(len(self.events)):
            if not self.events[o][1]:
                continue
            until = max(self.closes(self.t(o)), self.t(o) + 1)
            inside = [k for k in range(len(self.events)) if self.t(o) <= self.t(k) < until and self.events[k][1]]
            size, size_clean = 0, 0
            for instant in sorted({self.t(k) for k in inside}):
                size = self.most_steps([k for k in inside if self.t(k) <= instant])
                size_clean = size
            complete = next((i for i in sorted({self.t(k) for k in inside}) if self.most_steps([k for k in inside if self.t(k) <= i]) == self.n), None)
            met = [t for t, _, x in self.events if x and self.r["exclusions"] and self.t(o) < t < (complete if complete is not None else until - (self.r["window_end"] == "inclusive"))]
            if met:
                before = self.most_steps([k for k in inside if self.t(k) <= min(met)])
                size, size_clean = min(size, before + 1), 0
            top = max(top, size)
            best = max(best, (size_clean, None, False))
        return None if best[0] < top else best[0]

    def most_steps(self, events):
        for size in range(min(self.n, len(events)), 0, -1):
            for steps in itertools.combinations(range(1, self.n + 1), size):
                for chosen in itertools.permutations(events, size):
                    if all(s in self.events[k][1] for k, s in zip(chosen, steps, strict=True)):
                        return size
        return 0

    def result(self):
        """(level or None, instants of the steps or None)."""
        if self.r["order"] == "presence":
            there = set().union(*(e[1] for e in self.events)) if self.events else set()
            return next(k for k in range(self.n + 1) if k + 1 not in there), None
        if self.r["order"] == "unordered":
            return self.unordered(), None
        if self.greedy:
            chains = list(self.greedy_chains())
        elif self.r["adjacency"] == "walk" or self.r["repeats"] == "end_walk":
            chains = self.walk()
        else:
            chains = list(self.all_chains())
        if not chains:
            return 0, None
        top = max(c[-1][1] for c in chains)
        clean = [c for c in chains if c[-1][1] == top and self.met(c) is None]
        if not clean:
            return None, None
        most = max(len(c) for c in clean)
        end = min(self.end(c) for c in clean if len(c) == most)
        chosen = [c for c in clean if len(c) == most and self.end(c) == end]
        latest = max(self.t(c[0][0]) for c in chosen)
        chosen = [c for c in chosen if self.t(c[0][0]) == latest]
        best = min(chosen, key=lambda c: [self.t(k) for k, _ in sorted(c, key=lambda x: x[1])])
        self.chosen = {k for k, _ in best}
        return top, {s: self.t(k) for k, s in best}

    def end(self, chain):
        return (self.t(chain[-1][0]), 0 if self.r["tie_rule"] == "step_order" else chain[-1][0])
