#!/usr/bin/env bash
# Sets everything up and runs the main job: the webinar playbook of SkillTime over its sample history. What is worth reading
# on the screen; tables and pictures in build/skilltime (or in the folder given).
#
#     ./examples/run.sh [FOLDER] [--playbook examples/skilltime/trial.yaml] [--history FOLDER]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case ${1:-} in -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"; exit 0 ;; esac

source .ci/setup base || exit 1
python examples/skilltime/run.py "$@"
