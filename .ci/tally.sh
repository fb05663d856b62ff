# Sourced by tests/run.sh and .ci/run: runs stages, adds up what they passed, failed and skipped, closes with one line.
#
#     stage NAME COMMAND…     one thing that passes or fails
#     doctest NAME PROGRAM…   each test case counts
#     pytest NAME ARGUMENTS…  each test counts; tests expected to fail are among the skipped, and said; any other that is
#                             skipped is a failure where JOURNEYMAN_REQUIRE_ALL is set
#     tallied NAME COMMAND…   a runner of ours: its last line `N passed, N failed[, N skipped]` is added
#     missing WHAT            a failure where JOURNEYMAN_REQUIRE_ALL is set, else only a line
#     summary                 the closing line; its exit code is 1 where anything failed
passed=0 failed=0 skipped=0
_failures=()
_logs=$(mktemp -d)
trap 'rm -rf "$_logs"' EXIT

_begin() { _name=$1; _start=$SECONDS; printf '\n\033[1m== %s\033[0m\n' "$_name"; }
_end() {   # PASSED FAILED SKIPPED
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
    [ "$2" = 0 ] || _failures+=("$_name")
    printf -- '-- %s: %d passed, %d failed, %d skipped (%d s)\n' "$_name" "$1" "$2" "$3" $((SECONDS - _start))
    [ "$2" = 0 ]
}

stage() {
    _begin "$1"; shift
    if "$@"; then _end 1 0 0; else _end 0 1 0; fi
}

doctest() {
    _begin "$1"; shift
    local code=0 cases
    "$@" 2>&1 | tee "$_logs/doctest" || true
    code=${PIPESTATUS[0]}
    cases=$(sed -nE 's/^\[doctest\] test cases: +([0-9]+) \| +([0-9]+) passed \| +([0-9]+) failed \| +([0-9]+) skipped.*/\2 \3/p' "$_logs/doctest")
    # shellcheck disable=SC2086
    set -- ${cases:-0 0}
    if [ "$code" != 0 ] && [ "$2" = 0 ]; then
        echo "$_name ended with $code before it could count"; _end "$1" 1 0
    elif [ "$1$2" = 00 ]; then
        echo "$_name ran no test case"; _end 0 1 0
    else
        _end "$1" "$2" 0
    fi
}

pytest() {
    _begin "$1"; shift
    local code=0 counts
    rm -f "$_logs/pytest.xml"
    python -m pytest -q --junitxml="$_logs/pytest.xml" "$@" || code=$?
    counts=$(python - "$_logs/pytest.xml" <<'PY'
import os, sys, xml.etree.ElementTree as tree
suites = list(tree.parse(sys.argv[1]).getroot().iter("testsuite"))
total, bad, skipped = (sum(int(s.get(k, 0)) for s in suites for k in keys) for keys in (("tests",), ("failures", "errors"), ("skipped",)))
expected = sum(1 for s in suites for e in s.iter("skipped") if e.get("type") == "pytest.xfail")
if expected:
    print(f"{expected} tests are expected to fail, strictly: they count as skipped", file=sys.stderr)
if os.environ.get("JOURNEYMAN_REQUIRE_ALL") and skipped > expected:
    print(f"{skipped - expected} tests were skipped where nothing may be missing: they count as failed", file=sys.stderr)
    bad, skipped = bad + skipped - expected, expected
print(max(total - bad - skipped, 0), bad, skipped)
PY
    ) || counts="0 0 0"
    # shellcheck disable=SC2086
    set -- $counts
    if [ "$code" != 0 ] && [ "$2" = 0 ]; then
        echo "pytest ended with $code"; _end "$1" 1 "$3"
    else
        _end "$1" "$2" "$3"
    fi
}

tallied() {
    _begin "$1"; shift
    local code=0 counts
    "$@" 2>&1 | tee "$_logs/tallied" || true
    code=${PIPESTATUS[0]}
    counts=$(tail -n 1 "$_logs/tallied" | sed -nE 's/^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$/\1 \2 \4/p')
    # shellcheck disable=SC2086
    set -- ${counts:-0 0} 0
    if [ "$code" != 0 ] && [ "$2" = 0 ]; then
        echo "$_name ended with $code"; _end "$1" 1 "$3"
    elif [ "$1$2$3" = 000 ]; then
        echo "$_name ran nothing"; _end 0 1 0
    else
        _end "$1" "$2" "$3"
    fi
}

missing() {
    if [ -n "${JOURNEYMAN_REQUIRE_ALL:-}" ]; then
        stage "$1 is there" false
    else
        printf '\n== %s: not there, nothing to run\n' "$1"
    fi
}

summary() {
    printf '\n'
    local f
    for f in ${_failures[@]+"${_failures[@]}"}; do printf 'failed: %s\n' "$f"; done
    printf '%d s in all\n' $SECONDS
    printf '%d passed, %d failed' $passed $failed
    if [ $skipped != 0 ]; then printf ', %d skipped' $skipped; fi
    printf '\n'
    [ $failed = 0 ] && [ $passed != 0 ]
}
