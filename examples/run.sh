#!/usr/bin/env bash
# Sets everything up and runs the main job: segments of a made-up online school over a year of history. Sizes on the
# screen, the history and the members of each segment in build/lifecycle (or in the folder given).
#
#     ./examples/run.sh [FOLDER]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case ${1:-} in -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;; esac
out=${1:-build/lifecycle}

source .ci/setup base || exit 1
python examples/lifecycle/run.py "$out"

printf '\nThe history (records.jsonl) and the members of each segment are in %s. Next: change SEGMENTS in\n' "$out"
printf 'examples/lifecycle/run.py and run this again; or: source .venv/bin/activate, then import journeyman as jm.\n'
