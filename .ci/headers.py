"""Each public header compiles alone, twice in a row, without warnings and with the standard library alone.

    python .ci/headers.py [ROOT]     ends with `N passed, N failed`
"""

import concurrent.futures
import os
import pathlib
import subprocess
import sys

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
compiler = os.environ.get("CXX", "g++")
flags = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{root / 'include'}", "-x", "c++", "-"]


def compile_alone(header: pathlib.Path) -> str:
    name = header.relative_to(root / "include")
    # Twice: it must be guarded.
    text = f"#include <{name}>\n#include <{name}>\n"
    done = subprocess.run([compiler, *flags], input=text, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"{name} does not compile alone:\n{done.stderr[:600]}"


headers = sorted((root / "include").rglob("*.hpp"))
with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL", "2"))) as pool:
    problems = [p for p in pool.map(compile_alone, headers) if p]
for problem in problems:
    print(problem)
print(f"{len(headers) - len(problems)} passed, {len(problems)} failed")
sys.exit(bool(problems) or not headers)
