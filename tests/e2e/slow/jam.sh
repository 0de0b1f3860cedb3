#!/usr/bin/env bash
# An attacker tries to jam an operator's account while it disputes the operator's honest claims: with
# a request that no transaction could claim, which the chain refuses; with the longest one that it
# takes; and with a false challenge of every claim. The operator runs beside geth, which relays no
# transaction over 128 KiB.
#   jam.sh      BUILD names the build folder (default build)
set -euo pipefail
cd "$(dirname "$0")/../../.."
build=$PWD/${BUILD:-build}
. devnet/env.sh
. devnet/lib.sh
work=$(mktemp -d)
clean_up() {
  net_stop
  [ -n "${KEEP:-}" ] || rm -rf "$work"
}
trap clean_up EXIT
fail() {
  tail -n 30 "$net"/*.log | cut -c1-220
  echo "FAILED: $*"
  exit 1
}
status() { net_as requester status "$1" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["status"])'; }
# ask TOKENS WINDOW: the id of a request; refused when the chain does not take it
ask() {
  net_as requester ask -m "$model" --raw --greedy -n "$1" --window "$2" --claim-within 1h --no-wait --json "A" \
    >"$work/asked" 2>"$work/refused" || return 1
  python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["requestId"])' "$work/asked"
}
# until_status ID STATUS...
until_status() {
  local id=$1 end=$((SECONDS + 3600))
  shift
  while [ $SECONDS -lt $end ]; do
    case " $* " in *" $(status "$id") "*) return ;; esac
    sleep 1
  done
  fail "request $id is $(status "$id") after an hour, not one of: $*"
}
# lost_by NAME REQUEST: the account has disputed the request's claim, and lost that dispute
lost_by() {
  local dispute
  dispute=$(net_as requester dispute list --all --request "$2" --json | python3 -c '
import json, sys
print(*[d["disputeId"] for d in json.load(sys.stdin)["disputes"] if d["challenger"].lower() == sys.argv[1].lower()])' "$(cat "$net/$1.address")")
  [ -n "$dispute" ] || fail "$1 has not disputed request $2"
  net_as requester dispute show "$dispute" >"$work/dispute"
  grep -q '^state  *lost: ' "$work/dispute" || { cat "$work/dispute"; fail "$1 has not lost its dispute of request $2"; }
}

[ -e "$build/liblockstep-liar.so" ] || ninja -C "$build" lockstep_plugin_liar >/dev/null
model=$work/head-2.gguf
python3 -B tests/spec/tiny_gguf.py head-2 "$model"
net_init "$work/net"
net_chain geth
net_deploy
net_as deployer model register "$model" >/dev/null
net_as operator bond deposit 5ether >/dev/null
net_operator
net_challenger
net_run operator

honest=$(ask 4 2m)
until_status "$honest" claimed
echo "ok: an honest claim stands"

! ask 32600 10s || fail "a request that cannot be claimed was taken"
grep -q 'TooManyTokensAsked' "$work/refused" || fail "refused for another reason: $(cat "$work/refused")"
echo "ok: the chain refuses what cannot be claimed"

longest=0
for tokens in 29500 28000 24000 16000 8000; do
  if longest=$(ask $tokens 10s); then break; fi
done
[ "$longest" != 0 ] || fail "no long request was taken"
LOCKSTEP_FAULT=accuse net_run challenger "$build/liblockstep-liar.so"
until_status "$honest" final
lost_by challenger "$honest"
echo "ok: the honest claim was disputed and is final, beside a request of $tokens tokens"
until_status "$longest" open claimed final
[ "$(net_view bonds 'account(address)(uint128,uint128,uint128,uint64)' "$(cat "$net/operator.address")")" != 0 ] ||
  fail "the operator's bond is gone"
for id in "$honest" "$longest"; do
  ! net_as requester status "$id" --json | grep -q '"Convicted"\|"Missed"' || fail "the operator lost in request $id"
done
echo "count jam_checks 4"
