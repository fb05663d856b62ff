"""Text → tree, for journey_twin_predicate.py: a recursive descent over the words of design §5 that the twin needs.

A tree is a tuple: its word, then its operands. A selector is a dict: event, property, where, without, window.
"""

import functools
import re

from journey_twin_time import Duration

TOKEN = re.compile(r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<duration>\d+(?:us|ms|mo|s|m|h|d|w|q|y)\b)|(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_$][\w.$]*\*?)|(?P<sign>==|!=|<=|>=|[<>+\-*/(),\[\]]))')
AGGREGATES = {"count", "sum", "avg", "min", "max", "distinct", "first", "last", "first_time", "last_time", "did", "never"}
OF_PROPERTY = {"sum", "avg", "min", "max", "distinct", "first", "last"}
WINDOWS = {"last", "since", "before", "between", "this", "previous"}


class Parser:
    def __init__(self, text):
        self.tokens, place = [], 0
        while text[place:].strip():
            m = TOKEN.match(text, place)
            assert m, f"{text!r} at {place}"
            self.tokens.append((m.lastgroup, m[m.lastgroup]))
            place = m.end()
        self.k, self.inside = 0, False   # inside a where

    def peek(self, *words):
        kind, word = self.tokens[self.k] if self.k < len(self.tokens) else (None, None)
        return kind != "text" and word in words

    def take(self, *words):
        if words and not self.peek(*words):
            return None
        self.k += 1
        return self.tokens[self.k - 1][1]

    def expect(self, word):
        assert self.take(word), f"{word} expected in {self.tokens} at {self.k}"

    def disjunction(self):
        x = self.conjunction()
        while self.take("or"):
            x = ("or", x, self.conjunction())
        return x

    def conjunction(self):
        x = self.negation()
        while self.take("and"):
            x = ("and", x, self.negation())
        return x

    def negation(self):
        return ("not", self.negation()) if self.take("not") else self.comparison()

    def comparison(self):
        x = self.additive()
        if word := self.take("==", "!=", "<", "<=", ">", ">=", "in", "contains", "starts_with", "ends_with"):
            return (word, x, self.additive())
        if self.take("between"):
            low = self.additive()
            self.expect("and")
            return ("and", (">=", x, low), ("<=", x, self.additive()))
        if self.take("not"):
            self.expect("in")
            return ("not", ("in", x, self.additive()))
        return x

    def additive(self):
        x = self.product()
        while word := self.take("+", "-"):
            x = (word, x, self.product())
        return x

    def product(self):
        x = self.primary()
        while word := self.take("*", "/"):
            x = (word, x, self.primary())
        return x

    def primary(self):
        if self.take("("):
            x = self.disjunction()
            self.expect(")")
            return x
        if self.take("-"):
            return ("-", ("literal", 0), self.primary())
        if self.take("["):
            items = []
            while not self.take("]"):
                items.append(self.additive()[1])
                self.take(",")
            return ("literal", items)
        kind, word = self.tokens[self.k]
        self.k += 1
        if kind == "text":
            return ("literal", re.sub(r"\\(.)", r"\1", word[1:-1]))
        if kind == "number":
            return ("literal", float(word) if "." in word else int(word))
        if kind == "duration":
            return ("literal", Duration(word))
        assert kind == "name", word
        if word in ("true", "false"):
            return ("literal", word == "true")
        if word == "now":
            return ("now",)
        if self.peek("("):
            return self.call(word)
        if word.startswith("trigger."):
            return ("trigger", word[8:])
        if word in ("event.time", "event.name"):
            return (word,)
        if word.startswith("event."):
            return ("prop", word[6:])
        if word.startswith("contact."):
            return ("attr", word[8:])
        if word.startswith("account.") or not self.inside:
            return ("attr", word)
        return ("prop", word)

    def call(self, word):
        self.expect("(")
        if word in AGGREGATES:
            x = (word, self.selector(word in OF_PROPERTY))
        elif word == "sequence":
            parts, within = [], None
            while not self.peek(")"):
                if self.take("within"):
                    within = Duration(self.take())
                else:
                    parts.append(self.selector(False, windows=False))
                self.take(",")
            x = ("sequence", parts, within)
        elif word in ("attr", "prop"):
            x = (word, self.primary()[1])
        elif word == "start_of":
            unit = self.take()
            self.expect(",")
            x = ("start_of", unit, self.additive())
        else:
            operands = []
            while not self.peek(")"):
                operands.append(self.disjunction())
                self.take(",")
            x = (word, *operands)
        self.expect(")")
        return x

    def where(self):
        outside, self.inside = self.inside, True
        x = self.disjunction()
        self.inside = outside
        return x

    def selector(self, of_property, windows=True):
        kind, word = self.tokens[self.k]
        self.k += 1
        quoted = kind == "text"
        name = word[1:-1] if quoted else word
        made = {"property": None}
        if of_property and not quoted:
            name, made["property"] = name.split(".", 1)
        made["event"] = name
        if self.take("where"):
            made["where"] = self.where()
        if self.take("without"):
            other = {"event": self.take().strip('"')}
            if self.take("where"):
                other["where"] = self.where()
            self.expect("on")
            other["on"] = self.take()
            other["within"] = Duration(self.take()) if self.take("within") else None
            made["without"] = other
        if windows and self.peek(",") and self.tokens[self.k + 1][1] in WINDOWS:
            self.take(",")
            made["window"] = self.window()
        return made

    def window(self):
        word = self.take()
        if word == "last":
            return ("last", Duration(self.take()))
        if word in ("this", "previous"):
            return (word, self.take())
        if word == "since" and self.take("entry"):
            return ("since_entry",)
        if word == "since" and self.peek("step"):
            self.take("step")
            self.expect("(")
            name = self.primary()[1]
            self.expect(")")
            return ("since_step", name)
        if word == "between":
            low = self.additive()
            self.expect("and")
            return ("between", low, self.additive())
        return (word, self.additive())


@functools.lru_cache(maxsize=4096)
def parse(text):
    p = Parser(text)
    x = p.disjunction()
    assert p.k == len(p.tokens), text
    return x


@functools.lru_cache(maxsize=4096)
def parse_selector(text):
    p = Parser(text)
    x = p.selector(False)
    assert p.k == len(p.tokens), text
    return x
