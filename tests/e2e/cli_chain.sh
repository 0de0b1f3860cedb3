#!/usr/bin/env bash
# The command line against real contracts on anvil, with `cast` in the operator's place: a request's ways to its end, bonds and credit, and what goes wrong
# between a node and a person. No inference runs: what the operator claims is a fixed list of tokens. BUILD names the build folder (default build).
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$PWD/${BUILD:-build}
. devnet/env.sh
. devnet/lib.sh
here=$PWD/tests/e2e
work=$(mktemp -d)
fake=
clean_up() { net_stop; [ -z "$fake" ] || kill "$fake" 2>/dev/null || true; rm -rf "$work"; }
trap clean_up EXIT
cd "$work"
export HOME=$work
unset LOCKSTEP_RPC LOCKSTEP_KEYSTORE LOCKSTEP_CONTRACTS LOCKSTEP_PASSWORD_FILE
checks=0

good() { # NAME COMMAND...
  local code=0
  "${@:2}" >out 2>err </dev/null || code=$?
  [ "$code" = 0 ] || { echo "$1: exit code $code"; cat out err; exit 1; }
  checks=$((checks + 1))
}

bad() { # CODE TEXT COMMAND...: as in cli_local.sh; what transactions cost at most is said beside it
  local code=0
  "${@:3}" >out 2>err </dev/null || code=$?
  sed -i '/: at most .* gas at up to /d' err
  if [ "$code" != "$1" ] || [ -s out ] || [ "$(wc -l <err)" != 1 ] || ! grep -q '^lockstep: ' err || ! grep -qF -- "$2" err; then
    echo "wanted exit code $1 and '$2' from: ${*:3}"
    echo "got exit code $code and:"
    cat out err
    exit 1
  fi
  checks=$((checks + 1))
}

same() { [ "$1" = "$2" ] || { echo "$3: '$1', not '$2'"; exit 1; }; checks=$((checks + 1)); }
member() { python3 -c 'import json, sys; r = json.load(open("out")); print(eval(sys.argv[1], {"r": r}))' "$1"; }

net_init "$work/net"
net_chain anvil
net_deploy
export ETH_RPC_URL=http://127.0.0.1:$http
oracle=$(python3 -c 'import json; print(json.load(open("net/contracts.json"))["oracle"])')
requester() { net_as requester "$@"; }
operator() { net_as operator "$@"; }
# Transactions are mined as they come, beside the block a second.
cast rpc evm_setAutomine true >/dev/null
net_hold_clock

# The operator's calls. Request is static: its 19 words are the first of the Requested event's data and of every call.
request_type="(address,uint64,bytes32,uint32,bytes32,uint32,uint32,uint64,uint32,bytes32,uint32,uint128,uint128,uint32,uint64,uint32,uint8,address,uint32)"
terms() {
  cast logs --json --address "$oracle" --from-block 0 | python3 -c '
import json, sys
print(next(e["data"][2:1218] for e in json.load(sys.stdin) if e["topics"][1] == sys.argv[1] and len(e["data"]) > 1400))' "$1"
}
# send_as NAME DATA: to the oracle.
send_as() { cast send --json --keystore net/keys/$1/UTC--* --password-file net/password "$oracle" "$2" >/dev/null; }
# packed IDS: token ids separated by spaces, packed, in hexadecimal.
packed() { python3 -c 'import struct, sys; print(b"".join(struct.pack("<I", int(word)) for word in sys.argv[1].split()).hex())' "$1"; }
# arguments WORD|bytes:HEX...: what follows the request's words in a call; words in hexadecimal.
arguments() {
  python3 - "$@" <<'PY'
import sys
head, tail = [], b""
words = 19 + len(sys.argv) - 1
for argument in sys.argv[1:]:
    if argument.startswith("bytes:"):
        data = bytes.fromhex(argument[6:])
        head.append((32 * words + len(tail)).to_bytes(32, "big"))
        tail += len(data).to_bytes(32, "big") + data + bytes(-len(data) % 32)
    else:
        head.append(bytes.fromhex(argument.removeprefix("0x")).rjust(32, b"\0"))
print((b"".join(head) + tail).hex())
PY
}
# accept REQUEST-ID [NAME]: greedy requests alone, whose seed nobody draws.
accept() {
  local name=${2:-operator}
  send_as "$name" "$(cast sig "accept($request_type,address,bytes)")$(terms "$1")$(arguments "$(cat "net/$name.address")" bytes:)"
}
claim() { # REQUEST-ID TOKENS ALLOWED: ids separated by spaces
  send_as operator "$(cast sig "claim($request_type,uint64,bytes,bytes)")$(terms "$1")$(arguments 00 "bytes:$(packed "$2")" "bytes:$(packed "$3")")"
}
salt=$(printf '%064x' 5)
commit() { # REQUEST-ID NAME SEAT TOKENS
  local name tokens
  name=${1:0:64}$(printf '%02x' $((8 + $3)))
  tokens=$(cast keccak "$(cast keccak "0x$(packed "$4")")")
  send_as "$2" "$(cast sig "commitClaim($request_type,uint8,uint64,bytes32)")$(terms "$1")$(arguments "0$3" 00 \
    "$(cast keccak "$(cast abi-encode 'f(bytes32,address,uint64,bytes32,bytes32)' "$name" "$(cat "net/$2.address")" 0 "$tokens" "0x$salt")")")"
}
reveal() { # REQUEST-ID NAME SEAT TOKENS
  send_as "$2" "$(cast sig "revealClaim($request_type,uint8,uint64,bytes,bytes,bytes32)")$(terms "$1")$(arguments "0$3" 00 "bytes:$(packed "$4")" bytes: "$salt")"
}

# A node, and not the right one.
good status requester status
grep -q 'challenge window   10 s to 600 s' out && grep -q '1000000 ether' out
for url in "ws://127.0.0.1:$ws" "http://127.0.0.1:$http/"; do good "status over $url" requester status --rpc "$url"; done
bad 4 "is the node running?" requester status --rpc http://127.0.0.1:1
bad 4 "is the node running?" requester status --rpc ./no.ipc
bad 2 "not the URL of a node" requester status --rpc ftp://127.0.0.1
sed 's/"chainId": *[0-9]*/"chainId":1/' net/contracts.json >mainnet.json
bad 4 "the contracts on 1;" requester status --contracts mainnet.json
python3 -c 'import json; d = json.load(open("net/contracts.json")); d["oracle"] = d["bonds"] = "0x" + "12" * 20; json.dump(d, open("nothing.json", "w"))'
bad 4 "there is no contract at" requester status --contracts nothing.json

# Nodes that talk nonsense: each answer in turn to every call.
python3 "$here/fake_node.py" port >fake.log 2>&1 &
fake=$!
until [ -s port ]; do
  kill -0 "$fake"
  sleep 0.05
done
for answer in empty html cut deep result-type id-wrong both huge-number status-500 control; do
  bad 4 "http://127.0.0.1:$(cat port): " requester status --rpc "http://127.0.0.1:$(cat port)/$answer"
done
# An access key stands in the path of a URL: no message has it.
for url in "http://127.0.0.1:$(cat port)/empty?SECRET-KEY" http://127.0.0.1:1/SECRET-KEY ws://127.0.0.1:1/?SECRET-KEY https://127.0.0.1:1/SECRET-KEY; do
  bad 4 "127.0.0.1:" requester status --rpc "$url"
  ! grep -q SECRET err || { echo "the key of $url is shown:"; cat err; exit 1; }
done
bad 4 "127.0.0.1:$http: the node is on chain 31982" requester status --contracts mainnet.json --rpc "http://127.0.0.1:$http/?SECRET-KEY"
! grep -q SECRET err
for url in http://127.0.0.1:99999/SECRET-KEY http://SECRET-KEY@127.0.0.1/ "http://127.0.0.1/#SECRET-KEY" SECRET-KEY; do
  bad 2 "--rpc: " requester status --rpc "$url"
  ! grep -q SECRET err
done

# Accounts.
"$build/lockstep" account new --light --keystore keys --password-file net/password >poor 2>/dev/null
bad 5 "$(cat poor) has 0 ether and needs 1" requester bond deposit --keystore keys 1ether
bad 5 "$(cat poor) has 0 ether and needs 0.0" requester model register --keystore keys "$model"
(umask 077 && echo wrong >wrong)
bad 6 "password" requester bond deposit --password-file wrong 1ether
bad 6 "no terminal to ask" setsid env LOCKSTEP_RPC="$ETH_RPC_URL" "$build/lockstep" bond deposit --contracts net/contracts.json --keystore net/keys/requester 1ether
"$build/lockstep" account new --light --keystore keys --password-file net/password >second 2>/dev/null
bad 6 "holds 2 accounts; choose one with --account" requester bond deposit --keystore keys 1ether
bad 5 "$(cat second) has 0 ether" requester bond deposit --keystore keys --account "$(cat second)" 1ether
bad 6 "its key is not that of" requester bond deposit --keystore "$(echo net/keys/requester/UTC--*)" --account "$(cat second)" 1ether

# The model.
bad 1 "is not registered in this deployment" requester ask -m "$model" hi
good register requester model register --json "$model"
id=$(member 'r["modelId"]')
same "$(member 'r["registeredBefore"], len(r["transactions"])')" "(False, 1)" "first registration"
good 'register again' requester model register "$model"
grep -q 'registered already' err
good 'register with a place' requester model register --json --uri https://models.example/file.gguf "$model"
same "$(member 'r["modelId"] == "'"$id"'", r["registeredBefore"], len(r["transactions"])')" "(True, True, 1)" "another place"
same "$(cast call "$(python3 -c 'import json; print(json.load(open("net/contracts.json"))["registry"])')" 'isRegistered(bytes32)(bool)' "$id")" true registered

# Bonds.
good deposit operator bond deposit 2ether
grep -q '^deposited 2 ether' out
bad 5 "only 2 ether of the bond are free" operator bond withdraw 3ether
bad 1 "nothing is queued" operator bond withdraw
good queue operator bond withdraw --json 0.5ether
same "$(member 'r["bondFree"], r["bondQueued"]')" "('1500000000000000000', '500000000000000000')" "queued bond"
bad 1 "not before" operator bond withdraw
bad 5 "are queued already" operator bond withdraw 0.5ether
net_later 2500
good withdraw operator bond withdraw
grep -q '^withdrawn 0.5 ether' out
good 'deposit for another' requester bond deposit --operator "$(cat net/operator.address)" 0.5ether
same "$(operator status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["accounts"][0]["bondFree"])')" 2000000000000000000 "bond by two"

# Fees: held under the ceilings, said before they are signed.
bad 2 "has no unit" operator bond deposit --max-fee 1 1ether
bad 5 "raise --max-fee" operator bond deposit --max-fee 1wei 1ether
good 'deposit at a ceiling' operator bond deposit --max-fee 20gwei --max-priority-fee 1wei 0.001ether
grep -qE '^lockstep: deposit: at most 0\.[0-9]+ ether: 0\.001 ether of value, and [0-9]+ gas at up to [0-9.]+ gwei$' err || { cat err; exit 1; }
# Another program's transaction waits: nothing is sent, or behind it.
cast rpc evm_setAutomine false >/dev/null
cast rpc evm_setIntervalMining 0 >/dev/null
cast send --async --keystore net/keys/operator/UTC--* --password-file net/password "$(cat net/operator.address)" >/dev/null
bad 5 "has 1 transaction waiting; another program uses it" operator bond deposit 0.001ether
operator bond deposit --after-pending 0.001ether >out 2>err &
sending=$!
net_says err 'this one goes after them' "$sending"
cast rpc evm_setAutomine true >/dev/null
cast rpc evm_setIntervalMining 1 >/dev/null
wait "$sending" || { cat out err; exit 1; }
grep -q '^deposited 0.001 ether' out

# Agents and sources.
agent=$(cat net/challenger.address)
bad 2 "is not a role" operator bond agent set "$agent" claims,everything
bad 2 "name it with --operator" operator bond agent show "$agent"
good 'agent' operator bond agent set "$agent" claims,disputes
grep -q '^roles  *claims,disputes' out
good 'agent shown' requester bond agent show "$agent" --operator "$(cat net/operator.address)" --json
same "$(member 'r["roles"], r["transactions"]')" "('claims,disputes', [])" "roles of the agent"
good 'agent revoked' operator bond agent set "$agent" none
grep -q '^roles  *none' out
good 'source' operator bond source allow "$oracle"
grep -q '^may lock  *yes' out
good 'no source' operator bond source forbid "$oracle"
grep -q '^may lock  *no' out

# What a deployment does not allow.
ask() { requester ask --model-id "$id" --prompt-ids 1,2,3 "$@"; }
bad 2 "this deployment allows 10s to 600s" ask --window 5s
bad 2 "this deployment demands at least 0.1 ether" ask --stake 1wei
bad 2 "is not a duration" ask --window 10
bad 5 "TokenOutsideVocabulary" requester ask --model-id "$id" --prompt-ids 49152
bad 5 "TooManyPositions" ask -n 9000
bad 5 "ether and needs" ask --fee 2000000ether
bad 1 "this deployment knows no such request" requester status "$id"

# A verdict, from the question to the money.
yes=$(printf Yes | "$build/lockstep" tokenize -m "$model") no=$(printf No | "$build/lockstep" tokenize -m "$model")
allowed=$([ "$yes" -lt "$no" ] && echo "$yes $no" || echo "$no $yes")
good 'ask --no-wait' requester ask -m "$model" --yes-no --no-wait --fee 0.25ether "Is the sky blue?"
request=$(cat out)
good 'status open' requester status "$request"
grep -q '^status  *open' out && grep -q 'greedy among allowed tokens' out
grep -q '^until .* to accept' out
bad 1 "the request is open until" requester finalize "$request"
accept "$request"
bad 1 "the request is accepted until" requester finalize "$request"
claim "$request" "$yes" "$allowed"
good 'status claimed' requester status -m "$model" "$request"
grep -q 'The claim, not final' out && same "$(tail -n 1 out)" Yes "text of the claim"
bad 1 "the request is claimed until" requester finalize "$request"
net_later 700
good finalize requester finalize "$request"
same "$(cat out)" final "state after finalize"
bad 1 "is final already" requester finalize "$request"
good 'status final' requester status --json -m "$model" "$request"
same "$(member 'r["status"], r["text"], r["tokens"], r["operator"]')" "('final', 'Yes', [$yes], '$(cat net/operator.address)')" "the answer"
same "$(member '[e["event"] for e in r["events"]]')" "['Requested', 'Accepted', 'Claimed', 'Finalized']" "events"
good 'credit withdraw' operator credit withdraw
grep -q '^withdrawn 0.25 ether' out
bad 1 "the account has no credit" operator credit withdraw

# ask that waits until the answer is final, watched.
ask -n 3 --window 10s --json --progress >asked 2>progress &
asking=$!
net_says progress 'requested by' "$asking"
request=$(cast logs --json --address "$oracle" --from-block 0 | python3 -c '
import json, sys
print([e["topics"][1] for e in json.load(sys.stdin) if len(e["data"]) > 1400][-1])')
accept "$request"
claim "$request" "5 6 7" ""
net_says progress 'claimed by' "$asking"
net_later 11
good 'finalize for another' operator finalize "$request"
wait "$asking" || { cat asked progress; exit 1; }
cp asked out
same "$(member 'r["status"], r["tokens"], r["requestId"]')" "('final', [5, 6, 7], '$request')" "ask --json"
same "$(member '0 < r["seconds"]["requested"] <= r["seconds"]["accepted"] <= r["seconds"]["claimed"] <= r["seconds"]["settled"]')" True "times of ask"
same "$(member 'all(e["gasUsed"] > 21000 for e in r["events"]) and r["transactions"][0]["gasUsed"] == r["events"][0]["gasUsed"]')" True "gas of ask"

# Ends without an answer. An accept deadline is at least a minute later than the deployment's least.
bad 1 "is not settled after 1 s (open)" ask --timeout 1s
good 'ask --no-wait' ask --no-wait --accept-within 10s --fee 0.125ether
request=$(cat out)
net_later 80
good 'expire' requester finalize "$request"
same "$(cat out)" refunded "state after expiry"
good 'status refunded' requester status "$request"
grep -q '^money back  *0.125 ether' out
bad 1 "the account has no credit" requester credit withdraw
bad 6 "choose that account" operator credit withdraw --request "$request"
good 'refund' requester credit withdraw --request "$request"
grep -q '^withdrawn 0.125 ether' out
bad 1 "the request has no credit" requester credit withdraw --request "$request"

# Missed: the request is open again in the same attempt, and the next miss costs twice as much.
good 'ask --no-wait' ask --no-wait --claim-within 10s
request=$(cat out)
accept "$request"
net_later 20
good 'missed' requester finalize --json "$request"
same "$(member 'r["status"], r["attempt"], r["misses"], r["transactions"][0]["what"]')" "('open', 1, 1, 'missed')" "state after a missed deadline"
good 'status reopened' requester status "$request"
grep -q '^status  *open again' out && grep -q '^misses  *1 round ended without a claim; the next costs its operator 4 %' out

# Cancelled: at once while it is open, with the fee; later it does not open again.
bad 6 "choose that account" operator cancel "$request"
good 'cancel' requester cancel "$request"
grep -q '^refunded' out && grep -q 'withdraw of the request: 0.001' out
bad 1 "is refunded already" requester cancel "$request"
good 'ask --no-wait' ask --no-wait --claim-within 10s
request=$(cat out)
accept "$request"
good 'cancel' requester cancel "$request"
grep -q '^cancelled' out
bad 1 "is cancelled already" requester cancel "$request"
good 'status cancelled' requester status "$request"
grep -q '^cancelled  *it does not open again' out
net_later 20
good 'missed' requester finalize --json "$request"
same "$(member 'r["status"], r["cancelled"]')" "('refunded', True)" "a cancelled request that was missed"

# Seats that are not filled in time are freed.
good 'ask --replicas' ask --no-wait --replicas 2 -n 1
request=$(cat out)
accept "$request"
good 'status filling' requester status "$request"
grep -q '^seats taken  *1 of 2' out && grep -q '^until .* for the other seats' out
net_later 70
good 'free seats' requester finalize --json "$request"
same "$(member 'r["status"], r["seatsTaken"], r["transactions"][0]["what"]')" "('open', 0, 'free seats')" "seats freed"

# Two operators that disagree to the end.
good 'deposit' net_as challenger bond deposit 2ether
accept "$request"
accept "$request" challenger
commit "$request" operator 0 5
commit "$request" challenger 1 6
reveal "$request" operator 0 5
reveal "$request" challenger 1 6
net_later 700
good 'undecided' requester finalize "$request"
same "$(cat out)" undecided "claims that disagree"
good 'status undecided' requester status "$request"
grep -q 'claims disagree after the last attempt; the fee, 0.001 ether, is burned' out
bad 1 "is undecided already" requester finalize "$request"

# ask that gets no answer withdraws the fee; one that is interrupted says how to go on.
ask --accept-within 10s --progress >asked 2>asked.err && { echo "ask succeeds without an answer"; exit 1; } || same $? 1 "exit code of a refunded request" &
asking=$!
net_says asked.err 'requested by' "$asking"
request=$(cast logs --json --address "$oracle" --from-block 0 | python3 -c '
import json, sys
print([e["topics"][1] for e in json.load(sys.stdin) if len(e["data"]) > 1400][-1])')
net_later 80
good 'expire for another' operator finalize "$request"
wait "$asking"
grep -q 'withdraw of the request: 0.001 ether' asked.err || { cat asked.err; exit 1; }
rm asked.err
set -m # a background job of its own gets SIGINT
LOCKSTEP_RPC=$ETH_RPC_URL LOCKSTEP_CONTRACTS=net/contracts.json LOCKSTEP_KEYSTORE=net/keys/requester LOCKSTEP_PASSWORD_FILE=net/password \
  "$build/lockstep" ask --model-id "$id" --prompt-ids 1,2,3 --progress >asked 2>asked.err &
asking=$!
set +m
net_says asked.err 'requested by' "$asking"
kill -INT "$asking"
code=0
wait "$asking" || code=$?
same "$code" 130 "exit code of an interrupted ask"
grep -q 'goes on: lockstep status shows it, lockstep cancel takes it back' asked.err || { cat asked.err; exit 1; }

echo "count cli_chain_checks $checks"
