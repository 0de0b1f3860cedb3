#!/usr/bin/env bash
# The command line without a chain: answers, tokens, accounts, and one clear line with the right exit code for everything that is wrong.
# BUILD names the build folder (default build).
set -euo pipefail
cd "$(dirname "$0")/../.."
lockstep=$PWD/${BUILD:-build}/lockstep
model=$PWD/models/SmolLM2-135M-Instruct.Q4_1.gguf
[ -e "$model" ] || { echo "no $model: run devnet/setup.sh model"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export HOME=$work
unset LOCKSTEP_RPC LOCKSTEP_KEYSTORE LOCKSTEP_CONTRACTS LOCKSTEP_PASSWORD_FILE
checks=0

# good NAME COMMAND...: exit code 0; its output is left in out and err.
good() {
  local code=0
  "${@:2}" >out 2>err </dev/null || code=$?
  [ "$code" = 0 ] || { echo "$1: exit code $code"; cat out err; exit 1; }
  checks=$((checks + 1))
}

# bad CODE TEXT COMMAND...: that exit code, nothing on standard output, and one line on standard error that has TEXT in it.
# Standard input is the file in, when there is one.
bad() {
  local code=0
  "${@:3}" >out 2>err <"$([ -e in ] && echo in || echo /dev/null)" || code=$?
  if [ "$code" != "$1" ] || [ -s out ] || [ "$(wc -l <err)" != 1 ] || ! grep -q '^lockstep: ' err || ! grep -qF -- "$2" err; then
    echo "wanted exit code $1 and '$2' from: ${*:3}"
    echo "got exit code $code and:"
    cat out err
    exit 1
  fi
  rm -f in
  checks=$((checks + 1))
}

same() { [ "$1" = "$2" ] || { echo "$3: '$1', not '$2'"; exit 1; }; checks=$((checks + 1)); }

# Usage.
good help "$lockstep" --help
grep -q 'Exit codes' out
same "$("$lockstep" --version)" "lockstep 0.1.0" version
for command in run tokenize detokenize 'model info' 'model import' 'model register' ask status finalize 'bond deposit' 'bond withdraw' \
  'bond agent' 'bond source' 'cancel' 'credit withdraw' 'account new' 'account list'; do
  # shellcheck disable=SC2086
  good "$command --help" "$lockstep" $command --help
  grep -q "^Usage: lockstep $command " out || { echo "$command --help lacks its usage"; exit 1; }
done
bad 2 "is not a command" "$lockstep" answer
bad 2 "is not a command" "$lockstep" model forget
bad 2 "an argument is missing" "$lockstep" run -m "$model"
bad 2 "is not one of its options" "$lockstep" run --fast -m "$model" hi
bad 2 "one argument too many" "$lockstep" run -m "$model" two words
bad 2 "no model" "$lockstep" run hi
bad 2 "exclude each other" "$lockstep" run -m "$model" --greedy --temperature 1 hi
bad 2 "the temperature must be" "$lockstep" run -m "$model" --temperature 0.0009 hi
bad 2 "the temperature must be" "$lockstep" run -m "$model" --temperature -0 hi
bad 2 "is not a decimal number" "$lockstep" run -m "$model" --temperature nan hi
bad 2 "min-p must" "$lockstep" run -m "$model" --temperature 1 --min-p 1.5 hi
bad 2 "--min-p does nothing" "$lockstep" run -m "$model" --min-p 0.5 hi
bad 2 "leaves nothing to answer" "$lockstep" run -m "$model" -n 0 hi
bad 2 "is 2 tokens of this model" "$lockstep" run -m "$model" --allow "Yes,yes please" hi
bad 2 "is 0 tokens of this model" "$lockstep" run -m "$model" --allow "Yes,,No" hi
bad 2 "is twice in the list" "$lockstep" run -m "$model" --allow "Yes,Yes" hi
bad 2 "outside the vocabulary" "$lockstep" run -m "$model" --allow-ids 49152 hi
bad 2 "is not a whole number" "$lockstep" run -m "$model" --allow-ids "1,two" hi

# An answer: text on standard output, speed on standard error.
good run "$lockstep" run -m "$model" -n 12 --greedy "What is the capital of France? Answer in one sentence."
grep -q Paris out || { echo "no sensible answer:"; cat out; exit 1; }
grep -q 'tokens/s' err
text=$(cat out)
good 'run --json' "$lockstep" run -m "$model" -n 12 --json "What is the capital of France? Answer in one sentence."
[ ! -s err ] || { echo "run --json writes to standard error:"; cat err; exit 1; }
ids=$(python3 -c 'import json; r = json.load(open("out")); assert r["finish"] == "stop" and r["text"] and r["promptTokens"]; print(*r["tokens"])')
same "$(python3 -c 'import json; print(json.load(open("out"))["text"])')" "$text" "text of --json"
same "$(echo "$ids" | "$lockstep" detokenize -m "$model")" "$text" "detokenize of the answer"
same "$(echo "What is the capital of France? Answer in one sentence." | "$lockstep" run -q -m "$model" -n 12 -)" "$text" "prompt from standard input"

# The template written by hand is the same prompt; a seed decides a sampled answer; --allow decides between its tokens.
template=$'<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n'
prompt_of() { "$lockstep" run -m "$model" -n 1 --json "$@" | python3 -c 'import json, sys; print(json.load(sys.stdin)["promptTokens"])'; }
same "$(prompt_of --raw "$template")" "$(prompt_of Hi)" "--raw with the template"
sampled() { "$lockstep" run -q -m "$model" -n 6 -t 1.5 --seed "$1" "Name a colour."; }
first=$(sampled 1)
same "$(sampled 1)" "$first" "the same seed"
[ "$(sampled 2)" != "$first" ] || [ "$(sampled 3)" != "$first" ] || { echo "three seeds give one answer"; exit 1; }
case $("$lockstep" run -q -m "$model" --allow "Yes,No" "Is the sky blue? Answer Yes or No.") in Yes | No) ;; *) echo "--allow gave another token"; exit 1 ;; esac

# Tokens, both ways and byte for byte.
printf 'H\303\251llo  w\303\266rld\n\t<|im_end|> \360\237\230\200\n' >text
same "$("$lockstep" tokenize -m "$model" <text | "$lockstep" detokenize -m "$model" | od -c)" "$(od -c <text)" "tokenize and back"
same "$(printf '<|im_end|>' | "$lockstep" tokenize --special -m "$model")" 2 "tokenize --special"
same "$(printf '2' | "$lockstep" detokenize --special -m "$model")" '<|im_end|>' "detokenize --special"
same "$(printf '' | "$lockstep" tokenize -m "$model")" "" "tokenize of nothing"
same "$(printf 'Hello' | "$lockstep" tokenize --json -m "$model")" '{"tokens":[19556]}' "tokenize --json"
echo "1 2 x" >in && bad 3 "'x' is not a token id" "$lockstep" detokenize -m "$model"
echo "1 49152" >in && bad 3 "outside the vocabulary" "$lockstep" detokenize -m "$model"

# The model's identity.
good 'model info' "$lockstep" model info -v "$model"
grep -q 'tensors, in the program' out && grep -q 'blk.29.ffn_down.weight' out
id=$(sed -n 's/^model id *//p' out)
good 'model info --json' "$lockstep" model info --json "$model"
same "$(python3 -c 'import json; r = json.load(open("out")); assert len(r["commitment"]) == 12; print(r["modelId"], r["fileSha256"])')" \
  "$id 0xb179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53" "model info --json"

# Prompts over the context; no room; an output that cannot be written.
yes word | head -c 60000 >in && bad 3 "shorten the prompt" "$lockstep" run -m "$model" -
bad 3 "shorten the prompt or lower -n" "$lockstep" run -m "$model" -n 8192 hi
bad 2 "the prompt is empty" "$lockstep" run -m "$model" ""
bad 7 "standard output: cannot be written" sh -c '"$0" run -m "$1" -n 2 hi >/dev/full' "$lockstep" "$model"

# Files that are not what they should be.
python3 - "$model" <<'PY'
import struct, sys
model = open(sys.argv[1], "rb")
head = bytearray(model.read(4 << 20))
size = model.seek(0, 2)

def write(name, changes=(), length=size):
    data = bytearray(head)
    for at, new in changes:
        data[at:at + len(new)] = new
    with open(name, "wb") as f:  # sparse behind the head
        f.write(data[:min(length, len(data))])
        f.truncate(length)

def tensor(name):  # places of a tensor's first dimension, type and offset
    at = head.index(struct.pack("<Q", len(name)) + name) + 8 + len(name)
    dims, = struct.unpack_from("<I", head, at)
    return at + 4, at + 4 + 8 * dims, at + 8 + 8 * dims

q, k = tensor(b"blk.0.attn_q.weight"), tensor(b"blk.0.attn_k.weight")
write("magic.gguf", [(0, b"GGUX")])
write("version.gguf", [(4, struct.pack("<I", 9))])
write("tensors.gguf", [(8, struct.pack("<Q", 1 << 60))])
write("pairs.gguf", [(16, struct.pack("<Q", 1 << 60))])
write("cut.gguf", length=1 << 20)
write("short.gguf", length=size - 32)
write("tiny.gguf", length=3)
write("type.gguf", [(q[1], struct.pack("<I", 77))])
write("width.gguf", [(q[0], struct.pack("<Q", (1 << 64) - 32))])
write("outside.gguf", [(q[2], struct.pack("<Q", 1 << 62))])
write("overlap.gguf", [(k[2], head[q[2]:q[2] + 8])])
write("crooked.gguf", [(k[2], struct.pack("<Q", 33))])
PY
for file in magic version tensors pairs cut short tiny type width outside overlap crooked; do
  bad 3 "$file.gguf" "$lockstep" run -m "$file.gguf" hi
  bad 3 "$file.gguf" "$lockstep" model info "$file.gguf"
done
bad 3 "cannot be opened" "$lockstep" run -m nowhere.gguf hi

# A file that is cut off while it is read ends the command with a line and an exit code, not by a signal.
cut_off() { # COMMAND...: begins, and writes to the pipe when it has read a part of cut.gguf
  cp "$model" cut.gguf
  mkfifo pipe
  "$@" >pipe 2>err </dev/null &
  local pid=$! code=0
  head -c 1 <pipe >out
  exec 3<pipe
  truncate -s 1M cut.gguf
  wait "$pid" || code=$?
  exec 3<&-
  same "$code" 3 "exit code of $2 when its file is cut off"
  same "$(cat err)" "lockstep: cut.gguf: the file was cut off, or its disk failed, while it was read; put the whole file back and start again" "words when a file is cut off"
  rm pipe
}
cut_off "$lockstep" run -m cut.gguf -n 4000 --allow Yes,No "Is it?"
bad 3 "is not a regular file" "$lockstep" run -m "$work" hi

# Import: what needs no conversion is copied as it is; nothing is replaced without being asked.
good 'model import' "$lockstep" model import "$model" copy.gguf
cmp "$model" copy.gguf || { echo "the import changed a file that needs no conversion"; exit 1; }
bad 3 "exists already" "$lockstep" model import "$model" copy.gguf
bad 3 "overlap.gguf" "$lockstep" model import overlap.gguf other.gguf
[ ! -e other.gguf ] || { echo "a failed import left a file"; exit 1; }
rm copy.gguf

# Accounts.
(umask 077 && echo "correct horse" >password && : >empty)
cp password open && chmod 640 open
good 'account new' "$lockstep" account new --light --keystore keys --password-file password
address=$(cat out)
grep -qE '^0x[0-9a-fA-F]{40}$' out || { echo "no address:"; cat out; exit 1; }
same "$(stat -c %a keys/UTC--*)" 600 "mode of a key file"
grep -qF "${address:2:6}" keys/UTC--* -i || { echo "the key file does not name its address"; exit 1; }
same "$("$lockstep" account list --keystore keys | cut -d' ' -f1)" "$address" "account list"
bad 6 "cannot be opened" "$lockstep" account new --light --keystore keys --password-file nowhere
bad 6 "is empty" "$lockstep" account new --light --keystore keys --password-file empty
bad 6 "password file open can be read by others: chmod 600 open" "$lockstep" account new --light --keystore keys --password-file open
bad 6 "no terminal to ask" setsid "$lockstep" account new --light --keystore keys
bad 3 "make an account with lockstep account new" "$lockstep" account list

# Passwords typed at a terminal: asked for twice, not shown, and equal.
typed() { # PASSWORD AGAIN
  python3 - "$lockstep" "$1" "$2" <<'PY'
import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "account", "new", "--light", "--keystore", "typed"])
seen = b""
for prompt, answer in ((b"Password of the new account: ", sys.argv[2]), (b"Again: ", sys.argv[3])):
    while prompt not in seen:
        seen += os.read(terminal, 1024)
    os.write(terminal, answer.encode() + b"\n")
try:
    while piece := os.read(terminal, 1024):
        seen += piece
except OSError:
    pass
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
}
typed "open sesame" "open sesame" >out || { echo "typed password:"; cat out; exit 1; }
grep -q '0x' out
if grep -q sesame out; then echo "the password was shown"; exit 1; fi
code=0
typed "open sesame" "open says me" >out || code=$?
same "$code" 6 "exit code of two passwords that differ"
grep -q 'the two passwords differ' out
address=$("$lockstep" account list --keystore typed | cut -d' ' -f1)
same "$(grep -c . <<<"$address")" 1 "accounts made at the terminal"

good 'account new, by default' "$lockstep" account new --light --password-file password
same "$(stat -c %a .lockstep/keystore)" 700 "mode of the keystore"

# What the chain commands refuse before they speak to a node.
bad 2 "name the deployment's file" "$lockstep" status
bad 3 "cannot be opened" "$lockstep" status --contracts nowhere.json
echo '{"chainId":1' >broken.json
bad 3 "broken.json" "$lockstep" status --contracts broken.json
echo '{"chainId":1,"registry":"0x00","bonds":"","oracle":""}' >wrong.json
bad 3 '"registry"' "$lockstep" status --contracts wrong.json
bad 2 "is not a request id" "$lockstep" finalize 0x12
bad 2 "has no unit" "$lockstep" bond deposit 1
bad 2 "the amount is zero" "$lockstep" bond withdraw 0ether
bad 2 "give either PROMPT or --prompt-ids" "$lockstep" ask -m "$model"
bad 2 "text needs the model's tokenizer" "$lockstep" ask "Is it so?"
bad 2 "is not a model id" "$lockstep" ask --model-id 0x12 --prompt-ids 1,2
bad 1 "not the one that --model-id names" "$lockstep" ask -m "$model" --model-id "0x$(printf '%064d' 7)" hi

echo "count cli_local_checks $checks"
