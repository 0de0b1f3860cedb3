#!/usr/bin/env bash
# The operator inside geth: the client imports blocks while the model runs; killed with SIGKILL between
# accept and claim and started again, it claims once; the claim's tokens are those of a local run with the
# seed used.
set -euo pipefail
cd "$(dirname "$0")/../.."
. devnet/env.sh
. devnet/lib.sh
[ -e "$build/liblockstep-liar.so" ] || ninja -C "$build" lockstep_plugin_liar >/dev/null
work=$(mktemp -d)
trap 'net_stop; rm -rf "$work"' EXIT
fail() { grep -aiE "request|plugin|WARN|ERROR" "$work/net/chain.log" | tail -n 40 | cut -c1-200; echo "FAILED: $*"; exit 1; }
height() { python3 - "http://127.0.0.1:$http" <<'PY'
import json, sys, urllib.request
body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}).encode()
print(int(json.load(urllib.request.urlopen(urllib.request.Request(sys.argv[1], body, {"Content-Type": "application/json"})))["result"], 16))
PY
}
field() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"; }
# wait_for TEXT: until the log has the text in what was written after mark_log
wait_for() {
  local end=$((SECONDS + 600))
  until tail -c +$((mark + 1)) "$work/net/chain.log" | grep -q "$1"; do
    [ $SECONDS -lt $end ] || fail "no '$1' in the log within 600 s"
    sleep 0.2
  done
}
mark_log() { mark=$(stat -c %s "$work/net/chain.log"); }

net_init "$work/net"
net_chain geth
net_deploy
net_as deployer model register "$model" >/dev/null
net_as operator bond deposit 1ether >/dev/null
net_operator
net_stop
# start_operator PLUGIN
start_operator() { net_chain geth --plugin "$build/$1" --plugin-config "$net/operator.json"; }
# A build with faults on purpose: its model runs for as long as the file is there. The run that measures
# its speed comes before that.
mark_log
LOCKSTEP_FAULT=hold:$work/hold start_operator liblockstep-liar.so
wait_for "measured"
touch "$work/hold"

prompt="Write a long story about a lighthouse keeper, his dog, and the sea."
options=(--temperature 0.75 --min-p 0.02 --seed 7 -n 40)
mark_log
id=$(net_as requester ask -m "$model" --window 10s "${options[@]}" --no-wait --json "$prompt" | python3 -c 'import json, sys; print(json.load(sys.stdin)["requestId"])')
wait_for "the model runs"
first=$(height)
end=$((SECONDS + 600))
while [ "$(height)" -lt $((first + 3)) ] && [ $SECONDS -lt $end ]; do sleep 0.1; done
blocks=$(($(height) - first))
[ "$blocks" -ge 3 ] || fail "the client imported $blocks blocks in ten minutes beside the model"
if tail -c +$((mark + 1)) "$work/net/chain.log" | grep -q "answered:"; then fail "the model has stopped"; fi
echo "count blocks_beside_inference $blocks"

kill -9 "$chain_pid"
wait "$chain_pid" 2>/dev/null || true
mark_log
start_operator liblockstep.so
wait_for "is claimed"
net_event "$id" Finalized 600 || fail "the claim does not become final"
net_as requester status "$id" --json >"$work/status.json"
python3 - "$work/status.json" <<'PY' || fail "not one claim"
import json, sys
events = [e["event"] for e in json.load(open(sys.argv[1]))["events"]]
print(events)
assert events.count("Claimed") == 1 and events.count("Accepted") == 1 and events.count("Finalized") == 1
PY
echo "count claims_after_kill 1"

"$build/lockstep" run -m "$model" --temperature 0.75 --min-p 0.02 -n 40 \
  --seed "$(field "$work/status.json" seedUsed)" --json "$prompt" >"$work/run.json"
python3 - "$work/status.json" "$work/run.json" <<'PY' || fail "the claim differs from a local run"
import json, sys
claim, run = (json.load(open(f)) for f in sys.argv[1:])
assert claim["tokens"] == run["tokens"] and len(run["tokens"]) > 20, (claim["tokens"], run["tokens"])
PY
echo "the claim's $(python3 -c 'import json, sys; print(len(json.load(open(sys.argv[1]))["tokens"]))' "$work/status.json") tokens are those of a local run"
