#!/bin/sh
# Writes abi.txt and dispute.txt: selectors, topics and encodings of our contracts, and of the dispute game, as Foundry's forge and cast compute them from the
# Solidity sources, for tests/chain/test_contracts.c and test_dispute.c. Run it again when an interface changes. Needs contracts/node_modules.
#   selector NAME(TYPES) HEX | error NAME(TYPES) HEX | event NAME(TYPES) TOPIC | call NAME HEX | hash NAME HEX | log NAME TOPICS,DATA
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

R='(address,uint64,bytes32,uint32,bytes32,uint32,uint32,uint64,uint32,bytes32,uint32,uint128,uint128,uint32,uint32,uint32,uint8,address,uint32)'
prompt=$(bytes 300 7919) allowed=$(bytes 2 9) tokens=$(bytes 33 101)
oracle=0x5FbDB2315678afecb367f032d93F642f64180aa3
operator=0x70997970C51812dc3A010C7d01b50e0d17dc79C8
model=0x$(printf 'a5%.0s' $(seq 32)) salt=0x$(printf '5a%.0s' $(seq 32)) block=0x$(printf '3c%.0s' $(seq 32))
r="($operator,7,$model,300,$(piecewise "$prompt"),1065353216,1028443341,18446744073709551615,2,$(piecewise "$allowed"),64,100000000000000000,340282366920938463463374607431768211455,20,60,120,1,$oracle,200000)"
p="($model,$prompt,1065353216,1028443341,18446744073709551615,$allowed,64,100000000000000000,20,60,120,1,$oracle,200000)"
P='(bytes32,bytes,uint32,uint32,uint64,bytes,uint32,uint128,uint32,uint32,uint32,uint8,address,uint32)'
M='(uint32,bytes32,bytes32,bytes32,bytes32,uint32,uint32,uint32,uint32,uint32,uint32,uint32[])'
m="(1,$(word 11),$(word 12),$(word 13),$(word 14),483,272,482,49152,8192,8192,[0,2])"

call() { name=$1; shift; echo "call $name $(cast calldata "$@")" >>"$out"; }
call request "request($P)" "$p"
for f in expire accept; do call $f "$f($R)" "$r"; done
call claim "claim($R,uint64,bytes,bytes)" "$r" 18446744073709551614 "$tokens" "$allowed"
call commitClaim "commitClaim($R,uint64,bytes32)" "$r" 18446744073709551614 "$salt"
call revealClaim "revealClaim($R,uint64,bytes,bytes,bytes32)" "$r" 18446744073709551614 "$tokens" 0x "$salt"
call missed "missed($R,uint8)" "$r" 3
call finalize "finalize($R,bytes)" "$r" "$tokens"
for f in stateOf result; do call $f "$f(bytes32)" "$model"; done
for f in seatOf standing; do call $f "$f(bytes32,uint8,uint8)" "$model" 2 3; done
for f in nonces credit; do call $f "$f(address)" $operator; done
call parameters "parameters()"
call register "register($M,bytes32,string)" "$m" "$salt" "https://example.org/m.gguf"
call isRegistered "isRegistered(bytes32)" "$model"
for f in deposit account freeBond withdraw; do call $f "$f(address)" $operator; done
call queueWithdrawal "queueWithdrawal(uint256)" 1000000000000000000000

hash() { echo "hash $1 $2" >>"$out"; }
id=$(cast keccak "$(cast abi-encode "f(uint256,address,$R)" 31337 $oracle "$r")")
hash tokens "$(piecewise "$prompt")"
hash requestId "$id"
hash seedUsed "$(cast keccak "$(cast abi-encode 'f(uint64,bytes32)' 18446744073709551615 "$block")")"
hash modelId "$(cast keccak "$(cast abi-encode "f($M)" "$m")")"
domain=$(cast keccak "$(cast abi-encode 'f(bytes32,bytes32,bytes32,uint256,address)' \
  "$(cast keccak 'EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)')" \
  "$(cast keccak Lockstep)" "$(cast keccak 1)" 31337 $oracle)")
claim=$(cast keccak "$(cast abi-encode 'f(bytes32,bytes32,uint64,address,uint32,bytes32)' \
  "$(cast keccak 'Claim(bytes32 requestId,uint64 seed,address operator,uint32 tokenCount,bytes32 tokensHash)')" \
  "$id" 18446744073709551614 $operator 33 "$(piecewise "$tokens")")")
claim=$(cast keccak "0x1901${domain#0x}${claim#0x}")
hash claimHash "$claim"
hash claimId "$(cast keccak "$(cast abi-encode 'f(bytes32,uint8)' "$claim" 2)")"
hash commitment "$(cast keccak "$(cast abi-encode 'f(bytes32,bytes32)' "$claim" "$salt")")"

log() { # log NAME TOPICS,... DATA-TYPES VALUES...
  name=$1 topics=$2; shift 2
  echo "log $name $topics,$(cast abi-encode "$@")" >>"$out"
}
topic() { grep "^event $1(" "$out" | cut -d' ' -f3; }
account=0x000000000000000000000000$(printf %s "${operator#0x}" | tr A-F a-f)
log Requested "$(topic Requested),$id,$model,$account" "f($R,bytes,bytes)" "$r" "$prompt" "$allowed"
log Accepted "$(topic Accepted),$id,$account" 'f(uint8,uint8,uint64,uint64)' 2 3 18446744073709551614 1700000000
log Claimed "$(topic Claimed),$id,$model,$account" 'f(bytes32,uint64,bytes)' "$claim" 1700000020 "$tokens"
log Finalized "$(topic Finalized),$id,$model" 'f(uint32,bytes32)' 33 "$salt"
log ModelRegistered "$(topic ModelRegistered),$model,$account" "f($M,bytes32,string)" "$m" "$salt" "https://example.org/m.gguf"
log Missed "$(topic Missed),$id,$account" 'f(uint256)' 1000

# ---- the dispute game ----

out=$here/dispute.txt
: >"$out"
table selector methodIdentifiers IDisputeGame
table event events IDisputeGame

O='(bytes,bytes32[])'
W="(uint8,uint32,uint32,uint32,uint32,$O[])"
opening="($prompt,[$salt,$block])"
w="(2,200,138,530,7,[$opening,(0x,[]),(0x0102030405,[$model])])"
dispute=$(cast keccak "$(cast abi-encode 'f(bytes32,address,bytes32)' "$claim" $operator "$salt")")
signature=0x$(printf 'c3%.0s' $(seq 65))
big=340282366920938463463374607431768211455
call challenge "challenge($R,uint8,uint8,$M,bytes32)" "$r" 2 3 "$m" "$salt"
call pick "pick(bytes32,uint16,uint8,uint32,bytes32,bytes32[])" "$dispute" 65535 4 12 "$block" "[$salt,$model,$block]"
call step "step(bytes32,$R,$M,$W)" "$dispute" "$r" "$m" "$w"
call demandPartials "demandPartials(bytes32,uint32)" "$dispute" 530
call stepPartial "stepPartial(bytes32,$R,$M,$W,bytes)" "$dispute" "$r" "$m" "$w" "$tokens"
call commitProof "commitProof(bytes32)" "$salt"
call prove "prove($R,uint8,uint8,bytes32,bytes,$M,$W,bytes32)" "$r" 2 3 "$block" "$signature" "$m" "$w" "$salt"
call proveEquivocation "proveEquivocation($R,uint8,uint8,bytes32,bytes,bytes32,bytes,bytes32)" "$r" 2 3 "$block" 0x "$model" "$signature" "$salt"
call openTrace "openTrace(bytes32,bytes32,bytes32[])" "$dispute" "$block" "[$salt,$model]"
call openPartials "openPartials(bytes32,bytes)" "$dispute" "$tokens"
call reveal "reveal(bytes32,bytes32[])" "$dispute" "[$salt]"
call revealLeaf "revealLeaf(bytes32,bytes)" "$dispute" "$prompt"
call timeout "timeout(bytes32,$R)" "$dispute" "$r"
call recordShape "recordShape($M,uint16,$O)" "$m" 482 "$opening"
call voidClaim "voidClaim($R,uint8,uint8,$M,uint32,$O[])" "$r" 2 3 "$m" 7 "[$opening,(0x,[])]"
call reclaim "reclaim(bytes32)" "$dispute"
call multicall "multicall(bytes[])" "[0x1234,$tokens]"
for f in disputeOf claimOf; do call $f "$f(bytes32)" "$dispute"; done
call filledAt "filledAt(bytes32,uint16,uint8,uint32)" "$dispute" 65535 9 4294967295
call partialsFilledAt "partialsFilledAt(bytes32,uint16,uint32,uint32)" "$dispute" 17 34 530
call bondFor "bondFor(uint128)" $big
call prepayment "prepayment(uint256)" 230000
call shapeRecorded "shapeRecorded(bytes32,uint16)" "$model" 482
for f in oracle verifier; do call $f "$f()"; done

hash disputeId "$dispute"
hash witness "$(cast keccak "$(cast abi-encode "f($W)" "$w")")"
hash equivocation "$(cast keccak "$(cast abi-encode 'f(bytes32,bytes32)' "$block" "$model")")"
hash proof "$(cast keccak "$(cast abi-encode 'f(address,bytes32,bytes32)' $operator "$salt" "$(cast keccak "$(cast abi-encode "f($W)" "$w")")")")"
root=$(cast keccak "$(cast abi-encode 'f(bytes32,bytes32,bytes32)' "$(cast keccak 'TraceRoot(bytes32 claimId,bytes32 root)')" "$claim" "$block")")
hash traceRoot "$(cast keccak "0x1901${domain#0x}${root#0x}")"

log Challenged "$(topic Challenged),$claim,$dispute,$account" 'f(bytes32,uint8,uint8,uint256,uint256)' "$id" 2 3 50000000000000000 $big
log TraceOpened "$(topic TraceOpened),$claim" 'f(bytes32,bytes32[])' "$block" "[$salt,$model,$block]"
log Picked "$(topic Picked),$claim,$dispute" 'f(uint16,uint8,uint32,bytes32,uint256)' 65535 4 12 "$salt" 7000
log Revealed "$(topic Revealed),$claim" 'f(uint16,uint8,uint32,bytes32[])' 200 3 4294967295 "[$block,$salt]"
log LeafRevealed "$(topic LeafRevealed),$claim" 'f(uint16,uint32,bytes)' 200 138 "$prompt"
log PartialsDemanded "$(topic PartialsDemanded),$claim,$dispute" 'f(uint16,uint32,uint32,uint256)' 17 34 530 9
log PartialsOpened "$(topic PartialsOpened),$claim" 'f(uint16,uint32,uint32,bytes)' 17 34 530 "$tokens"
log ClaimConvicted "$(topic ClaimConvicted),$claim,$dispute,$account" 'f()'
log ClaimVoided "$(topic ClaimVoided),$claim" 'f()'
log DisputeLost "$(topic DisputeLost),$claim,$dispute" 'f(uint256,uint256)' 35 15
log DisputeReclaimed "$(topic DisputeReclaimed),$claim,$dispute" 'f()'
log ProofCommitted "$(topic ProofCommitted),$salt" 'f()'
log ShapeRecorded "$(topic ShapeRecorded),$model" 'f(uint16)' 482
log Credited "$(topic Credited),$account" 'f(uint256)' $big
log Withdrawn "$(topic Withdrawn),$account,0x0000000000000000000000005fbdb2315678afecb367f032d93f642f64180aa3" 'f(uint256)' 11

back() { name=$1; shift; echo "return $name $(cast abi-encode "$@")" >>"$out"; }
back disputeOf 'f((uint8,bytes32,address,uint16,uint8,uint32,bytes32,uint32,uint256,uint256,uint64,uint64,uint32,uint32))' \
  "(6,$claim,$operator,200,0,138,$block,530,$big,77,1700000000,1700000030,29,28)"
back claimOf 'f((bytes32,bytes32,bytes32,address,uint8,uint8,uint8,uint24,uint24,uint16))' "($id,$model,$block,$operator,2,3,1,300,33,483)"
back parameters 'f((uint32,uint32,uint128))' "(30,6,$big)"
