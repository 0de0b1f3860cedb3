#!/usr/bin/env bash
# The command line as a challenger, against the contracts on anvil and an operator driven by hand (hand_operator.c) that lies or falls silent: check, challenge,
# prove, watch, dispute, timeout. All games are played with the real model, to the end. BUILD names the build folder (default build).
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$PWD/${BUILD:-build}
. devnet/env.sh
. devnet/lib.sh
tiny=$PWD/tests/spec/tiny_gguf.py
lying_node=$PWD/tests/e2e/lying_node.py
work=$(mktemp -d)
pids=()
clean_up() { for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; net_stop; rm -rf "$work"; }
trap clean_up EXIT
cd "$work"
export HOME=$work
unset LOCKSTEP_RPC LOCKSTEP_KEYSTORE LOCKSTEP_CONTRACTS LOCKSTEP_PASSWORD_FILE LOCKSTEP_MODEL LOCKSTEP_FAULT
checks=0

# ends CODE TEXT COMMAND...: that exit code, and TEXT in what it printed, which is left in out and err.
ends() {
  local code=0
  "${@:3}" >out 2>err </dev/null || code=$?
  if [ "$code" != "$1" ] || { [ -n "$2" ] && ! grep -qF -- "$2" out err; }; then
    echo "wanted exit code $1 and '$2' from: ${*:3}"
    echo "got exit code $code and:"
    cat out err
    exit 1
  fi
  checks=$((checks + 1))
}
has() { grep -qE -- "$1" out err || { echo "no '$1' in:"; cat out err; exit 1; }; checks=$((checks + 1)); }
same() { [ "$1" = "$2" ] || { echo "$3: '$1', not '$2'"; exit 1; }; checks=$((checks + 1)); }
member() { python3 -c 'import json, sys; r = json.load(open("out")); print(eval(sys.argv[1], {"r": r}))' "$1"; }

net_init "$work/net"
net_chain anvil
net_deploy
export ETH_RPC_URL=http://127.0.0.1:$http
# Transactions are mined as they come, and a block twice a second beside them.
cast rpc evm_setAutomine true >/dev/null
net_hold_clock
while sleep 0.5; do cast rpc anvil_mine 0x1 >/dev/null 2>&1 || exit 0; done &
pids+=($!)
requester() { net_as requester "$@"; }
challenger() { net_as challenger "$@"; }
lockstep() { LOCKSTEP_RPC=$ETH_RPC_URL LOCKSTEP_CONTRACTS=net/contracts.json "$build/lockstep" "$@"; }
hand() { LOCKSTEP_RPC=$ETH_RPC_URL LOCKSTEP_CONTRACTS=net/contracts.json LOCKSTEP_KEYSTORE=net/keys/operator LOCKSTEP_PASSWORD_FILE=net/password "$build/tests/hand_operator" "$@"; }
# answered FAULT PROMPT: asks, and has the operator answer with the fault. Out: $request.
answered() {
  request=$(requester ask -m "$model" -n 8 --window 600s --no-wait "$2" 2>ask.err) || { cat ask.err; exit 1; }
  LOCKSTEP_FAULT=$1 hand answer "$model" "$request" 2>answer.err || { cat answer.err; exit 1; }
}
# defend FAULT MOVES: the operator answers the request's disputes, in the background. Out: $defender.
defend() {
  LOCKSTEP_FAULT=$1 LOCKSTEP_RPC=$ETH_RPC_URL LOCKSTEP_CONTRACTS=net/contracts.json LOCKSTEP_KEYSTORE=net/keys/operator LOCKSTEP_PASSWORD_FILE=net/password \
    "$build/tests/hand_operator" defend "$model" "$request" "$2" >defend.out 2>&1 &
  defender=$!
  pids+=("$defender")
}
# defended: it ended, and found nothing that it could not answer.
defended() { wait "$defender" || { echo "the operator's defence failed:"; cat defend.out; exit 1; }; }
# begin COMMAND...: the challenger's command line in the background, its output in play.out and play.err. Out: $player, the program itself, which can be killed.
begin() {
  rm -f play.out play.err
  LOCKSTEP_RPC=$ETH_RPC_URL LOCKSTEP_CONTRACTS=net/contracts.json LOCKSTEP_KEYSTORE=net/keys/challenger LOCKSTEP_PASSWORD_FILE=net/password \
    "$build/lockstep" "$@" >play.out 2>play.err &
  player=$!
  pids+=("$player")
}
slay() { kill -KILL "$player"; wait "$player" 2>/dev/null || true; }
halt() { kill "$1" 2>/dev/null || true; wait "$1" 2>/dev/null || true; }
# operators_turn: waits until the challenger has made its move, and the operator's time runs.
operators_turn() {
  until lockstep dispute list --request "$request" --json | grep -q '"toMove":"operator"'; do
    kill -0 "$player" 2>/dev/null || { cat play.out play.err; exit 1; }
    sleep 0.2
  done
}
newest_dispute() { challenger dispute list --all --request "$request" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["disputes"][-1]["disputeId"])'; }

requester model register "$model" >/dev/null 2>&1
net_as operator bond deposit 20ether >/dev/null 2>&1

# What needs no claim.
nothing=0x$(printf '%064d' 7)
sed 's/"game":"[^"]*",//; s/"verifier":"[^"]*"/"other":1/' net/contracts.json >old.json
ends 3 "names no dispute game" lockstep dispute list --contracts old.json
ends 3 "names no dispute game" challenger challenge --contracts old.json -m "$model" "$nothing"
ends 2 "give either REQUEST-ID or --resume DISPUTE-ID" challenger challenge -m "$model"
ends 2 "is not a dispute id" lockstep dispute show 0x12
ends 1 "knows no such dispute" lockstep dispute show "$nothing"
ends 1 "knows no such dispute" challenger challenge -m "$model" --resume "$nothing"
ends 1 "knows no such request" lockstep check -m "$model" "$nothing"
ends 2 "--share is above 0 and at most 1" lockstep watch --share 1.5 "$model"
ends 2 "no model" lockstep watch
ends 2 "needs both --root and --signature" challenger prove -m "$model" --root "$nothing" "$nothing"
ends 0 "" lockstep dispute list
same "$(wc -c <out)" 0 "an empty list"

# A right claim.
answered "" "What is the capital of Portugal?"
python3 "$tiny" q4-0 tiny.gguf >/dev/null
ends 2 "no model" lockstep check "$request"
ends 3 "the request asks" lockstep check -m tiny.gguf "$request"
ends 1 "has no claim there" lockstep check -m "$model" --seat 3 "$request"
ends 0 "right" lockstep check -m "$model" "$request"
has "^operator's trace +not open"
LOCKSTEP_MODEL=$model ends 0 '"verdict":"right"' lockstep check --json "$request"
ends 1 "the claim is right" challenger challenge -m "$model" "$request"
ends 1 "only a dispute can show the fault" challenger prove -m "$model" "$request"
ends 0 "1 right, 0 wrong" lockstep watch --once "$model"
has "wrong claims are reported only"
ends 0 "0 right, 0 wrong, 1 left out" lockstep watch --once --share 0.000000001 "$model"

# A node that withholds logs hides no claim from a watch with another node, whichever comes first.
python3 "$lying_node" "$ETH_RPC_URL" lying.port &
pids+=($!)
until [ -s lying.port ]; do sleep 0.1; done
lying=http://127.0.0.1:$(cat lying.port)
ends 0 "0 right, 0 wrong" lockstep watch --once --rpc "$lying" "$model"
ends 0 "1 right, 0 wrong" lockstep watch --once --rpc "$lying" --rpc "$ETH_RPC_URL" "$model"
has "withholds logs that another has: following http://127.0.0.1:$http"
ends 0 "1 right, 0 wrong" lockstep watch --once --rpc "$ETH_RPC_URL" --rpc "$lying" --rpc "$lying/2" "$model"
LOCKSTEP_RPC="http://127.0.0.1:1 $ETH_RPC_URL" LOCKSTEP_CONTRACTS=net/contracts.json ends 0 "open to challenge" "$build/lockstep" status "$request"
has "does not answer .*: following http://127.0.0.1:$http"

# Disputed all the same: the trace is right, and the bond is lost to the clock.
defend "" 1
ends 1 "has nothing to prove" challenger challenge --force -m "$model" "$request"
defended
dispute=$(newest_dispute)
ends 0 "its root matches ours" lockstep check -m "$model" "$request"
ends 1 "the claim is right: its tokens and its root match ours" challenger prove -m "$model" "$request"
ends 1 "the challenger has time until" requester timeout "$dispute"
net_later 130
ends 0 "pick: the challenger is to move until" lockstep dispute list
has "which is over"
ends 0 "the challenger was late" requester timeout "$dispute"
ends 1 "the dispute is over" requester timeout "$dispute"
ends 0 "lost: the challenger was late" lockstep dispute show "$dispute"
ends 0 "0.035" net_as operator credit withdraw
ends 1 "lost: the bond is gone" challenger challenge -m "$model" --resume "$dispute"
ends 6 "choose that account with --keystore or --account" requester challenge -m "$model" --resume "$dispute"
ends 0 "over: the claim stands" lockstep status "$request"
net_later 700
ends 0 "final" requester finalize "$request"
ends 0 "final, window until" lockstep check -m "$model" --spill "$work" "$request"
has "its root matches ours"
ends 3 "choose another --spill folder" lockstep check -m "$model" --spill "$work/none" "$request"
ends 1 "does not stand any more" challenger challenge -m "$model" "$request"

# A wrong token with an honest trace: opened, and proved by the token alone.
answered token:3 "What is the capital of Norway?"
ends 8 "wrong" lockstep check -m "$model" "$request"
has "^first wrong token  token 3 of the answer, position [0-9]+: claimed [0-9]+ \".*\", right is [0-9]+ \""
ends 8 '"verdict":"wrong"' lockstep check --json -m "$model" "$request"
same "$(member 'r["firstWrongToken"]["index"], r["firstWrongToken"]["position"] - r["promptCount"], r["firstWrongToken"]["claimed"]["id"] != r["firstWrongToken"]["expected"]["id"]')" \
  "(3, 3, True)" "the wrong token"
ends 8 "0 right, 1 wrong" lockstep watch --once --dry-run "$model"
ends 1 "only a dispute can show the fault" challenger prove -m "$model" "$request"
defend token:3 100
ends 0 "won: the claim is convicted" challenger challenge -m "$model" "$request"
has "challenger proves the claim wrong"
has "withdraw from the oracle: 0.025 ether"
defended
echo "count dispute_gas_token $(sed -n 's/^own gas *\([0-9]*\) .*/\1/p' out)"
ends 8 "convicted, window until" lockstep check -m "$model" --attempt 1 "$request"
ends 1 "is convicted already" challenger challenge -m "$model" "$request"

# One wrong bit of a LINEAR_ADD, and of an attention: found on the way down, also where the claimed tokens are right.
for fault in bit:176:20:1500:3 bit:174:30:44:5; do
  answered "$fault" "What is the capital of Sweden?"
  defend "$fault" 100
  ends 0 '"end":"won"' challenger challenge --json --force -m "$model" "$request"
  same "$(member 'r["challengerGas"] < 3000000, r["reclaimed"], r["moves"][0]["event"], r["moves"][-1]["event"], [m["by"] for m in r["moves"]][:3]')" \
    "(True, False, 'Challenged', 'ClaimConvicted', ['challenger', 'operator', 'challenger'])" "the game with $fault"
  echo "count dispute_gas_${fault//:/_} $(member 'r["challengerGas"]')"
  defended
  ends 8 "the first difference: layer 14, operation ${fault:4:3}," lockstep check -m "$model" "$request"
done
has "position 30, byte 44 of the row \(value 11\)"
ends 8 '"verdict":"wrong"' lockstep check --json -m "$model" "$request"
same "$(member '[r["trace"]["firstDifference"][n] for n in ("layer", "operation", "opcode", "position", "byte")]')" "[14, 174, 'ATTN', 30, 44]" "the first difference"
same "$(member 'r["trace"]["firstDifference"]["shown"] ^ r["trace"]["firstDifference"]["right"]')" 32 "the flipped bit"
ends 0 "challenger asks for the partials of element 11, layer 14, operation 174, ATTN" lockstep dispute show -m "$model" "$(newest_dispute)"

# Two challengers at once: the trace is opened for both, and who proves commits to its proof before.
answered token:1 "What is the capital of Austria?"
ends 0 "dispute" requester challenge --no-play -m "$model" "$request"
rival=$(newest_dispute)
# What an operator under attack has at stake, and until when.
ends 0 "open claim" lockstep status --of "$(cat net/operator.address)"
has "^live dispute +$rival, root: the operator is to move until .* UTC, [0-9]+ s left$"
ends 0 '"openClaims":[{"claimName"' lockstep status --json --of "$(cat net/operator.address)"
same "$(member 'r["accounts"][0]["disputes"][0]["toMove"], 0 < r["accounts"][0]["disputes"][0]["secondsLeft"] <= 120')" "('operator', True)" "whose turn it is"
defend token:1 100
ends 0 "won: the claim is convicted" challenger challenge -m "$model" "$request"
has "challenger commits to its proof"
defended
ends 0 "the claim is convicted by another dispute" requester challenge -m "$model" --resume "$rival"
has "operator opens its trace"
has "challenger takes back 0.05[0-9]* ether, bond and what it had prepaid"

# Withholding at each move: the operator's time runs out. One game is begun by one process and gone on with by others, the last of them not the challenger's.
for moves in 0 1 3; do
  fault=bit:173:70:20:3
  answered "token:1,$fault" "What is the capital of Denmark?"
  defend "$fault" "$moves"
  begin challenge -m "$model" "$request"
  net_says play.out block "$player"
  [ "$moves" = 0 ] || defended
  if [ "$moves" = 3 ]; then
    net_says play.out "positions 0 to 7" "$player"
    operators_turn
    slay
    ends 1 "the operator has time until" requester timeout "$(newest_dispute)"
    begin challenge -m "$model" "$request"
    net_says play.out "resumed" "$player"
  fi
  operators_turn
  net_later 130
  wait "$player" || { cat play.out play.err; exit 1; }
  [ "$moves" != 0 ] || halt "$defender"
  cp play.out out
  has "operator is late: the claim is convicted"
  has "won: the claim is convicted"
done

# Proofs without a dispute. A signed root with a wrong token:
answered token:2 "What is the capital of Finland?"
read -r root signature < <(hand sign "$model" "$request")
ends 1 "did not sign that root" challenger prove -m "$model" --root "$nothing" --signature "$signature" "$request"
ends 0 "the claim is convicted" challenger prove -m "$model" --root "$root" --signature "$signature" "$request"
has "withdraw from the oracle: 0.025 ether"
# Bytes that another's dispute revealed; that dispute is live, so the commitment is fifty blocks old:
fault=bit:176:20:1500:3
answered "token:2,$fault" "What is the capital of Iceland?"
ends 0 "dispute" challenger challenge --no-play -m "$model" "$request"
defend "$fault" 1
defended
ends 1 "the bytes of its first difference are not revealed" requester prove -m "$model" "$request"
defend "$fault" 3
begin challenge -m "$model" "$request"
defended
net_says play.out "bytes 1024 to 2047" "$player"
slay
defend "$fault" 1
defended
ends 0 "the claim is convicted" requester prove -m "$model" "$request"
ends 0 "the claim is convicted by a proof without a dispute" challenger challenge -m "$model" --resume "$(newest_dispute)"
has "challenger takes back .* ether, bond and what it had prepaid"
# Two roots:
answered "" "What is the capital of Estonia?"
read -r root signature < <(LOCKSTEP_FAULT=$fault hand sign "$model" "$request")
ends 1 "nothing of its trace is revealed" challenger prove -m "$model" --root "$root" --signature "$signature" "$request"
ends 0 "dispute" challenger challenge --force --no-play -m "$model" "$request"
defend "" 1
defended
ends 0 "its operator signed two roots" challenger prove -m "$model" --root "$root" --signature "$signature" "$request"

# Watching: two liars at once, one process after another.
answered token:0 "What is the capital of Latvia?"
defend token:0 100
first=$defender
answered "token:0,$fault" "What is the capital of Poland?"
defend "$fault" 100
begin watch "$model"
net_says play.out "positions 20 to 21" "$player"
slay
ends 8 "wrong" challenger watch --once "$model"
cat play.out >>out
same "$(grep -c 'challenged  dispute' out)" 2 "disputes opened"
same "$(grep -c 'challenger proves the claim wrong' out)" "$(grep -c '(won)' out)" "disputes won"
wait "$first"
defended
ends 0 "" lockstep dispute list
same "$(wc -c <out)" 0 "live disputes in the end"

# As a daemon: a signal ends it in order, and what it has looked at is kept.
begin watch --state watch.state "$model"
until [ -s watch.state ]; do
  kill -0 "$player" || { cat play.err; exit 1; }
  sleep 0.1
done
kill -HUP "$player"
kill -TERM "$player"
wait "$player" || { echo "exit code $? after SIGTERM"; cat play.err; exit 1; }
grep -qE '^[0-9-]+T[0-9:]+Z lockstep: watch: ended by a signal' play.err || { cat play.err; exit 1; }
grep -q '^lockstep watch 1$' watch.state
sed -i 's/^next [0-9]*/next 1/' watch.state
challenger watch --once --state watch.state "$model" >out 2>err || true
has "the state file is damaged; a new one is begun"
ends 4 "is the node running?" challenger watch --once --rpc http://127.0.0.1:1 "$model"

echo "count cli_dispute_checks $checks"
