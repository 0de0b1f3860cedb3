#!/usr/bin/env bash
# lockstep-node with three nodes of one chain, the third over TLS, which fail one after the other: the plugin gets every block
# once, in order, and no access key is shown.
#   runner_nodes.sh       BUILD names the build folder (default build)
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$PWD/${BUILD:-build}
work=$(mktemp -d)
pids=()
trap '[ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true; wait; rm -rf "$work"' EXIT

fail() {
  echo "$*"
  cat "$work/log"
  exit 1
}
# said TEXT: the node's log comes to have the text.
said() {
  until grep -qF -- "$1" "$work/log"; do
    kill -0 "$node" 2>/dev/null || fail "not said: $1"
    sleep 0.1
  done
}
blocks() { grep -c '^block ' "$work/journal" || true; }
# goes_on: the plugin gets five more blocks.
goes_on() {
  local before
  before=$(blocks)
  until [ "$(blocks)" -ge $((before + 5)) ]; do
    kill -0 "$node" 2>/dev/null || fail "no more blocks after $before"
    sleep 0.1
  done
}

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key.pem" -out "$work/cert.pem" -days 2 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost 2>"$work/log"
python3 tests/e2e/fake_chain.py "$work" 3 2>"$work/fake.log" &
pids+=($!)
while [ ! -e "$work/ports" ]; do sleep 0.1; done
read -r -a port <"$work/ports"
at=("http://127.0.0.1:${port[0]}" "http://127.0.0.1:${port[1]}" "https://localhost:${port[2]}")
for url in "${at[@]}"; do echo "$url/v3/SECRET-KEY?token=SECRET"; done >"$work/urls"
echo "{\"journal\": \"$work/journal\"}" >"$work/plugin.json"
: >"$work/journal"

# A certificate of nobody that is known, or of another name.
for case in "/nowhere localhost" "$work/cert.pem 127.0.0.1"; do
  read -r trust host <<<"$case"
  : >"$work/log"
  SSL_CERT_FILE=$trust "$build/lockstep-node" --rpc "https://$host:${port[2]}" --plugin "$build/libecho_plugin.so" \
    --plugin-config "$work/plugin.json" 2>>"$work/log" &
  node=$!
  pids[1]=$node
  said "the TLS handshake failed"
  kill -TERM "$node"
  wait "$node" || fail "exit code $? after SIGTERM"
done

: >"$work/log"
SSL_CERT_FILE=$work/cert.pem "$build/lockstep-node" --rpc-file "$work/urls" --plugin "$build/libecho_plugin.so" --plugin-config "$work/plugin.json" --poll-ms 100 \
  2>>"$work/log" &
node=$!
pids[1]=$node
said "client at ${at[0]}, chain 31982"
goes_on
grep -q SECRET "/proc/$node/cmdline" && fail "the key is on the command line"

echo down >"$work/0"
said "${at[0]} does not answer"
said "following ${at[1]} from now on"
goes_on
echo flap >"$work/1"
goes_on
kill -HUP "$node"
said "SIGHUP: going on"
echo limited >"$work/1"
said "following ${at[2]} from now on"
goes_on
echo good >"$work/0"
said "${at[0]} is good again"
echo silent >"$work/2"
said "${at[2]} does not answer"
goes_on

kill -TERM "$node"
code=0
wait "$node" || code=$?
[ "$code" = 0 ] || fail "exit code $code"
if grep -q SECRET "$work/log"; then fail "an access key is in the log"; fi
awk '$1 == "block" { if (last && $2 != last + 1) bad = 1; last = $2 } $1 == "revert" { bad = 1 } END { exit bad }' "$work/journal" ||
  { cat "$work/journal"; fail "the plugin did not get every block once"; }
echo "count nodes 10"
