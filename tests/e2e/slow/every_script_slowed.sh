#!/usr/bin/env bash
# The end-to-end scripts that wait for anything, with each of their processes slowed four times:
# no outcome may depend on the machine's speed.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
factor=4
rc=0
for script in "$root"/tests/e2e/*.sh; do
  case $(basename "$script" .sh) in
    bits | cli_local | tokenizers) continue ;; # they compute, and wait for nothing
  esac
  start=$SECONDS
  if output=$("$root/tests/e2e/slowed.py" $factor "$script" 2>&1); then
    echo "ok $(basename "$script") ($((SECONDS - start)) s)"
  else
    echo "FAILED $(basename "$script") ($((SECONDS - start)) s)"
    tail -n 40 <<<"$output" | sed 's/^/    /'
    rc=1
  fi
done
exit $rc
