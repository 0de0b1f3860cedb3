#!/usr/bin/env bash
# The geth host with the test plugin in its process: what the plugin is told, by a chain that makes blocks, through a restart and
# through re-orgs by the Engine API; the chain's rules; and what geth says when a plugin cannot be loaded.
#   tests/e2e/geth_host.sh        needs build/lockstep-geth, build/libecho_plugin.so, and cast and anvil of devnet/setup.sh
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
build=${LOCKSTEP_BUILD:-$root/build}
cast=$root/contracts/node_modules/@foundry-rs/cast-linux-amd64/bin/cast
plugin=$build/libecho_plugin.so
work=$(mktemp -d)
chain=

stop_chain() {
  [ -n "$chain" ] || return 0
  kill -TERM "$chain" 2>/dev/null || true
  wait "$chain" 2>/dev/null && rc=0 || rc=$?
  chain=
}
trap 'stop_chain; rm -rf "$work"' EXIT

fail() {
  echo "not ok $*"
  for file in journal chain.log; do
    [ ! -e "$work/$file" ] || { echo "--- $file"; tail -n 30 "$work/$file"; }
  done
  exit 1
}

free_ports() {
  python3 -c '
import socket, sys
taken = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in taken:
    s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in taken))' "$1"
}

# start HOST WAIT-FOR-BLOCK [OPTIONS of start.sh]
start() {
  LC_ALL=C "$root/devnet/chain/start.sh" --host "$1" --http "$http" --datadir "$work/chain" "${@:3}" >"$work/chain.log" 2>&1 &
  chain=$!
  "$root/devnet/chain/wait.py" "http://127.0.0.1:$http" 600 "$chain" --block "$2" || fail "$1 does not start"
}

geth=(--bin "$build/lockstep-geth" --plugin "$plugin" --plugin-config "$work/config.json")
config() { echo "{\"journal\": \"$work/journal\"${1:+, $1}}" >"$work/config.json"; }

# events: the journal's blocks and reverts, as "+1 +2 -2".
events() { awk '/^block / {printf "%s+%s", s, $2; s = " "} /^revert / {printf "%s-%s", s, $2; s = " "}' "$work/journal"; }

# wrote PATTERN: waits until the plugin has written such a line into its journal.
wrote() {
  until grep -qs -- "$1" "$work/journal"; do
    kill -0 "$chain" 2>/dev/null || fail "geth ended, and the plugin has not written $1"
    sleep 0.1
  done
}

# expect_events EVENTS WHAT: waits for them as long as those seen so far are their beginning.
expect_events() {
  local seen end=$((SECONDS + 600))
  until
    seen=$(events)
    [ "$seen" = "$1" ]
  do
    [[ $SECONDS -lt $end && "$1" == "$seen"* ]] || fail "$2: the plugin saw $seen, not $1"
    sleep 0.1
  done
}

read -r http engine < <(free_ports 2)

config '"calls": ["eth_chainId []", "eth_sign []"]'
start geth 3 "${geth[@]}"
"$here/chain_rules.py" "http://127.0.0.1:$http" "$cast" || fail "geth's rules"
wrote '^reply eth_chainId 0 "0x7cee"$'
wrote '^refused eth_sign -3$'
stop_chain
[ "$rc" = 0 ] || fail "geth ended with $rc on SIGTERM"
[ "$(tail -n 2 "$work/journal" | tr '\n' ' ')" = "stop destroy " ] || fail "the plugin was not stopped and destroyed"
last=$(awk '/^block / {n = $2} END {print n}' "$work/journal")
first=$(awk '/^block / {print $2; exit}' "$work/journal")
[ "$first" -le 1 ] || fail "the plugin saw no block before $first"
expect_events "$(seq -s ' ' -f '+%.0f' "$first" "$last")" "a new chain"
echo "ok every block of a new chain, up to $last"

rm "$work/journal"
config "\"finished\": $((last - 2))"
start geth $((last + 2)) "${geth[@]}"
wrote "^block $((last + 2)) "
stop_chain
first=$((last - 1)) last=$(awk '/^block / {n = $2} END {print n}' "$work/journal")
expect_events "$(seq -s ' ' -f '+%.0f' "$first" "$last")" "a restart"
echo "ok after a restart, from the first block that was not finished"

rm -r "$work/journal" "$work/chain"
config
start geth 0 "${geth[@]}" --engine "$engine"
drive() { "$here/reorg.py" --http "http://127.0.0.1:$http" --engine "http://127.0.0.1:$engine" --jwt "$work/chain/jwt.hex" "$@" >>"$work/chain.log" 2>&1 || fail "reorg.py $*"; }
drive build 1
# The feed begins at the head of the moment when geth calls itself synchronised: just before block 1 or just after it.
wrote '^block 1 '
begin=$(events)
[ "$begin" = "+1" ] || [ "$begin" = "+0 +1" ] || fail "the first block: the plugin saw $begin"
drive build 3
expect_events "$begin +2 +3 +4" "four blocks"
drive fork 2 3
expect_events "$begin +2 +3 +4 -4 -3 +3 +4 +5" "a re-org"
drive head "$(awk '/^block 1 / {print "0x" $3}' "$work/journal")"
drive build 1
expect_events "$begin +2 +3 +4 -4 -3 +3 +4 +5 -5 -4 -3 -2 +2" "an ancestor"
stop_chain
echo "ok re-orgs by the Engine API"

# refused WHAT TEXT OPTIONS: geth ends, not with 0, and its last line has the text.
refused() {
  LC_ALL=C "$root/devnet/chain/start.sh" --host geth --bin "$build/lockstep-geth" --http "$http" --datadir "$work/chain" "${@:3}" >"$work/chain.log" 2>&1 &
  chain=$!
  local end=$((SECONDS + 600))
  while kill -0 "$chain" 2>/dev/null; do
    [ $SECONDS -lt $end ] || fail "$1: geth runs"
    sleep 0.1
  done
  stop_chain
  [ "$rc" != 0 ] || fail "$1: geth ended with 0"
  tail -n 3 "$work/chain.log" | grep -qF "$2" || fail "$1: geth does not say $2"
  echo "ok $1"
}
refused "a plugin that is missing" "cannot open shared object file" --plugin "$work/none.so"
refused "a library that is no plugin" "it is no Lockstep plugin" --plugin "$(ldconfig -p | awk '/libdl\.so\.2/ {print $NF; exit}')"
refused "a plugin that refuses" "it refused to start: its reason is the error line above" --plugin "$plugin" --plugin-config <(echo '{"refuse": true}')
rm -rf "$work/chain" "$work/journal"
touch "$work/loading"
config "\"load\": \"$work/loading\""
start geth 1 "${geth[@]}"
wrote '^loading$'
stop_chain
[ "$rc" = 0 ] || fail "geth ended with $rc on SIGTERM while its plugin loads"
grep -q "Plugin is left behind while it loads" "$work/chain.log" || fail "geth waited for its plugin, which loads"
echo "ok geth stops while its plugin loads"

"$build/lockstep-geth" --dev --datadir "$work/dev" --ipcdisable --nodiscover --port 0 \
  --plugin "$work/none.so" --plugin.optional >"$work/chain.log" 2>&1 &
chain=$!
until grep -q "Plugin does not start" "$work/chain.log"; do
  kill -0 "$chain" 2>/dev/null || fail "an optional plugin: its failure is not told"
  sleep 0.1
done
sleep 2
kill -0 "$chain" || fail "an optional plugin: geth ended without it"
stop_chain
[ "$rc" = 0 ] || fail "an optional plugin: geth ended with $rc"
echo "ok geth goes on without an optional plugin"

refused "a configuration that is no object" "is not a JSON object" --plugin "$plugin" --plugin-config <(echo '[]')

rm -rf "$work/chain" "$work/journal"
start anvil 2
"$here/chain_rules.py" "http://127.0.0.1:$http" "$cast" || fail "anvil's rules"
stop_chain
echo "ok anvil has the same rules"
