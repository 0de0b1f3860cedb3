#!/usr/bin/env bash
# The main job on a local chain, with real parts: a contract asks, a bonded operator's plugin answers with a real model, the answer becomes final.
#   devnet/demo.sh [--keep] [--host geth|runner] [--client geth|anvil]
# --host geth     the plugin runs inside geth (default)
# --host runner   the plugin runs in lockstep-node, beside an unmodified client: --client geth (default) or anvil
# --keep          leaves the chain and the operator running at the end, and prints the end points
# Sets up what is missing, builds, and ends with "demo: ok" (exit 0) or "demo: failed: WHY" (exit 1).
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
keep= host=geth client=geth
while [ $# -gt 0 ]; do
  case $1 in
    --keep) keep=1 ;;
    --host | --client) [ $# -gt 1 ] || { echo "$1 needs a value" >&2; exit 2; }; declare "${1#--}=$2"; shift ;;
    -h | --help) sed -n '2,7s/^# \?//p' "$0"; exit 0 ;;
    *) echo "unknown option '$1'; see devnet/demo.sh --help" >&2; exit 2 ;;
  esac
  shift
done
case $host/$client in geth/geth | runner/geth | runner/anvil) ;; *) echo "--host is geth or runner, --client geth or anvil (with --host runner)" >&2; exit 2 ;; esac

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
{ cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Release -DLKS_TESTS=OFF && ninja -C build lockstep lockstep_plugin lockstep-node; } >build/demo-build.log 2>&1 ||
  { tail -n 30 build/demo-build.log; fail "the build"; }
(cd contracts && tools/forge build) >build/demo-forge.log 2>&1 || { tail -n 30 build/demo-forge.log; fail "the contracts' build"; }

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

title "A chain with mainnet's rules, and the contracts"
net_init "$work" || fail "no accounts could be made"
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
for name in ("registry", "bonds", "oracle"):
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
ask "A free question" -n 48 "What is the capital of France? Answer in one sentence."
ask "A yes or no question: the answer is one of two tokens" --yes-no "Is London in England?"

title "What the plugin wrote into its host's log"
grep -aE 'request 0x|plugin .* started' "$log" | cut -c1-140

title "Afterwards"
net_as operator status || fail "no status"
say
say "from the first block to the last answer: $((SECONDS - started)) s"
touch "$work/done"
if [ -n "$keep" ]; then
  say "still running: chain pid $chain_pid, http://127.0.0.1:$http, ws://127.0.0.1:$ws${node_pid:+; lockstep-node pid $node_pid}"
  say "to use it:     export LOCKSTEP_RPC=http://127.0.0.1:$http LOCKSTEP_CONTRACTS=$work/contracts.json LOCKSTEP_KEYSTORE=$work/keys/requester LOCKSTEP_PASSWORD_FILE=$work/password"
  say "to end it:     kill $chain_pid $node_pid; rm -r $work"
  disown -a
fi
say "demo: ok"
