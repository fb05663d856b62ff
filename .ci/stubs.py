"""The stubs of journeyman._core against the module itself.

    python .ci/stubs.py     ends with `N passed, N failed`

Three checks: stubtest (names, signatures it can see); parameter names, which stubtest does not see for functions of
pybind11, against stubs made anew; and a proof that both fail on a stub with something planted in it.
"""

import ast
import importlib.util
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCES = pathlib.Path("python/journeyman")
MODULE = "journeyman._core"
# Every class of pybind11 has its metaclass, and where it has no constructor, one that refuses any arguments.
PYBIND11_ITSELF = re.compile(r"is inconsistent, (metaclass differs|stub does not have \*args parameter \"args\")$")


def stubtest(package: pathlib.Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", MODULE, "--ignore-disjoint-bases", "--concise", "--mypy-config-file", "pyproject.toml"],
        env=os.environ | {"MYPYPATH": str(package.parent)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = (done.stdout + done.stderr).strip().splitlines()
    found = [line for line in lines if not PYBIND11_ITSELF.search(line)]
    return found if lines or done.returncode == 0 else ["stubtest failed without a word"]


def generated(folder: pathlib.Path) -> pathlib.Path:
    subprocess.run(
        [sys.executable, "-m", "pybind11_stubgen", MODULE, "--output-dir", str(folder), "--ignore-all-errors"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder / "journeyman" / "_core.pyi"


def parameters(stub: pathlib.Path) -> dict[str, set[tuple[str, ...]]]:
    """Function (with its class) → the parameter names of each overload."""
    found: dict[str, set[tuple[str, ...]]] = {}

    def walk(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.ClassDef):
                walk(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.FunctionDef):
                a = node.args
                # A parameter without a name (arg0 in the module) is positional only in the stub.
                names = ["/"] * len(a.posonlyargs) + ["/" if re.fullmatch(r"arg\d+", x.arg) else x.arg for x in (*a.args, *a.kwonlyargs)]
                if prefix and names and not any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in node.decorator_list):
                    names = names[1:]   # self, cls
                found.setdefault(prefix + node.name, set()).add(tuple(names))

    walk(ast.parse(stub.read_text(encoding="utf-8")).body, "")
    return found


def dunder_operator(name: str) -> bool:
    """Operators have no parameter names worth a promise; constructors do."""
    last = name.rsplit(".", 1)[-1]
    return last.startswith("__") and last.endswith("__") and last != "__init__"


def compare(ours: pathlib.Path, anew: dict[str, set[tuple[str, ...]]]) -> list[str]:
    mine = parameters(ours)
    problems = []
    for name in sorted(mine.keys() | anew.keys()):
        if dunder_operator(name):
            continue
        if name not in mine or name not in anew:
            problems.append(f"{name} is only in the {'module' if name not in mine else 'stub'}")
        elif mine[name] != anew[name]:
            problems.append(f"{name}: the stub says {sorted(mine[name])}, the module {sorted(anew[name])}")
    return problems


def plant(package: pathlib.Path, folder: pathlib.Path, text: str) -> pathlib.Path:
    """A copy of the package with something added to its stub."""
    copy = folder / "journeyman"
    shutil.copytree(package, copy, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    with (copy / "_core.pyi").open("a", encoding="utf-8") as stub:
        stub.write(text)
    return copy


def main() -> int:
    if importlib.util.find_spec(MODULE) is None or not (SOURCES / "_core.pyi").exists():
        print(f"{MODULE} or {SOURCES / '_core.pyi'} is not there\n0 passed, 1 failed")
        return 1
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        anew = parameters(generated(pathlib.Path(second)))
        planted = plant(SOURCES, pathlib.Path(first), "\ndef planted_function(planted: int) -> int: ...\n")
        results = {
            "stubtest": stubtest(SOURCES),
            "parameter names": compare(SOURCES / "_core.pyi", anew),
            "stubtest finds what is planted": [] if any("planted" in p for p in stubtest(planted)) else ["it did not"],
            "the comparison finds what is planted": [] if any("planted" in p for p in compare(planted / "_core.pyi", anew)) else ["it did not"],
        }
    for name, problems in results.items():
        print(f"{name}: {'right' if not problems else f'{len(problems)} wrong'}")
        for problem in problems[:40]:
            print(f"  {problem}")
    failed = sum(bool(p) for p in results.values())
    print(f"{len(results) - failed} passed, {failed} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
