#!/usr/bin/env bash
# Fifty lives of tests/e2e/hostile_node.sh on geth, one per core at a time.
#   lives_on_geth.sh [LIVES [FIRST-SEED]]
set -euo pipefail
lives=${1:-50} first=${2:-1}
life=$(cd "$(dirname "$0")/.." && pwd)/hostile_node.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A life prints its counts last, and its seed when it fails.
export life work
seq "$first" $((first + lives - 1)) | xargs -P "$(nproc)" -I '{}' bash -c '
  rc=0
  "$life" --client geth --seed {} >"$work/{}.log" 2>&1 || rc=$?
  if [ $rc = 0 ]; then echo "ok: seed {}"; else echo {} >>"$work/failed"; tail -n 80 "$work/{}.log"; fi'
cat "$work"/*.log | awk '$1 == "count" {sum[$2] += $3} END {for (name in sum) print "count", name, sum[name]}' | sort
if [ -s "$work/failed" ]; then
  echo "FAILED: seeds $(paste -sd ' ' "$work/failed")"
  exit 1
fi
