#!/bin/sh
# Writes abi.txt and dispute.txt: selectors, topics and encodings of our contracts, and of the
# dispute game, as Foundry's forge and cast compute them from the Solidity sources, for
# tests/chain/test_contracts*.c and test_dispute.c. tests/spec/check_contracts.py and
# contracts/test/Vectors.t.sol check the hashes too. Run it again when an interface changes. Needs
# contracts/node_modules.
#   selector NAME(TYPES) HEX | error NAME(TYPES) HEX | event NAME(TYPES) TOPIC
#   call NAME HEX | return NAME HEX | hash NAME HEX | log NAME TOPICS,DATA
# headers.txt is not made here: its blocks are what geth 1.17.5 answered to eth_getBlockByNumber on
# chains of devnet/chain/genesis.json, of Osaka and of Amsterdam ("amsterdamTime": 0), and mainnet's
# genesis block.
#   block NAME JSON | rlp NAME HEX
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../../..
modules=$root/contracts/node_modules/@foundry-rs
PATH=$modules/cast-linux-amd64/bin:$modules/forge-linux-amd64/bin:$PATH
out=$here/abi.txt
cd "$root/contracts"
: >"$out"

table() { # table KIND FIELD INTERFACES...
  kind=$1 field=$2; shift 2
  for i in "$@"; do
    forge inspect --json "src/interfaces/$i.sol:$i" "$field" |
      python3 -c 'import json, sys
for name, value in sorted(json.load(sys.stdin).items()): print(sys.argv[1], name, sys.argv[2] + value.removeprefix("0x"))' "$kind" 0x
  done | sort -u >>"$out"
}
table selector methodIdentifiers IInferenceOracle IModelRegistry IOperatorBonds
table error errors IInferenceOracle IModelRegistry IOperatorBonds IDisputeGame IStepVerifier
table event events IInferenceOracle IModelRegistry IOperatorBonds

word() { printf '0x%064x' "$1"; }
bytes() { python3 -c 'import sys; n, m = int(sys.argv[1]), int(sys.argv[2]); print("0x" + "".join((i * m % 49152).to_bytes(4, "little").hex() for i in range(n)))' "$1" "$2"; }
piecewise() { # token hash of a packed list
  [ "$1" = 0x ] && { word 0; return; }
  pieces=0x
  rest=${1#0x}
  while [ -n "$rest" ]; do
    pieces=$pieces$(cast keccak "0x$(printf %.2048s "$rest")" | cut -c3-)
    rest=$(printf %s "$rest" | cut -c2049-)
  done
  cast keccak "$pieces"
}

max64=18446744073709551615 seed=18446744073709551614 big=340282366920938463463374607431768211455
R='(address,uint64,bytes32,uint32,bytes32,uint32,uint32,uint64,uint32,bytes32,uint32,uint128'
R=$R',uint128,uint32,uint64,uint32,uint8,address,uint32)'
P='(bytes32,bytes,uint32,uint32,uint64,bytes,uint32,uint128,uint32,uint64,uint32,uint8,address'
P=$P',uint32)'
M='(uint32,bytes32,bytes32,bytes32,bytes32,uint32,uint32,uint32,uint32,uint32,uint32,uint32[])'
F='(uint32,bytes32,uint32,bytes32,uint32,uint32,uint64,uint32,bytes32)'
C='(address,bytes32,address,uint128,bytes32,bytes32)'
prompt=$(bytes 300 7919) allowed=$(bytes 2 9) tokens=$(bytes 33 101)
promptHash=$(piecewise "$prompt") allowedHash=$(piecewise "$allowed")
tokensHash=$(piecewise "$tokens")
oracle=0x5FbDB2315678afecb367f032d93F642f64180aa3
operator=0x70997970C51812dc3A010C7d01b50e0d17dc79C8
model=0x$(printf 'a5%.0s' $(seq 32))
salt=0x$(printf '5a%.0s' $(seq 32)) block=0x$(printf '3c%.0s' $(seq 32))
policy=1065353216,1028443341 stake=100000000000000000 deadline=5000000000
r="($operator,7,$model,300,$promptHash,$policy,$max64,2,$allowedHash,64,$stake,$big,20,$deadline"
r=$r,120,1,$oracle,200000\)
p="($model,$prompt,$policy,$max64,$allowed,64,$stake,20,$deadline,120,1,$oracle,200000)"
m="(1,$(word 11),$(word 12),$(word 13),$(word 14),483,272,482,49152,8192,8192,[0,2])"
f="(300,$promptHash,33,$tokensHash,$policy,$seed,2,$allowedHash)"

# Attempt 2, seat 3.
id=$(cast keccak "$(cast abi-encode "f(uint256,address,$R)" 31337 $oracle "$r")" | sed 's/..$/00/')
name=$(printf %s "$id" | sed 's/..$/13/')
factsHash=$(cast keccak "$(cast abi-encode "f($F)" "$f")")
c="($oracle,$name,$operator,$stake,$model,$factsHash)"
claim=$(cast keccak "$(cast abi-encode "f($C)" "$c")")

call() { what=$1; shift; echo "call $what $(cast calldata "$@")" >>"$out"; }
call request "request($P)" "$p"
for n in cancel freeSeats expire; do call $n "$n($R)" "$r"; done
call withdrawOf "withdrawOf($R,address)" "$r" $operator
call accept "accept($R,address,bytes)" "$r" $operator "$tokens"
call claim "claim($R,uint64,bytes,bytes)" "$r" $seed "$tokens" "$allowed"
call commitClaim "commitClaim($R,uint8,uint64,bytes32)" "$r" 3 $seed "$salt"
call revealClaim "revealClaim($R,uint8,uint64,bytes,bytes,bytes32)" \
  "$r" 3 $seed "$tokens" 0x "$salt"
call missed "missed($R,uint8)" "$r" 3
call finalize "finalize($R,bytes)" "$r" "$tokens"
for n in stateOf result creditOf standing; do call $n "$n(bytes32)" "$model"; done
call seatOf "seatOf(bytes32,uint8,uint8)" "$model" 2 3
call claimOf "claimOf(bytes32,bytes)" "$name" "$(cast abi-encode "f($R)" "$r")"
for n in nonces credit; do call $n "$n(address)" $operator; done
for n in bonds disputeGame withdrawalDelay; do call $n "$n()"; done
call parameters "parameters()"
call register "register($M,bytes32,string)" "$m" "$salt" "https://example.org/m.gguf"
call isRegistered "isRegistered(bytes32)" "$model"
for n in deposit account freeBond withdraw; do call $n "$n(address)" $operator; done
call queueWithdrawal "queueWithdrawal(uint256)" 1000000000000000000000
call setAgent "setAgent(address,uint8)" $operator 5
call allowSource "allowSource(address,bool)" $oracle true
for n in lockedBy agentRoles isAllowedSource; do
  call $n "$n(address,address)" $operator $oracle
done

hash() { echo "hash $1 $2" >>"$out"; }
hash tokens "$promptHash"
hash requestId "$id"
hash seedUsed "$(cast keccak "$(cast abi-encode 'f(uint64,bytes32)' $max64 "$block")")"
hash modelId "$(cast keccak "$(cast abi-encode "f($M)" "$m")")"
hash name "$name"
hash facts "$factsHash"
hash claimId "$claim"
hash commitment "$(cast keccak "$(cast abi-encode 'f(bytes32,address,uint64,bytes32,bytes32)' \
  "$name" $operator $seed "$tokensHash" "$salt")")"

back() { what=$1; shift; echo "return $what $(cast abi-encode "$@")" >>"$out"; }
back stateOf 'f((uint8,uint8,uint8,bool,uint8,uint8,uint64,uint64,bool,uint64))' \
  "(7,6,3,true,5,4,$deadline,1099511627776,true,$seed)"
back seatOf 'f((address,uint8,uint16,uint24,bool,bytes32))' \
  "($operator,5,29000,16777215,true,$salt)"
back result 'f(uint8,uint32,bytes32,uint32)' 5 33 "$salt" 7
back claimOf "f($C,$F)" "$c" "$f"
back parameters 'f((uint128,uint32,uint32,uint32,uint32,uint32,uint32,uint32,uint32,uint32))' \
  "($big,1,2,3,4,5,6,7,8,4294967295)"
back account 'f((uint128,uint128,uint128,uint64))' "($big,2,3,$deadline)"

log() { # log NAME ,TOPIC... DATA-TYPES VALUES...
  what=$1 topics=$(topic "$1")$2; shift 2
  echo "log $what $topics,$(cast abi-encode "$@")" >>"$out"
}
topic() { grep "^event $1(" "$out" | cut -d' ' -f3; }
account=0x000000000000000000000000$(printf %s "${operator#0x}" | tr A-F a-f)
other=0x0000000000000000000000005fbdb2315678afecb367f032d93f642f64180aa3
log Requested ",$id,$model,$account" "f($R,bytes,bytes)" "$r" "$prompt" "$allowed"
log Accepted ",$id,$account" 'f(uint8,uint8,uint64,bool,uint64)' 2 3 $seed true $deadline
log SeatsFreed ",$id" 'f()'
log Committed ",$id,$account" 'f(uint8,bytes32)' 3 "$salt"
log RevealOpened ",$id" 'f(uint64)' $deadline
log Claimed ",$id,$name,$account" 'f(uint64,uint64,bytes)' $seed $deadline "$tokens"
log Missed ",$id,$account" 'f(uint8,uint256,uint256)' 3 1000 250
log Reopened ",$id" 'f(uint8)' 2
log Cancelled ",$id" 'f()'
log Finalized ",$id,$name" 'f(uint32)' 33
log CallbackResult ",$id" 'f(bool)' true
log Refunded ",$id" 'f(uint256)' $big
log Undecided ",$id" 'f(uint256)' 77
for n in Disputed Settled Voided; do log $n ",$id,$name" 'f()'; done
log Convicted ",$id,$name,$account" 'f(address,uint256,uint256,uint256)' $oracle 40 10 50
log Credited ",$account,$name" 'f(uint256)' 12
log Withdrawn ",$account,$other" 'f(uint256)' 11
log WithdrawnOf ",$id,$other" 'f(uint256)' 13
log ModelRegistered ",$model,$account" "f($M,bytes32,string)" \
  "$m" "$salt" "https://example.org/m.gguf"
log Deposited ",$account,$other" 'f(uint256)' 14
log WithdrawalQueued ",$account" 'f(uint256,uint64)' 15 $deadline
log Locked ",$account,$name,$other" 'f(uint256)' 16
log Released ",$account,$name,$other" 'f(uint256,uint256,uint256)' 17 3 2
log AgentSet ",$account,$other" 'f(uint8)' 5
log SourceAllowed ",$account,$other" 'f(bool)' true

# ---- the dispute game ----

out=$here/dispute.txt
: >"$out"
table selector methodIdentifiers IDisputeGame
table event events IDisputeGame

O='(bytes,bytes32[])'
W="(uint8,uint32,uint32,uint32,uint32,$O[])"
D="($C,address,uint88,bytes32)"
opening="($prompt,[$salt,$block])"
w="(2,200,138,530,7,[$opening,(0x,[]),(0x0102030405,[$model])])"
bond=309485009821345068724781055
d="($c,$operator,$bond,$salt)"
dispute=$(cast keccak "$(cast abi-encode 'f(bytes32,address,uint88,bytes32)' \
  "$claim" $operator $bond "$salt")")
signature=0x$(printf 'c3%.0s' $(seq 65))
of='address,bytes32,bytes'
request=$(cast abi-encode "f($R)" "$r")
call challenge "challenge($of,$M,uint88,bytes32)" $oracle "$name" "$request" "$m" $bond "$salt"
call pick "pick($D,uint16,uint8,uint32,bytes32,bytes32[])" \
  "$d" 65535 4 12 "$block" "[$salt,$model,$block]"
call step "step($D,$F,$M,$W,bytes32)" "$d" "$f" "$m" "$w" "$block"
call demandPartials "demandPartials($D,uint32)" "$d" 530
call stepPartial "stepPartial($D,$F,$M,$W,bytes,bytes32)" "$d" "$f" "$m" "$w" "$tokens" "$block"
call commitProof "commitProof(bytes32)" "$salt"
call prove "prove($of,bytes32,bytes,$M,$W,bytes32)" \
  $oracle "$name" "$request" "$block" "$signature" "$m" "$w" "$salt"
call proveEquivocation "proveEquivocation($of,bytes32,bytes,bytes32,bytes,bytes32)" \
  $oracle "$name" "$request" "$block" 0x "$model" "$signature" "$salt"
call openTrace "openTrace($D,bytes32,bytes32[])" "$d" "$block" "[$salt,$model]"
call openPartials "openPartials($D,bytes)" "$d" "$tokens"
call reveal "reveal($D,bytes32[])" "$d" "[$salt]"
call revealLeaf "revealLeaf($D,bytes)" "$d" "$prompt"
for n in timeout reclaim; do call $n "$n($D)" "$d"; done
call recordShape "recordShape($M,uint16,$O)" "$m" 482 "$opening"
call voidClaim "voidClaim($of,$M,uint32,$O[])" \
  $oracle "$name" "$request" "$m" 7 "[$opening,(0x,[])]"
call multicall "multicall(bytes[])" "[0x1234,$tokens]"
call tryMulticall "tryMulticall(bytes[])" "[0x1234,$tokens]"
for n in disputeOf claimOf; do call $n "$n(bytes32)" "$dispute"; done
call bondFor "bondFor(uint128)" $big
call questionGas "questionGas(uint8,uint32)" 6 32767
call shapeRecorded "shapeRecorded(bytes32,uint16)" "$model" 482
for n in oracle verifier bonds; do call $n "$n()"; done

hash claimId "$claim"
hash disputeId "$dispute"
hash witness "$(cast keccak "$(cast abi-encode "f($W)" "$w")")"
hash equivocation "$(cast keccak "$(cast abi-encode 'f(bytes32,bytes32)' "$block" "$model")")"
hash proof "$(cast keccak "$(cast abi-encode 'f(address,bytes32,bytes32)' $operator "$salt" \
  "$(cast keccak "$(cast abi-encode "f($W)" "$w")")")")"
members='string name,string version,uint256 chainId,address verifyingContract'
domain=$(cast keccak "$(cast abi-encode 'f(bytes32,bytes32,bytes32,uint256,address)' \
  "$(cast keccak "EIP712Domain($members)")" \
  "$(cast keccak Lockstep)" "$(cast keccak 1)" 31337 $oracle)")
root=$(cast keccak "$(cast abi-encode 'f(bytes32,bytes32,bytes32)' \
  "$(cast keccak 'TraceRoot(bytes32 claimId,bytes32 root)')" "$claim" "$block")")
hash traceRoot "$(cast keccak "0x1901${domain#0x}${root#0x}")"

both=,$claim,$dispute
log Challenged "$both,$account" "f($D,$F,uint8,uint256,uint64)" "$d" "$f" 1 $big $deadline
log TraceOpened "$both" 'f(bytes32,bytes32[],uint256,uint64)' \
  "$block" "[$salt,$model,$block]" 71 $deadline
log Picked "$both" 'f(uint16,uint8,uint32,bytes32,uint256,uint64)' 65535 4 12 "$salt" 72 $deadline
log Revealed "$both" 'f(uint16,uint8,uint32,bytes32[],uint256,uint64)' \
  200 3 4294967295 "[$block,$salt]" 73 $deadline
log LeafRevealed "$both" 'f(uint16,uint32,bytes,uint256,uint64)' 200 138 "$prompt" 74 $deadline
log PartialsDemanded "$both" 'f(uint16,uint32,uint32,uint256,uint64)' 17 34 530 75 $deadline
log PartialsOpened "$both" 'f(uint16,uint32,uint32,bytes,uint256,uint64)' \
  17 34 530 "$tokens" 76 $deadline
log ClaimConvicted "$both,$account" 'f(uint8,uint32,uint32,uint32)' 4 4294967295 138 530
log ClaimVoided ",$claim" 'f(uint32)' 70000
log DisputeLost "$both" 'f(uint256,uint256)' 35 15
log DisputeReclaimed "$both" 'f(uint256)' 36
log ProofCommitted ",$salt" 'f()'
log ShapeRecorded ",$model" 'f(uint16)' 482
log Credited ",$account,$claim" 'f(uint256)' $big
log Withdrawn ",$account,$other" 'f(uint256)' 11

turn=uint8,uint16,uint8,uint32,bytes32,uint32,uint256,uint64,uint64,uint32,uint32,bool
back disputeOf "f(($turn))" \
  "(6,200,0,138,$block,530,77,1700000000,$deadline,29,28,true)"
back claimOf 'f((uint8,uint32,uint16,uint16,uint16,uint40,uint40,bytes32))' \
  "(1,2,300,33,483,1099511627775,1099511627774,$block)"
back parameters 'f((uint32,uint32,uint128))' "(30,6,$big)"
