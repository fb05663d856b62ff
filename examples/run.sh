#!/usr/bin/env bash
# Sets everything up and runs the SkillTime webinar playbook over its sample history: segments, coverage, journeys and
# KPIs on the screen, tables and pictures in build/skilltime (or in the folder given).
#
#     ./examples/run.sh [FOLDER]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case ${1:-} in -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;; esac
out=${1:-build/skilltime}

source .ci/setup base || exit 1

skilltime=examples/skilltime
arguments=()
for table in contacts events accounts spend; do
    for file in "$skilltime/data/$table".{csv,csv.gz,parquet}; do
        if [ -e "$file" ]; then arguments+=("--$table" "$file"); break; fi
    done
done
journeyman run "$skilltime/webinar.yaml" "${arguments[@]}" --out "$out"

printf '\nTables and pictures are in %s. Next: look into %s/webinar.yaml, change it, and run this again;\n' "$out" "$skilltime"
printf 'in Python: source .venv/bin/activate, then import journeyman (examples/notebooks shows how).\n'
