#!/bin/sh
# Writes abi.txt: selectors, topics and encodings of our contracts as Foundry's forge and cast compute them from the Solidity sources, for
# tests/chain/test_contracts.c. Run it again when an interface changes. Needs contracts/node_modules.
#   selector NAME(TYPES) HEX | error NAME(TYPES) HEX | event NAME(TYPES) TOPIC | call NAME HEX | hash NAME HEX | log NAME TOPICS,DATA
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../../..
modules=$root/contracts/node_modules/@foundry-rs
PATH=$modules/cast-linux-amd64/bin:$modules/forge-linux-amd64/bin:$PATH
out=$here/abi.txt
cd "$root/contracts"
: >"$out"

table() { # table KIND FIELD PREFIX
  for i in IInferenceOracle IModelRegistry IOperatorBonds; do
    forge inspect --json "src/interfaces/$i.sol:$i" "$2" |
      python3 -c 'import json, sys
for name, value in sorted(json.load(sys.stdin).items()): print(sys.argv[1], name, sys.argv[2] + value.removeprefix("0x"))' "$1" 0x
  done | sort -u >>"$out"
}
table selector methodIdentifiers
table error errors
table event events

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
call seatOf "seatOf(bytes32,uint8,uint8)" "$model" 2 3
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
