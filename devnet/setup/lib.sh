# Helpers of devnet/setup.sh: one line per thing that takes time, a log for each, no output when nothing is to do.
# Sourced with bash; needs root (the checkout) to be set.

log_dir=$root/.tools/log

say() { printf 'setup: %s\n' "$*"; }

die() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

# run LOG-NAME LABEL COMMAND...: runs it quietly, says every 20 seconds that it goes on, shows the log's end when it fails.
# The command has its own process group (set -m), so that an interrupt ends all of it; it does not inherit the lock (9).
run() {
  local log=$log_dir/$1.log label=$2 start=$SECONDS next=20 pid rc=0
  shift 2
  mkdir -p "$log_dir"
  say "$label"
  set -m
  "$@" >"$log" 2>&1 </dev/null 9>&- &
  pid=$!
  set +m
  trap 'kill -- "-$pid" 2>/dev/null; die "$label: interrupted"' INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.1
    if [ $((SECONDS - start)) -ge "$next" ]; then
      say "$label: still at it after $((SECONDS - start)) s"
      next=$((next + 20))
    fi
  done
  wait "$pid" || rc=$?
  trap - INT TERM
  if [ "$rc" -ne 0 ]; then
    tail -n 20 "$log" >&2
    die "$label: failed after $((SECONDS - start)) s; the whole log is $log"
  fi
  [ $((SECONDS - start)) -lt 2 ] || say "$label: done in $((SECONDS - start)) s"
}

# at_least HAVE WANT: true when version HAVE (1.26.6) is not below WANT (1.24).
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

# The virtual environment is made without downloading anything; its pip does the downloads.
need_venv() {
  [ -x "$root/.tools/venv/bin/pip" ] && return
  command -v python3 >/dev/null || die "python3 is missing: run devnet/setup.sh debian"
  rm -rf "$root/.tools/venv"
  run venv "making a Python environment in .tools/venv" python3 -m venv "$root/.tools/venv"
}
