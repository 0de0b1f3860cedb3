#!/usr/bin/env bash
# The main job on a local chain, with real parts. One: a contract asks, a bonded operator's plugin answers with a real model, the answer becomes final.
# Two: another operator lies; a challenger's plugin catches it, the game is played on chain, the bond is slashed, the request is answered rightly. Three: a
# false challenge costs whoever made it its bond.
#   devnet/demo.sh [--keep] [--host geth|runner] [--client geth|anvil] [--fork today|next]
# --host geth     the plugin runs inside geth (default)
# --host runner   the plugin runs in lockstep-node, beside an unmodified client: --client geth (default) or anvil
# --fork next     geth has the gas table of its next fork, Amsterdam: new storage, code and calldata cost more
# --keep          leaves the chain and the operator running at the end, and prints the end points
# Sets up what is missing, builds, and ends with "demo: ok" (exit 0) or "demo: failed: WHY" (exit 1).
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
keep= host=geth client=geth fork=today
while [ $# -gt 0 ]; do
  case $1 in
    --keep) keep=1 ;;
    --host | --client | --fork) [ $# -gt 1 ] || { echo "$1 needs a value" >&2; exit 2; }; declare "${1#--}=$2"; shift ;;
    -h | --help) sed -n '2,10s/^# \?//p' "$0"; exit 0 ;;
    *) echo "unknown option '$1'; see devnet/demo.sh --help" >&2; exit 2 ;;
  esac
  shift
done
case $host/$client in geth/geth | runner/geth | runner/anvil) ;; *) echo "--host is geth or runner, --client geth or anvil (with --host runner)" >&2; exit 2 ;; esac
case $fork/$client in
  today/* | next/geth) ;;
  next/anvil) echo "--fork next needs --client geth: anvil does not have that gas table" >&2; exit 2 ;;
  *) echo "--fork is today or next" >&2; exit 2 ;;
esac

say() { printf '%s\n' "$*"; }
title() { printf '\n== %s\n' "$*"; }
fail() { say "demo: failed: $*"; exit 1; }

title "Set-up and build"
parts=(debian tools contracts model)
[ "$client" = anvil ] || parts+=(geth)
[ "$host/$client" != runner/geth ] || parts+=(stock-geth)
devnet/setup.sh "${parts[@]}" || fail "the set-up: see above"
. devnet/env.sh
. devnet/lib.sh
mkdir -p build
{ cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DLKS_TESTS=OFF && ninja -C build lockstep lockstep_plugin lockstep_plugin_liar lockstep-node; } >build/demo-build.log 2>&1 ||
  { tail -n 30 build/demo-build.log; fail "the build"; }
(cd contracts && tools/forge build src script) >build/demo-forge.log 2>&1 || { tail -n 30 build/demo-forge.log; fail "the contracts' build"; }

work=$(mktemp -d "${TMPDIR:-/tmp}/lockstep-devnet.XXXXXX")
clean_up() {
  if [ -z "$keep" ] || [ ! -e "$work/done" ]; then
    net_stop
    rm -rf "$work"
  fi
}
trap clean_up EXIT
trap 'exit 130' INT TERM
started=$SECONDS

rules="mainnet's rules"
[ "$fork" = today ] || rules="the rules of geth's next fork"
title "A chain with $rules, and the contracts"
net_init "$work" "$fork" || fail "no accounts could be made"
case $host/$client in
  geth/*) first=geth ;;
  runner/geth) first=stock-geth ;;
  *) first=anvil ;;
esac
net_chain "$first" || fail "the client did not start"
net_deploy || fail "the deployment"
say "chain        id 31982, a block a second, block gas 60,000,000; http://127.0.0.1:$http"
python3 -c '
import json, sys
c = json.load(open(sys.argv[1]))
for name in ("registry", "bonds", "oracle", "game", "verifier"):
    print(f"{name:12} {c[name]}")' "$work/contracts.json"
for name in operator requester; do printf '%-12s %s\n' "$name" "$(cat "$work/$name.address")"; done

title "The model's commitment goes on chain"
net_as deployer model register "$model" || fail "the model was not registered"

title "The operator puts up its bond"
net_as operator bond deposit 1ether || fail "the bond was not deposited"

net_operator
if [ "$host" = geth ]; then
  title "geth starts again, with the plugin in its process"
  net_stop
  net_chain geth --plugin "$build/liblockstep.so" --plugin-config "$work/operator.json" || fail "geth with the plugin did not start"
  log=$work/chain.log
else
  title "lockstep-node starts beside the client"
  net_node
  log=$work/node.log
fi

# ask TITLE OPTIONS... PROMPT
ask() {
  title "$1"
  say "question     ${*: -1}"
  net_as requester ask -m "$model" --window 10s --progress "${@:2}" 2>&1 | grep -v "^hashing the model" || { tail -n 20 "$work"/*.log; fail "no final answer"; }
}
ask "Act one: a free question" -n 48 "What is the capital of France? Answer in one sentence."
ask "A yes or no question: the answer is one of two tokens" --yes-no "Is London in England?"


# ask_later OPTIONS... PROMPT: asks and goes on; the request's id.
ask_later() { net_as requester ask -m "$model" --no-wait --json "$@" 2>>"$work/ask.log" | python3 -c 'import json, sys; print(json.load(sys.stdin)["requestId"])'; }
# wait_line NAME TEXT SECONDS: a line of a runner's log.
wait_line() { for _ in $(seq $(($3 * 2))); do grep -q "$2" "$net/$1.log" && return; sleep 0.5; done; net_fail "no '$2' in $1.log within $3 s"; }
# show_dispute REQUEST: the last dispute about it, move by move.
show_dispute() {
  local dispute
  dispute=$(net_as requester dispute list --all --request "$1" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["disputes"][-1]["disputeId"])') || return 1
  net_as requester dispute show -m "$model" "$dispute"
}
# ether WEI-BEFORE WEI-AFTER: the difference, as text; ether_is, ether_above WEI-BEFORE WEI-AFTER ETHER: whether it is that, or more
ether() { python3 -c 'import sys; a, b = map(int, sys.argv[1:]); print(f"{(b - a) / 1e18:+.6f} ether")' "$1" "$2"; }
ether_is() { python3 -c 'import sys; from decimal import Decimal as D; a, b, c = map(D, sys.argv[1:]); sys.exit(b - a != c * 10**18)' "$1" "$2" "$3"; }
ether_above() { python3 -c 'import sys; from decimal import Decimal as D; a, b, c = map(D, sys.argv[1:]); sys.exit(b - a <= c * 10**18)' "$1" "$2" "$3"; }
burned() { net_balance 0x000000000000000000000000000000000000dEaD; }
# credit_of REQUEST: what its requester can withdraw of it
credit_of() { net_view oracle 'creditOf(bytes32)(uint256)' "$1"; }
# bond_of NAME: free and locked
bond_of() {
  cast call --rpc-url "http://127.0.0.1:$http" "$(net_contract bonds)" 'account(address)(uint256,uint256,uint256,uint64)' "$(cat "$work/$1.address")" |
    python3 -c 'import sys; print(sum(int(line.split()[0]) for line in list(sys.stdin)[:2]))'
}

title "Act two: an operator that lies, and a challenger that checks every claim"
fault=token:3,bit:186:20:100:3
net_as liar bond deposit 3ether || fail "the liar's bond was not deposited"
net_liar
net_challenger
LOCKSTEP_FAULT=$fault net_run liar "$build/liblockstep-liar.so"
net_run challenger
say "the liar's plugin is a build with faults on purpose, which only this devnet and tests have: token 3 of its answer is wrong, and to hide that"
say "it changes one bit of its trace, in the attention of layer 15 at position 20"
wait_line liar "measured" 120 && wait_line challenger "plugin .* started" 60 || fail "the two did not start"
question="Which planet is called the red planet? Answer in one sentence."
bond_before=$(bond_of liar) burned_before=$(burned) challenger_before=$(net_balance "$(cat "$work/challenger.address")")
id=$(ask_later --window 30s --stake 2ether -n 24 "$question") || fail "the question was not asked"
say "question     $question"
say "it demands a stake of 2 ether, which so far only the liar has free"
net_event "$id" Claimed 120 || fail "the liar did not claim"
net_as operator bond deposit 2ether || fail "the bond was not deposited"
net_event "$id" Convicted 240 || { tail -n 20 "$work/challenger.log" "$work/liar.log"; fail "the liar was not convicted"; }
show_dispute "$id" || fail "the dispute is not shown"
wait_line challenger "withdraw 0.5 ether" 60 || fail "the challenger did not take its reward"
net_halt liar
sleep 2
say
say "the liar's bond       $(ether "$bond_before" "$(bond_of liar)")"
say "burned                $(ether "$burned_before" "$(burned)")"
say "to the requester      $(ether 0 "$(credit_of "$id")")"
say "to the challenger     $(ether "$challenger_before" "$(net_balance "$(cat "$work/challenger.address")")"), gas and answers that it paid for taken off"
ether_is "$bond_before" "$(bond_of liar)" -2 || fail "the liar's stake was not slashed"
ether_is "$burned_before" "$(burned)" 1.3 || fail "65 % were not burned"
ether_is 0 "$(credit_of "$id")" 0.2 || fail "the requester did not get 10 %"
ether_above "$challenger_before" "$(net_balance "$(cat "$work/challenger.address")")" 0.45 ||
  fail "the challenger did not get 25 %"
title "The request is open again, and the honest operator answers it"
net_event "$id" Finalized 180 || fail "there is no final answer"
net_as requester status "$id" || fail "no status"
net_as requester check -m "$model" "$id" || fail "the final answer is not what the model says"

title "Act three: a false challenge against the honest operator"
id=$(ask_later --window 30s --stake 1ether -n 24 "Name three colours.") || fail "the question was not asked"
net_event "$id" Claimed 120 || fail "the operator did not claim"
bond_before=$(bond_of operator) burned_before=$(burned) accuser_before=$(net_balance "$(cat "$work/accuser.address")")
net_as accuser challenge --force --no-play -m "$model" "$id" || fail "there is no false challenge"
say "the operator opens its trace; its accuser has 120 seconds to show a fault in it, and there is none"
net_event "$id" Finalized 300 || { tail -n 20 "$work/challenger.log" "$log"; fail "the answer is not final"; }
show_dispute "$id" || fail "the dispute is not shown"
net_as requester check -m "$model" "$id" || fail "the final answer is not what the model says"
say
say "the operator's bond   $(ether "$bond_before" "$(bond_of operator)")"
say "burned                $(ether "$burned_before" "$(burned)")"
say "its accuser           $(ether "$accuser_before" "$(net_balance "$(cat "$work/accuser.address")")")"
ether_is "$bond_before" "$(bond_of operator)" 0 || fail "the honest operator's bond changed"
ether_is "$burned_before" "$(burned)" 0.015 || fail "30 % of the accuser's bond were not burned"
ether_above "$(net_balance "$(cat "$work/accuser.address")")" "$accuser_before" 0.05 ||
  fail "the accuser did not lose its bond"

title "What the plugin wrote into its host's log"
grep -aE 'request 0x|claim 0x|plugin .* started' "$log" | cut -c1-140

title "Afterwards"
net_as operator status || fail "no status"
say
say "from the first block to the last answer: $((SECONDS - started)) s"
touch "$work/done"
if [ -n "$keep" ]; then
  say "still running: chain pid $chain_pid, http://127.0.0.1:$http, ws://127.0.0.1:$ws${node_pid:+; lockstep-node pid $node_pid}"
  say "to use it:     export LOCKSTEP_RPC=http://127.0.0.1:$http LOCKSTEP_CONTRACTS=$work/contracts.json LOCKSTEP_KEYSTORE=$work/keys/requester LOCKSTEP_PASSWORD_FILE=$work/password"
  say "to end it:     kill $chain_pid $node_pid ${net_pids[*]}; rm -r $work"
  disown -a
fi
say "demo: ok"
