#!/usr/bin/env bash
# Formats the C sources by .clang-format with the pinned clang-format (devnet/setup.sh test).
#   tests/format.sh            formats all C files in place
#   tests/format.sh --check    changes nothing; prints what is not formatted, and exits with 1
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
tool=$root/.tools/venv/bin/clang-format
[ -x "$tool" ] || { echo "$tool is missing: run devnet/setup.sh test" >&2; exit 1; }
case ${1:-} in
  '') options=(-i) ;;
  --check) options=(--dry-run --Werror) ;;
  *) sed -n '2,4s/^# \?//p' "$0" >&2; exit 2 ;;
esac
git ls-files -z --cached --others --exclude-standard '*.c' '*.h' |
  while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
  xargs -0 -n 40 -P "$(nproc)" "$tool" --style=file "${options[@]}"
