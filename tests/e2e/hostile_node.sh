#!/usr/bin/env bash
# One life on a real chain: an honest operator and an honest challenger, each behind a node that
# misbehaves (tests/hostile/proxy.c), beside a liar whose node is right. All requests become final,
# the liar is convicted, and the honest parties lose nothing but gas.
#   hostile_node.sh [--client anvil|geth] [--seed N] [--kinds KINDS]
# In some lives, drawn from the seed, the operator is killed and started again, the challenger is
# `lockstep watch`, or a false challenger disputes the honest claims and then falls silent. BUILD names the build folder (default build); KEEP leaves the devnet's folder.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$PWD/${BUILD:-build}
[ -e "$build/liblockstep-liar.so" ] || ninja -C "$build" lockstep_plugin_liar >/dev/null
client=anvil seed=83 kinds=all
while [ $# -gt 0 ]; do
  case $1 in
    --client) client=$2 ;;
    --seed) seed=$2 ;;
    --kinds) kinds=$2 ;;
    *) echo "unknown option '$1'" >&2; exit 2 ;;
  esac
  shift 2
done
. devnet/env.sh
. devnet/lib.sh
work=$(mktemp -d)
proxies=()
clean_up() {
  net_stop
  [ ${#proxies[@]} -eq 0 ] || kill "${proxies[@]}" 2>/dev/null || true
  wait
  if [ -n "${KEEP:-}" ]; then echo "kept: $work"; else rm -rf "$work"; fi
}
trap clean_up EXIT
fail() {
  tail -n 40 "$net/operator.log" "$net/challenger.log" | cut -c1-240
  echo "FAILED: seed $seed: $*"
  exit 1
}
# draw LEAST MOST: a number from the seed, in $drawn
draw() { drawn=$(($1 + RANDOM % ($2 - $1 + 1))); }
# ask TOKENS OPTIONS...: the id of a request
ask() {
  net_as requester ask -m "$model" --raw -n "$1" "${@:2}" --no-wait --json "A" 2>>"$net/ask.log" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["requestId"])'
}
# proxy NAME SEED: a node that misbehaves; its port in NAME.port
proxy() {
  "$build/tests/hostile_proxy" --to "http://127.0.0.1:$http" --port-file "$net/$1.port" --seed "$2" --kinds "$kinds" --rest 5 \
    >"$net/$1.proxy" 2>&1 &
  proxies+=($!)
  until [ -s "$net/$1.port" ]; do sleep 0.1; done
}
# node NAME: its plugin behind its proxy
node() {
  "$build/lockstep-node" --rpc "http://127.0.0.1:$(cat "$net/$1.port")" --plugin "$build/liblockstep.so" \
    --plugin-config "$net/$1.json" --poll-ms 200 >>"$net/$1.log" 2>&1 &
  net_pids[$1]=$!
}
watch() {
  LOCKSTEP_RPC=http://127.0.0.1:$(cat "$net/challenger.port") LOCKSTEP_CONTRACTS=$net/contracts.json \
    LOCKSTEP_KEYSTORE=$net/keys/challenger LOCKSTEP_PASSWORD_FILE=$net/password \
    "$build/lockstep" watch "$model" --state "$net/challenger.state" >>"$net/challenger.log" 2>&1 &
  net_pids[challenger]=$!
}
# bond: the operator's, free and locked
bond() {
  cast call --rpc-url "http://127.0.0.1:$http" "$(net_contract bonds)" 'account(address)(uint256,uint256,uint256,uint64)' \
    "$(cat "$net/operator.address")" | awk 'NR <= 2 {print $1}' | paste -sd ' '
}

# finalized ID: it becomes final; on anvil its window is passed at once
finalized() {
  local skip=$([ "$client" = anvil ] && echo $((${window%s} + 1))) status
  for _ in $(seq 500); do
    status=$(net_as requester status "$1" --json 2>>"$net/ask.log" | python3 -c 'import json, sys; print(json.load(sys.stdin)["status"])')
    case $status in
      final) return ;;
      claimed)
        [ -z "$skip" ] || net_later "$skip"
        skip=
        ;;
    esac
    sleep 0.5
  done
  echo "request $1 is $status"
  return 1
}

# begins NAME: its node begins to misbehave
begins() {
  for _ in $(seq 300); do
    if tail -n 1 "$net/$1.proxy" | grep -q 'of 1,000 calls'; then return; fi
    sleep 0.1
  done
  fail "the $1's node does not misbehave"
}
# disputes EXPRESSION: of all disputes, a list in Python
disputes() {
  net_as requester dispute list --all --json 2>>"$net/ask.log" |
    python3 -c "import json, sys; all = json.load(sys.stdin)['disputes']; print(*$1)"
}
# accuser_is_late: all disputes that are left wait for the accuser, whose time is then passed on anvil
accuser_is_late() {
  local turns before=
  for _ in $(seq 300); do
    turns=$(disputes '[d["toMove"] for d in all if d["live"]]') || turns=operator
    [ -n "$turns" ] || return 0
    if [ -n "$before" ] && [[ "$before $turns" != *operator* ]]; then
      [ "$client" != anvil ] || net_later 140
      return
    fi
    before=$turns
    sleep 1
  done
  fail "the operator does not answer its accuser"
}

RANDOM=$seed
draw 1 3; honest_count=$drawn
draw 1 2; liar_count=$drawn
draw 0 2; lie=token:$drawn
draw 0 1; hides=$drawn
draw 1 26; [ $hides = 0 ] || lie=$lie,bit:$drawn:0:4:3
draw 0 3; killed=$((drawn == 0))
draw 0 3; watches=$((drawn == 0))
draw 0 2; accused=$((drawn == 0))
echo "seed $seed: $honest_count honest claims, $liar_count lies ($lie)$([ $killed = 0 ] || echo ", the operator is killed once")$(
  [ $watches = 0 ] || echo ", the challenger is lockstep watch")$([ $accused = 0 ] || echo ", honest claims are disputed")"

model=$work/mixed.gguf
python3 -B tests/spec/tiny_gguf.py mixed "$model"
net_init "$work/net"
case $client in
  geth) net_chain stock-geth ;;
  *) net_chain "$client" ;;
esac
net_deploy
net_as deployer model register "$model" >"$net/register.log" 2>&1 &
waited=($!)
for name in operator liar; do
  net_as "$name" bond deposit 50ether >"$net/$name.deposit" 2>&1 &
  waited+=($!)
done
for pid in "${waited[@]}"; do wait "$pid"; done
net_config operator operator
net_config challenger challenger
net_config liar operator 'min_fee_wei="1000000000000000000"'
net_config accuser challenger 'max_bond_wei="50000000000000000"'
proxy operator $((2 * seed))
proxy challenger $((2 * seed + 1))
bond_before=$(bond)
for name in operator challenger; do net_balance "$(cat "$net/$name.address")" >"$net/$name.before"; done

# The liar accepts what it is to lie about before the operator is there, and takes no other fee. The
# accuser's bond is too small for these claims. What is asked first is answered while the party's node
# misbehaves.
LOCKSTEP_FAULT=$lie net_run liar "$build/liblockstep-liar.so"
if [ $watches = 1 ]; then watch; else node challenger; fi
[ $accused = 0 ] || LOCKSTEP_FAULT=accuse net_run accuser "$build/liblockstep-liar.so"
begins challenger
lies=() ids=() window=30s
[ $watches = 0 ] || window=90s # the command waits for half a minute for an answer that is lost
for _ in $(seq "$liar_count"); do lies+=("$(ask 6 --window "$window" --stake 6ether --fee 1ether)"); done
for id in "${lies[@]}"; do net_event "$id" Accepted 60 || fail "the liar did not accept"; done
node operator
begins operator
for _ in $(seq "$honest_count"); do
  draw 1 6
  ids+=("$(ask "$drawn" --window 10s)")
done
if [ $killed = 1 ]; then
  draw 2 12
  sleep "$drawn"
  net_halt operator KILL
  sleep 2
  node operator
fi
echo "$SECONDS s: all is asked"
convicted=0 final=0 accusations=0
for id in "${lies[@]}"; do
  if net_event "$id" Convicted 150; then convicted=$((convicted + 1)); fi
done
echo "$SECONDS s: $convicted of ${#lies[@]} liars convicted"
if [ $accused = 1 ]; then
  for id in "${ids[@]}"; do net_event "$id" Claimed 60 || fail "the operator did not claim"; done
  net_halt accuser KILL
  accuser_is_late
  accusations=$(disputes "[sum(d['challenger'].lower() == '$(cat "$net/accuser.address")'.lower() for d in all)]")
  echo "$SECONDS s: $accusations false disputes wait for the accuser, or are over"
fi
for id in "${lies[@]}" "${ids[@]}"; do
  if finalized "$id"; then final=$((final + 1)); fi
done
echo "$SECONDS s: $final of $((${#lies[@]} + ${#ids[@]})) requests final"
sleep 5
net_halt operator
net_halt challenger
kill "${proxies[@]}"
for pid in "${proxies[@]}"; do wait "$pid" || true; done
proxies=()

losses=$(python3 tests/e2e/honest_losses.py "http://127.0.0.1:$http" "$net") || fail "the chain could not be read"
[ "$(bond)" = "$bond_before" ] || { echo "the operator's bond was $bond_before and is $(bond)"; losses=$((losses + 1)); }
sed -n 's/^count spoilt_/spoilt_/p' "$net"/*.proxy | awk '{sum[$1] += $2} END {for (name in sum) print "count " name, sum[name]}' | sort
echo "count lives 1"
echo "count requests $((${#lies[@]} + ${#ids[@]}))"
echo "count requests_final $final"
echo "count liars ${#lies[@]}"
echo "count liars_convicted $convicted"
echo "count false_disputes $accusations"
echo "count honest_losses $losses"
[ "$losses" = 0 ] || fail "somebody honest lost"
[ "$convicted" = ${#lies[@]} ] || fail "a liar was not convicted"
[ "$final" = $((${#lies[@]} + ${#ids[@]})) ] || fail "a request is not final"
