#!/usr/bin/env bash
# lockstep-node beside anvil: answers over WebSocket, HTTP and a Unix socket; bears SIGKILL between accept and claim, a client that is away for a while,
# and re-orgs; ends in order on SIGTERM.
#   runner_operator.sh      BUILD names the build folder (default build)
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$PWD/${BUILD:-build}
. devnet/env.sh
. devnet/lib.sh
[ -e "$build/liblockstep-liar.so" ] || ninja -C "$build" lockstep_plugin_liar >/dev/null
work=$(mktemp -d)
proxy_pid=
clean_up() {
  [ -z "$proxy_pid" ] || kill "$proxy_pid" 2>/dev/null || true
  net_stop
  rm -rf "$work"
}
trap clean_up EXIT
fail() { tail -n 60 "$net/node.log" | cut -c1-220; echo "FAILED: $*"; exit 1; }
field() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"; }
mark_log() { mark=$(stat -c %s "$net/node.log" 2>/dev/null || echo 0); }
# wait_for TEXT: until the log has the text in what was written after mark_log
wait_for() {
  local end=$((SECONDS + 600))
  until tail -c +$((mark + 1)) "$net/node.log" | grep -q "$1"; do
    [ $SECONDS -lt $end ] || fail "no '$1' in the log within 600 s"
    sleep 0.2
  done
}
rpc() { cast rpc --rpc-url "http://127.0.0.1:$http" "$@"; }

# node URL [PLUGIN]: starts lockstep-node on that end point
node() {
  "$build/lockstep-node" --rpc "$1" --plugin "$build/${2:-liblockstep.so}" \
    --plugin-config "$net/operator.json" --poll-ms 200 >>"$net/node.log" 2>&1 &
  node_pid=$!
}
# ask OPTIONS... PROMPT: the id of a request
ask() { net_as requester ask -m "$model" --window 10s --no-wait --json "$@" | python3 -c 'import json, sys; print(json.load(sys.stdin)["requestId"])'; }
# settled ID: waits until it is final; one acceptance, one claim, one end; the claim is what a local run gives for the seed used
settled() {
  local window=10 end=$((SECONDS + 600))
  while [ $SECONDS -lt $end ]; do
    net_as requester status "$1" --json >"$work/status.json"
    case $(field "$work/status.json" status) in
      final) break ;;
      claimed) [ $window = 0 ] || net_later $window; window=0 ;;
    esac
    sleep 0.2
  done
  [ "$(field "$work/status.json" status)" = final ] || fail "request $1 is $(field "$work/status.json" status)"
  "$build/lockstep" run -m "$model" --seed "$(field "$work/status.json" seedUsed)" "${@:2}" --json >"$work/run.json" 2>/dev/null
  python3 - "$work/status.json" "$work/run.json" <<'PY' || fail "request $1: not one right claim"
import json, sys
claim, run = (json.load(open(f)) for f in sys.argv[1:])
events = [e["event"] for e in claim["events"]]
assert events.count("Claimed") == 1 and events.count("Accepted") == 1 and events.count("Finalized") == 1, events
assert claim["tokens"] == run["tokens"] and run["tokens"], (claim["tokens"], run["tokens"])
PY
}

net_init "$work/net"
net_chain anvil --ipc "$work/anvil.ipc"
net_deploy
net_as deployer model register "$model" >/dev/null
net_as operator bond deposit 3ether >/dev/null
net_operator
drawn=(--temperature 1 --min-p 0.02 -n 24 "Tell me about the sea.")

checks=0
for url in "ws://127.0.0.1:$http" "http://127.0.0.1:$http" "$work/anvil.ipc"; do
  node "$url"
  id=$(ask -n 12 "What is the capital of France?")
  settled "$id" --greedy -n 12 "What is the capital of France?"
  kill -TERM "$node_pid"
  code=0
  wait "$node_pid" || code=$?
  [ "$code" = 0 ] || fail "exit code $code after SIGTERM"
  node_pid=
  checks=$((checks + 1))
  echo "ok: over ${url%%:*}"
done

# Killed while the model runs: a build with faults on purpose goes on for as long as the file is there.
mark_log
touch "$work/hold"
LOCKSTEP_FAULT=hold:$work/hold node "ws://127.0.0.1:$http" liblockstep-liar.so
id=$(ask --temperature 1 --min-p 0.02 -n 24 "Tell me a long story about the sea.")
wait_for "the model runs"
kill -9 "$node_pid"
wait "$node_pid" 2>/dev/null || true
mark_log
node "ws://127.0.0.1:$http"
wait_for "the model runs"
settled "$id" --temperature 1 --min-p 0.02 -n 24 "Tell me a long story about the sea."
checks=$((checks + 1))
echo "ok: killed between accept and claim"

# The client cannot be reached for a while, in the middle of a request.
net_end "$node_pid"
python3 tests/e2e/tcp_proxy.py "$http" "$work/proxy.port" &
proxy_pid=$!
until [ -s "$work/proxy.port" ]; do sleep 0.1; done
proxy=$(cat "$work/proxy.port")
mark_log
node "http://127.0.0.1:$proxy"
id=$(ask "${drawn[@]}")
wait_for "the model runs"
kill "$proxy_pid"
wait "$proxy_pid" 2>/dev/null || true
sleep 3
python3 tests/e2e/tcp_proxy.py "$http" "$work/proxy.port" "$proxy" &
proxy_pid=$!
settled "$id" "${drawn[@]}"
checks=$((checks + 1))
echo "ok: the client was away"

# Re-orgs: deep enough to take the request's block away, so that the seed used changes.
net_end "$node_pid"
mark_log
node "ws://127.0.0.1:$http"
for depth in 2 5; do
  mark_log
  id=$(ask "${drawn[@]}")
  wait_for "is accepted"
  rpc anvil_reorg "$depth" '[]' >/dev/null
  wait_for "re-org: blocks"
  # anvil drops the transactions of the blocks that it takes away. The request comes back only if its block stayed; then the acceptance must come again.
  if net_as requester status "$id" --json >"$work/status.json" 2>/dev/null && [ "$(field "$work/status.json" status)" != unknown ]; then
    settled "$id" "${drawn[@]}"
    echo "ok: re-org of $depth blocks, the request stayed"
  else
    echo "ok: re-org of $depth blocks, the request is gone"
  fi
  checks=$((checks + 1))
done
id=$(ask "${drawn[@]}")
settled "$id" "${drawn[@]}"
echo "count runner_checks $checks"
