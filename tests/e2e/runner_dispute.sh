#!/usr/bin/env bash
# Liars on anvil, each convicted by a challenger's plugin with real transactions: a wrong token, a wrong bit behind it in an operation's output, and one who goes
# silent. In between the challenger is killed in the middle of a game, and a re-org takes moves away.
#   runner_dispute.sh [KIND...]      which liars; default: a few (tests/e2e/slow/dispute_liars.sh: all). BUILD names the build folder (default build)
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$PWD/${BUILD:-build}
. devnet/env.sh
. devnet/lib.sh
work=$(mktemp -d)
clean_up() {
  net_stop
  [ -n "${KEEP:-}" ] || rm -rf "$work"
}
trap clean_up EXIT
fail() { tail -n 30 "$net/liar.log" "$net/challenger.log" | cut -c1-240; echo "FAILED: $*"; exit 1; }
rpc() { cast rpc --rpc-url "http://127.0.0.1:$http" "$@" >/dev/null; }
field() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$net/contracts.json" "$1"; }
view() { cast call --rpc-url "http://127.0.0.1:$http" "$@" | awk '{print $1}'; }
seat() { cast call --rpc-url "http://127.0.0.1:$http" "$(field oracle)" 'seatOf(bytes32,uint8,uint8)(address,uint8,uint16,uint24,bool,bytes32)' "$1" 1 0 | sed -n 2p; }
# mark NAME; wait_log NAME TEXT: a new line of that log
declare -A marks=()
mark() { marks[$1]=$(stat -c %s "$net/$1.log" 2>/dev/null || echo 0); }
since() { tail -c +$((${marks[$1]} + 1)) "$net/$1.log"; }
wait_log() {
  local end=$((SECONDS + 600))
  until since "$1" | grep -q "$2"; do
    [ $SECONDS -lt $end ] || fail "no '$2' in $1.log within 600 s"
    sleep 0.2
  done
}

[ -e "$build/liblockstep-liar.so" ] || ninja -C "$build" lockstep_plugin_liar >/dev/null
net_init "$work/net"
net_chain anvil
net_deploy
net_as deployer model register "$model" >/dev/null
net_as liar bond deposit 50ether >/dev/null
net_liar
net_challenger
liar=$(cat "$net/liar.address") challenger=$(cat "$net/challenger.address")
net_run challenger

# ask N: a question whose answer has N tokens
ask() { net_as requester ask -m "$model" --window 5m --stake 1ether --no-wait --json -n "$1" "Write a long story about the sea." | python3 -c 'import json, sys; print(json.load(sys.stdin)["requestId"])'; }
# convicted ID
convicted() {
  local end=$((SECONDS + 600))
  until [ "$(seat "$1")" = 5 ]; do
    [ $SECONDS -lt $end ] || fail "the claim of request $1 was not convicted within 600 s"
    sleep 1
  done
}

checks=0
# lie NAME TOKENS FAULT [JUMP-WHEN]: the liar answers with that fault and is convicted; the chain's time jumps once that line is in the liar's log.
lie() {
  local name=$1 id free
  mark liar
  mark challenger
  LOCKSTEP_FAULT=$3 net_run liar "$build/liblockstep-liar.so"
  free=$(view "$(field bonds)" 'freeBond(address)(uint256)' "$liar")
  id=$(ask "$2")
  [ -z "${5:-}" ] || "$5" "$id"
  if [ -n "${4:-}" ]; then
    wait_log liar "$4"
    rpc evm_increaseTime 130
  fi
  convicted "$id"
  python3 - "$free" "$(view "$(field bonds)" 'freeBond(address)(uint256)' "$liar")" <<'PY' || fail "$name: the liar's stake was not slashed"
import sys
before, after = map(int, sys.argv[1:])
assert before - after == 10**18, (before, after)
PY
  net_halt liar
  wait_log challenger "withdraw"
  echo "ok: $name, $(since challenger | grep -c 'dispute transaction .* in block') transactions, $(gas) gas"
  checks=$((checks + 1))
}
gas() { since challenger | sed -n 's/.*dispute transaction .*, \([0-9]*\) gas$/\1/p' | python3 -c 'import sys; print(sum(map(int, sys.stdin)))'; }

killed() {
  wait_log challenger "pick node .* of operation"
  net_halt challenger KILL
  sleep 2
  net_run challenger
}
reorganised() {
  wait_log liar "reveal 32 children"
  rpc anvil_reorg 2 '[]'
  wait_log challenger "re-org: blocks"
}

started=$(cast balance --rpc-url "http://127.0.0.1:$http" "$challenger")
# Tokens are wrong and, where a bit is named, so is the trace that the operator opens. Of 364 operations, layer 15 has 181 to 192.
all=(token bit_attention silent_leaf killed reorganised)
[ $# -eq 0 ] || all=("$@")
for kind in "${all[@]}"; do
  case $kind in
    token)
      lie "a wrong token of 64" 64 token:40
      spent=$(gas)
      echo "count dispute_gas_challenger $spent"
      [ "$spent" -le 3000000 ] || fail "a dispute cost the challenger $spent gas"
      ;;
    bit_first) lie "a bit of operation 0" 8 token:3,bit:0:4:1000:0 ;;
    bit_middle) lie "a bit in the middle" 8 token:3,bit:180:5:40:6 ;;
    bit_attention) lie "a bit of attention" 8 token:3,bit:186:40:100:3 ;;
    bit_keys) lie "a bit of the keys" 8 token:3,bit:184:20:11:5 ;;
    bit_norm) lie "a bit of the last norm" 8 token:3,bit:362:2:100:2 ;;
    bit_sample) lie "a bit of the last operation" 8 token:3,bit:363:2:4:0 ;;
    silent_trace) lie "silent when the trace is due" 8 token:3,silent:trace "the liar is silent" ;;
    silent_reveal) lie "silent when children are due" 8 token:3,bit:180:5:40:6,silent:reveal "the liar is silent" ;;
    silent_leaf) lie "silent when a leaf is due" 8 token:3,bit:180:5:40:6,silent:leaf "the liar is silent" ;;
    silent_partials) lie "silent when partials are due" 8 token:3,bit:186:40:100:3,silent:partials "the liar is silent" ;;
    killed) lie "the challenger was killed in the middle" 8 token:3,bit:180:5:40:6 "" killed ;;
    reorganised) lie "a re-org between two moves" 8 token:3,bit:180:5:40:6 "" reorganised ;;
    *) fail "unknown kind $kind" ;;
  esac
done
# The last withdrawal may still be on its way.
paid() {
  python3 - "$started" "$(cast balance --rpc-url "http://127.0.0.1:$http" "$challenger")" "$checks" <<'PY'
import sys
before, after, count = map(int, sys.argv[1:])
earned = after - before
print(f"the challenger earned {earned / 1e18:.4f} ether with {count} disputes, gas and prepaid moves taken off")
sys.exit(earned <= count * 24 * 10**16)
PY
}
for _ in $(seq 300); do
  ! paid >"$work/paid" || break
  sleep 1
done
cat "$work/paid"
paid >/dev/null || fail "the challenger was not paid"
echo "count dispute_checks $checks"
