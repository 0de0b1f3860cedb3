#!/usr/bin/env bash
# lockstep-node and the plugin, when something is wrong: one clear line that says what to do, and an exit code that means it.
#   runner_errors.sh      BUILD names the build folder (default build)
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$PWD/${BUILD:-build}
. devnet/env.sh
. devnet/lib.sh
work=$(mktemp -d)
trap 'net_stop; rm -rf "$work"' EXIT
checks=0

# bad CODE TEXT COMMAND...: ends with the code, prints nothing, and its standard error has exactly one line with ERROR in it, or one line in all; it has the text.
bad() {
  local code=0
  "${@:3}" >"$work/out" 2>"$work/err" || code=$?
  if [ "$code" != "$1" ] || [ -s "$work/out" ] || ! grep -qF -- "$2" "$work/err" || { [ "$(wc -l <"$work/err")" != 1 ] && [ "$(grep -c ' ERROR ' "$work/err")" -gt 2 ]; }; then
    echo "wanted exit code $1 and '$2' from: ${*:3}"
    echo "got exit code $code and:"
    cut -c1-300 "$work/out" "$work/err"
    exit 1
  fi
  checks=$((checks + 1))
}
runner() { timeout 600 "$build/lockstep-node" --rpc "$url" --plugin "$build/liblockstep.so" --plugin-config "$@"; }
# with KEY JSON: a configuration with that key changed
with() {
  python3 - "$net/operator.json" "$1" "$2" >"$work/changed.json" <<'PY'
import json, sys
config = json.load(open(sys.argv[1]))
config[sys.argv[2]] = json.loads(sys.argv[3])
print(json.dumps(config))
PY
  echo "$work/changed.json"
}

net_init "$work/net"
net_chain anvil
echo '{"block": 1, "chainId": 31982, "registry": "0x1111111111111111111111111111111111111111", "bonds": "0x2222222222222222222222222222222222222222", "oracle": "0x3333333333333333333333333333333333333333"}' >"$net/contracts.json"
net_operator
url=http://127.0.0.1:$http

# The command line.
bad 2 "--rpc is missing" "$build/lockstep-node"
bad 1 "missing.urls: No such file" "$build/lockstep-node" --rpc-file "$work/missing.urls"
printf '# none\n\n' >"$work/no.urls"
bad 2 "--rpc-file: no URL in $work/no.urls" "$build/lockstep-node" --rpc-file "$work/no.urls"
bad 2 "more than 8 URLs" env LOCKSTEP_RPC="$(seq -f http://h%g -s ' ' 9)" "$build/lockstep-node"
bad 2 "end point 2: not the URL of a node" "$build/lockstep-node" --rpc "$url" --rpc gopher://x/SECRET --plugin x.so --plugin-config "$net/operator.json"
bad 2 "--plugin is missing" "$build/lockstep-node" --rpc "$url"
bad 2 "--plugin-config is missing" "$build/lockstep-node" --rpc "$url" --plugin x.so
bad 2 "unexpected argument more" runner "$net/operator.json" more
bad 2 "--poll-ms must be 10 to 60000, not 5" runner "$net/operator.json" --poll-ms 5
bad 2 "--log-level must be" runner "$net/operator.json" --log-level loud
bad 2 "not an address: 0x12" runner "$net/operator.json" --address 0x12
bad 2 "URL" "$build/lockstep-node" --rpc gopher://x --plugin "$build/liblockstep.so" --plugin-config "$net/operator.json"
bad 1 "missing.json: No such file" runner "$work/missing.json"
bad 1 "missing.so" "$build/lockstep-node" --rpc "$url" --plugin "$work/missing.so" --plugin-config "$net/operator.json"
bad 1 "does not export lockstep_plugin_create" "$build/lockstep-node" --rpc "$url" --plugin libm.so.6 --plugin-config "$net/operator.json"

# The configuration.
bad 1 'key "gas" is not known' runner "$(with gas 1)"
bad 1 'key "chain_id": must be' runner "$(with chain_id '"1"')"
bad 1 'key "models": must be' runner "$(with models '[]')"
bad 1 "the node is on chain 31982, configured is chain 1" runner "$(with chain_id 1)"
echo '{' >"$work/broken.json"
bad 1 "configuration" runner "$work/broken.json"

# What it names.
bad 1 "missing.gguf" runner "$(with models "[\"$work/missing.gguf\"]")"
head -c 1000 "$model" >"$work/cut.gguf"
bad 1 "cut.gguf" runner "$(with models "[\"$work/cut.gguf\"]")"
bad 1 "the same model is configured twice" runner "$(with models "[\"$model\", \"$model\"]")"
bad 1 "password" runner "$(with password_file "\"$work/missing\"")"
(umask 077 && echo wrong >"$work/wrong")
bad 1 "password" runner "$(with password_file "\"$work/wrong\"")"
if grep -q wrong-password "$work/err"; then echo "the password is in the log"; exit 1; fi
cp "$net/password" "$work/open" && chmod 644 "$work/open"
bad 1 "chmod 600" runner "$(with password_file "\"$work/open\"")"
bad 1 "cannot be opened; check that its folder exists" runner "$(with database "\"$work/no/folder.db\"")"
echo "this is not a database, and it is long enough to look at" >"$work/text.db"
bad 1 "not an SQLite file" runner "$(with database "\"$work/text.db\"")"

# A database that another process has, or that belongs elsewhere.
net_node
net_says "$net/node.log" "started as operator" "$node_pid"
bad 1 "in use by another process" runner "$net/operator.json"
net_says "$net/node.log" "there is no contract at 0x3333333333333333333333333333333333333333" "$node_pid"
net_end "$node_pid"
node_pid=
bad 1 "belongs to another InferenceOracle" runner "$(with contracts '{"registry": "0x1111111111111111111111111111111111111111", "bonds": "0x2222222222222222222222222222222222222222", "oracle": "0x3333333333333333333333333333333333333334"}')"

# No node: waits, and can be told to stop.
"$build/lockstep-node" --rpc http://127.0.0.1:9 --plugin "$build/liblockstep.so" --plugin-config "$net/operator.json" 2>"$work/err" &
node_pid=$!
net_says "$work/err" "waiting for the client at http://127.0.0.1:9" "$node_pid"
kill -TERM "$node_pid"
code=0
wait "$node_pid" || code=$?
node_pid=
[ "$code" = 0 ] || { echo "exit code $code"; exit 1; }
checks=$((checks + 1))
echo "count refusals $checks"
