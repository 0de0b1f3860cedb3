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

is_stamped() { [ -e "$1" ] && [ "$(cat "$1")" = "$2" ]; }

put_stamp() {
  mkdir -p "${1%/*}"
  printf '%s\n' "$2" >"$1.new"
  mv "$1.new" "$1"
}

# with_lock NAME COMMAND...: so that two set-ups at the same time do not do the same thing twice.
with_lock() {
  mkdir -p "$root/.tools/lock"
  {
    flock 9
    "${@:2}"
  } 9>"$root/.tools/lock/$1"
}

# Installs the named Debian packages that are missing.
apt_install() {
  local missing=() p as_root=() need
  for p in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed || missing+=("$p")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  need="apt-get install -y --no-install-recommends ${missing[*]}"
  if [ "$(id -u)" != 0 ]; then
    may_sudo || die "these Debian packages are missing; run as root: apt-get update && $need"
    as_root=(sudo -n)
  fi
  say "missing Debian packages: ${missing[*]}"
  run apt-update "apt-get update" "${as_root[@]}" apt-get update -q
  # shellcheck disable=SC2086
  run apt-install "apt-get install" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive $need
}

may_sudo() { command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; }; }

# The virtual environment is made without downloading anything; its pip does the downloads.
need_venv() {
  [ -x "$root/.tools/venv/bin/pip" ] && return
  command -v python3 >/dev/null || die "python3 is missing: run devnet/setup.sh debian"
  run venv "making a Python environment in .tools/venv" with_lock venv make_venv
}

make_venv() {
  [ -x "$root/.tools/venv/bin/pip" ] || { rm -rf "$root/.tools/venv" && python3 -m venv "$root/.tools/venv"; }
}

# pip_install NAME: the packages of devnet/setup/NAME.txt, which names their hashes.
pip_install() {
  "$root/.tools/venv/bin/pip" install --no-deps --only-binary :all: --require-hashes -r "$root/devnet/setup/$1.txt"
}

site_packages() { "$root/.tools/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))'; }

# link_tool FILE NAME: .tools/bin/NAME, which devnet/env.sh puts on PATH.
link_tool() {
  mkdir -p "$root/.tools/bin"
  ln -sf "$1" "$root/.tools/bin/$2"
  PATH=$root/.tools/bin:${PATH#"$root/.tools/bin:"}
  hash -r
}
