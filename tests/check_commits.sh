#!/usr/bin/env bash
# Checks the subjects of commits (CONTRIBUTING.md, "Commits"): "area: what changed", at most 65
# characters, no full stop; and that there is a body, but for the ones that say it all.
#   check_commits.sh [RANGE]     default: what came after the commit that introduced this file
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if ! git rev-parse --git-dir >/dev/null 2>&1 || [ "$(git rev-parse --is-shallow-repository)" = true ]; then
  echo "no history to check"
  exit 0
fi
first=$(git log --diff-filter=A --format=%H -- tests/check_commits.sh | tail -n 1)
[ $# -gt 0 ] || [ -n "$first" ] || exit 0
rc=0
while IFS=$'\t' read -r id subject; do
  if ((${#subject} > 65)); then
    echo "$id: ${#subject} characters, at most 65: $subject"
    rc=1
  elif ! [[ $subject =~ ^[a-z0-9_./-]+(, [a-z0-9_./-]+)*:\ [A-Za-z0-9].*[^.]$ ]]; then
    echo "$id: not of the form 'area: what changed': $subject"
    rc=1
  elif [ -z "$(git log -1 --format=%b "$id")" ]; then
    echo "$id: no body that gives the reason: $subject"
    rc=1
  fi
done < <(git log --no-merges --format='%h%x09%s' "${1:-$first..HEAD}")
exit $rc
