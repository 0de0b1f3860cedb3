#!/usr/bin/env bash
# Builds and runs everything that tests. The last line is "N passed, N failed"; the exit status is 1 when anything failed.
#   tests/run.sh [--slow] [--filter TEXT] [--no-setup]
# --slow       also the tests labelled slow and tests/e2e/slow/
# --filter X   only the steps whose name contains X (lint headers build symbols ctest asan cross fuzz forge analysis mutants protections go e2e/NAME)
# --no-setup   installs nothing; what is missing fails the step that needs it
# Each step's output is in build/test-logs/. A step that cannot run has failed.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
slow= filter= setup=1
while [ $# -gt 0 ]; do
  case $1 in
    --slow) slow=1 ;;
    --no-setup) setup= ;;
    --filter) [ $# -gt 1 ] || { echo "--filter needs a text" >&2; exit 2; }; filter=$2; shift ;;
    -h | --help) sed -n '2,7s/^# \?//p' "$0"; exit 0 ;;
    *) echo "unknown option '$1'; see tests/run.sh --help" >&2; exit 2 ;;
  esac
  shift
done
exec </dev/null
logs=$root/build/test-logs
mkdir -p "$logs"
rm -f "$logs"/*-build.rc
jobs=$(nproc)
passed=0 failed=0 builds=
. "$root/tests/steps.sh"
trap '[ -z "$builds" ] || kill -- "-$builds" 2>/dev/null' EXIT

# What builds in the background is always waited for once it has been started.
wanted() { case $1 in *"$filter"* | *-build) true ;; *) false ;; esac; }

# step NAME FUNCTION ARGUMENTS...: runs it with its output in a log. It may leave its numbers of cases in $counts
# as "PASSED FAILED"; otherwise it is one case. A non-zero status is at least one failure.
step() {
  local name=$1 log=$logs/${1//\//-}.log start=$SECONDS rc=0 ok bad
  shift
  wanted "$name" || return 0
  counts=$logs/.counts.$$
  rm -f "$counts" "$log"
  ("$@") >"$log" 2>&1 || rc=$?
  if [ -s "$counts" ]; then read -r ok bad <"$counts"; rm -f "$counts"; else ok=1 bad=0; [ "$rc" = 0 ] || ok=0 bad=1; fi
  # A failure without a failed case, and a step that ran no case at all, are failures.
  if [ "$bad" = 0 ] && { [ "$rc" != 0 ] || [ "$ok" = 0 ]; }; then bad=1; fi
  passed=$((passed + ok)) failed=$((failed + bad))
  if [ "$bad" = 0 ]; then
    echo "ok $name ($((SECONDS - start)) s, $ok passed)"
  else
    echo "FAILED $name ($((SECONDS - start)) s, $bad failed; $log)"
    tail -n 25 "$log" | sed 's/^/    /'
  fi
}

if [ -n "$setup" ]; then
  "$root/devnet/setup.sh" debian test cross tools contracts model ${slow:+analysis} || { echo "0 passed, 1 failed"; exit 1; }
fi
. "$root/devnet/env.sh"

# The contracts with their tests, and then the geth host, take minutes of one core the first time: they build behind everything else.
build_behind() { "${@:2}" >"$logs/$1.output" 2>&1; echo $? >"$logs/$1.rc"; }
if [ -n "$setup" ] && { wanted forge || wanted go || wanted e2e/; }; then
  set -m
  { renice -n 15 -p $BASHPID; build_behind contracts-build contracts/tools/forge build; build_behind geth-build devnet/setup.sh geth; } >/dev/null &
  builds=$!
  set +m
fi

step lint step_lint
step build step_build
step headers step_headers
step symbols step_symbols
step ctest step_ctest build ${slow:+slow}
step asan step_asan
step cross step_cross
step fuzz step_fuzz
[ -z "$builds" ] || step contracts-build step_build_behind contracts-build
step forge step_forge
[ -z "$slow" ] || step analysis step_analysis
[ -z "$slow" ] || step mutants step_mutants
[ -z "$slow" ] || step protections step_protections
# end_to_end GREP-OPTION: the scripts that name geth (-l), or those that do not (-L).
end_to_end() {
  local script limit=$((slow ? 7200 : 1800))
  for script in $(grep "$1" geth tests/e2e/*.sh ${slow:+tests/e2e/slow/*.sh}); do
    step "e2e/$(basename "$script" .sh)" timeout "$limit" "$script"
  done
}
end_to_end -L
[ -z "$builds" ] || step geth-build step_build_behind geth-build
step go step_go
end_to_end -l

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
