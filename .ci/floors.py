"""The floors of the house, read from the #include lines: a folder includes itself and lower floors, nothing else.

    python .ci/floors.py [ROOT]     problems, one a line; exit code 1 where there are any
    python .ci/floors.py --proof    plants one violation of each kind and expects each to be found

Also: no third party in a public header (they cost seconds in every file), no
public header over 400 lines.
"""

import pathlib
import re
import sys
import tempfile

FLOOR = {"core": 0, "history": 1, "predicate": 2, "segment": 3, "workflow": 3, "kpi": 3, "playbook": 4, "run": 5}
THIRD_PARTY = (
    "boost/", "Eigen/", "sqlite3", "yaml-cpp/", "date/", "pybind11/", "fmt/", "re2/", "simdjson", "nlohmann/", "libical/",
)  # fmt: skip
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)
MOST_LINES = 400


def against_the_floors(root: pathlib.Path) -> list[str]:
    problems, headers = [], 0
    for base in ("include/journeyman", "src"):
        public = base.startswith("include")
        for file in sorted((root / base).rglob("*.[hc]pp")):
            name = file.relative_to(root)
            here = file.relative_to(root / base).parts[0]
            text = file.read_text(encoding="utf-8")
            if public:
                headers += 1
                if text.count("\n") > MOST_LINES:
                    problems.append(f"{name}: {text.count(chr(10))} lines, over {MOST_LINES}: split it")
            for match in INCLUDE.finditer(text):
                included, line = match[1], text.count("\n", 0, match.start(1)) + 1
                if public and included.startswith(THIRD_PARTY):
                    problems.append(f"{name}:{line}: includes {included}: a third party belongs to src/")
                there = re.match(r"(?:journeyman/)?(\w+)/", included)
                if not there or here not in FLOOR or there[1] not in FLOOR or there[1] == here:
                    continue
                if FLOOR[there[1]] >= FLOOR[here]:
                    problems.append(f"{name}:{line}: includes {included}: {there[1]}/ is not below {here}/")
            if here not in FLOOR and file.suffix == ".hpp" and file.parent != root / base:
                problems.append(f"{name}: the folder {here}/ is on no floor")
    if not headers:
        problems.append(f"{root}: no public headers at all")
    return problems


def proof() -> list[str]:
    planted = {
        "include/journeyman/core/a.hpp": ('#include <journeyman/history/history.hpp>\n', "is not below core/"),
        "include/journeyman/segment/b.hpp": ('#  include "journeyman/kpi/kpi.hpp"\n', "is not below segment/"),
        "include/journeyman/run/c.hpp": ("#include <sqlite3.h>\n", "belongs to src/"),
        "include/journeyman/kpi/d.hpp": ("\n" * (MOST_LINES + 1), "split it"),
        "include/journeyman/attic/e.hpp": ("\n", "on no floor"),
        "src/predicate/f.cpp": ("#include <journeyman/run/replay.hpp>\n", "is not below predicate/"),
        "src/history/g.cpp": ('#include "workflow/detail.hpp"\n', "is not below history/"),
    }
    clean = {
        "include/journeyman/run/ok.hpp": "#include <journeyman/playbook/playbook.hpp>\n#include <journeyman/run/other.hpp>\n#include <vector>\n",
        "src/kpi/ok.cpp": "#include <journeyman/history/history.hpp>\n#include <boost/math/distributions.hpp>\n",
    }
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text in {**{p: t for p, (t, _) in planted.items()}, **clean}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        found = against_the_floors(root)
    wrong = [f"planted in {p}, not found" for p, (_, what) in planted.items() if not any(f.startswith(p) and what in f for f in found)]
    wrong += [f"found where nothing is wrong: {f}" for f in found if f.split(":")[0] in clean]
    return wrong


if __name__ == "__main__":
    argument = sys.argv[1] if len(sys.argv) > 1 else "."
    problems = proof() if argument == "--proof" else against_the_floors(pathlib.Path(argument))
    print("\n".join(problems) if problems else "floors: nothing wrong")
    sys.exit(bool(problems))
