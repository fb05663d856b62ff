#!/usr/bin/env bash
# Sets everything up, builds, runs all tests of C++ and Python, and ends with one line: N passed, N failed[, N skipped].
#
#     ./tests/run.sh
#
# Tests of real data and of conformance read ../shared; where it is absent they are skipped, loudly
# (JOURNEYMAN_REQUIRE_SHARED=1 makes its absence a failure). The parts one by one are in CONTRIBUTING.md.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
case ${1:-} in -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;; esac

source .ci/setup test || { echo "set-up failed: nothing was tested"; echo "0 passed, 1 failed"; exit 1; }
source .ci/tally.sh
export TZ=America/St_Johns   # not UTC, half an hour off: a test that forgot the zone fails here

if ! [ -d ../shared ]; then
    if [ -n "${JOURNEYMAN_REQUIRE_SHARED:-}" ]; then
        stage "../shared is there" false
    else
        printf '\n!!!! ../shared is missing: tests of real data and conformance are SKIPPED !!!!\n'
    fi
fi

build() { cmake --preset release >build/release.configure.log 2>&1 || { cat build/release.configure.log; return 1; }; cmake --build --preset release; }

stage "build" build
for kind in unit laws twin; do
    if compgen -G "tests/$kind/*.cpp" | grep -qv /main.cpp; then
        doctest "C++ $kind" "build/release/tests/journeyman_$kind"
    else
        missing "tests/$kind"
    fi
done
if compgen -G "examples/cpp/*.cpp" >/dev/null; then
    for source in examples/cpp/*.cpp; do
        name=$(basename "$source" .cpp)
        stage "examples/cpp/$name" ctest --test-dir build/release --no-tests=error --output-on-failure -Q -R "^example_$name\$"
    done
else
    missing "examples/cpp"
fi
for source in tests/fuzz/*.cpp; do
    [ -e "$source" ] || { missing "tests/fuzz"; break; }
    name=$(basename "$source" .cpp)
    stage "fuzz corpus of $name" "build/release/tests/fuzz_$name" "tests/fuzz/corpus/$name"
done
folders=()
for folder in tests/python tests/data tests/conformance; do
    if compgen -G "$folder/test_*.py" >/dev/null; then folders+=("$folder"); else missing "$folder"; fi
done
if [ ${#folders[@]} != 0 ]; then
    pytest "Python" -n "$CMAKE_BUILD_PARALLEL_LEVEL" "${folders[@]}"
fi
summary
