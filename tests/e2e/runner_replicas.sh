#!/usr/bin/env bash
# Two operators answer one request independently: both commit, both reveal, they agree, and it becomes final. One of two alone gets its stake back.
#   runner_replicas.sh      BUILD names the build folder (default build)
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$PWD/${BUILD:-build}
. devnet/env.sh
. devnet/lib.sh
work=$(mktemp -d)
second_pid=
clean_up() {
  [ -z "$second_pid" ] || net_end "$second_pid"
  net_stop
  rm -rf "$work"
}
trap clean_up EXIT
fail() { tail -n 30 "$net/node.log" "$net/second.log" | cut -c1-220; echo "FAILED: $*"; exit 1; }
field() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$1" "$2"; }
locked() { net_as "$1" status | sed -n 's/^bond, locked *//p'; }

net_init "$work/net"
net_chain anvil
net_deploy
net_as deployer model register "$model" >/dev/null
"$build/lockstep" account new --light --keystore "$net/keys/second" --password-file "$net/password" >"$net/second.address" 2>/dev/null
cast rpc --rpc-url "http://127.0.0.1:$http" anvil_setBalance "$(cat "$net/second.address")" 0x56bc75e2d63100000 >/dev/null
for name in operator second; do net_as $name bond deposit 1ether >/dev/null; done
net_operator
python3 - "$net" <<'PY'
import json, pathlib, sys
net = pathlib.Path(sys.argv[1])
config = json.loads((net / "operator.json").read_text())
config["keystore"] = str(next((net / "keys/second").glob("UTC--*")))
config["database"] = str(net / "second.db")
(net / "second.json").write_text(json.dumps(config))
PY
options=(-m "$model" --window 10s --replicas 2 --temperature 1 --min-p 0.02 -n 12)

# Only one operator: the seat beside it stays empty.
net_node --poll-ms 200
net_as requester ask "${options[@]}" --accept-within 10m --no-wait "Is anybody there?" >/dev/null 2>&1
net_says "$net/node.log" "is accepted" "$node_pid"
[ "$(locked operator)" != "0 ether" ] || fail "no stake is locked"
net_later 700 # both are over, the time for other operators and the time to accept
net_says "$net/node.log" "free seats transaction" "$node_pid"
[ "$(locked operator)" = "0 ether" ] || fail "the stake is still locked: $(locked operator)"
echo "ok: one of two alone gets its stake back"

"$build/lockstep-node" --rpc "ws://127.0.0.1:$http" --plugin "$build/liblockstep.so" --plugin-config "$net/second.json" --poll-ms 200 >>"$net/second.log" 2>&1 &
second_pid=$!
net_says "$net/second.log" "measured" "$second_pid"
net_as requester ask "${options[@]}" --json "Tell me about the sea." >"$work/answer.json" || fail "no final answer"
[ "$(field "$work/answer.json" status)" = final ] || fail "status $(field "$work/answer.json" status)"
net_as requester status "$(field "$work/answer.json" requestId)" --json >"$work/status.json"
python3 - "$work/status.json" <<'PY' || fail "not two commitments and two claims"
import json, sys
events = [e["event"] for e in json.load(open(sys.argv[1]))["events"]]
print(events)
assert [events.count(e) for e in ("Accepted", "Committed", "RevealOpened", "Claimed", "Finalized")] == [2, 2, 1, 2, 1]
PY
for name in operator second; do [ "$(locked $name)" = "0 ether" ] || fail "the stake of $name is still locked"; done
echo "ok: two operators agree"
