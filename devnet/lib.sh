# Steps of a devnet, for devnet/demo.sh and the end-to-end tests. To be sourced with bash after devnet/env.sh.
#
# A devnet is a folder, $net, with everything that belongs to it:
#   keys/NAME/      key file of an account      NAME.address   its address
#   password        password of all keys        genesis.json   devnet/chain/genesis.json with ether for the accounts
#   chain/          the client's data           contracts.json addresses of the deployed contracts
#   NAME.json       a plugin's configuration    *.log          what the programs printed
# Variables: net, net_fork, build (default build), http and ws (ports), chain_pid, node_pid, net_pids. Processes end with
# net_stop.
lks_devnet=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lks_root=$(dirname "$lks_devnet")
: "${build:=$lks_root/build}"
model=$lks_root/models/SmolLM2-135M-Instruct.Q4_1.gguf
chain_pid= node_pid= net_fork=today
declare -A net_pids=()

net_fail() { echo "devnet: $*" >&2; return 1; }

# net_init FOLDER [FORK]: an empty devnet with accounts for deployer, operator, requester, challenger, liar and accuser,
# each with 1,000,000 ether. FORK is today (default) or next: Amsterdam's gas table, which geth alone has.
net_init() {
  net=$1 net_fork=${2:-today}
  mkdir -p "$net"
  read -r http ws < <(python3 -c '
import socket
taken = [socket.socket() for _ in range(2)]
for s in taken:
    s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in taken))')
  (umask 077 && od -An -N16 -tx1 /dev/urandom | tr -d ' \n' >"$net/password")
  local name
  for name in deployer operator requester challenger liar accuser; do
    "$build/lockstep" account new --light --keystore "$net/keys/$name" --password-file "$net/password" >"$net/$name.address" 2>"$net/accounts.log" || { cat "$net/accounts.log" >&2; return 1; }
  done
  python3 - "$lks_devnet/chain/genesis.json" "$net" "$net_fork" <<'PY'
import json, pathlib, sys
genesis, net = json.load(open(sys.argv[1])), pathlib.Path(sys.argv[2])
if sys.argv[3] == "next":
    genesis["config"]["amsterdamTime"] = 0
for address in net.glob("*.address"):
    genesis["alloc"][address.read_text().strip()] = {"balance": hex(10**24)}
(net / "genesis.json").write_text(json.dumps(genesis))
PY
}

# net_chain HOST [OPTIONS of start.sh]: starts the client and waits until it answers. anvil has one port for HTTP and WebSocket.
net_chain() {
  [ "$1" != anvil ] || ws=$http
  "$lks_devnet/chain/start.sh" --host "$1" --genesis "$net/genesis.json" --datadir "$net/chain" --http "$http" --ws "$ws" "${@:2}" >>"$net/chain.log" 2>&1 &
  chain_pid=$!
  "$lks_devnet/chain/wait.py" "http://127.0.0.1:$http" 600 "$chain_pid" || { tail -n 20 "$net/chain.log" >&2; return 1; }
}

# net_end PID: SIGTERM, then waits.
net_end() {
  kill -TERM "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

net_stop() {
  local name
  for name in "${!net_pids[@]}"; do net_halt "$name"; done
  [ -z "$node_pid" ] || net_end "$node_pid"
  [ -z "$chain_pid" ] || net_end "$chain_pid"
  node_pid= chain_pid=
}

# net_deploy: the contracts with the devnet's parameters; contracts.json. forge's own EVM has today's gas table: for
# another one the client has to say how much gas a transaction takes.
net_deploy() {
  local options=()
  [ "$net_fork" = today ] || options+=(--skip-simulation)
  (cd "$lks_root/contracts" && LOCKSTEP_PARAMETERS=devnet tools/forge script script/Deploy.s.sol --rpc-url "http://127.0.0.1:$http" --broadcast \
    --keystore "$net"/keys/deployer/* --password-file "$net/password" --sender "$(cat "$net/deployer.address")" "${options[@]}") >"$net/deploy.log" 2>&1 &&
    sed -n 's/^ *deployment: //p' "$net/deploy.log" >"$net/contracts.json" && [ -s "$net/contracts.json" ] ||
    { tail -n 20 "$net/deploy.log" >&2; net_fail "the contracts were not deployed"; }
}

# net_as NAME COMMAND...: the command line with an account's key and this devnet's end point.
net_as() {
  LOCKSTEP_RPC=http://127.0.0.1:$http LOCKSTEP_CONTRACTS=$net/contracts.json LOCKSTEP_KEYSTORE=$net/keys/$1 LOCKSTEP_PASSWORD_FILE=$net/password \
    "$build/lockstep" "${@:2}"
}

# net_config NAME ROLE [KEY=VALUE...]: a plugin's configuration for an account; values are JSON.
net_config() {
  python3 - "$net" "$model" "$@" <<'PY'
import json, pathlib, sys
net, model, name, role = pathlib.Path(sys.argv[1]), *sys.argv[2:5]
contracts = json.loads((net / "contracts.json").read_text())
config = {
    "roles": [role],
    "chain_id": contracts["chainId"],
    "contracts": {name: contracts[name] for name in ("registry", "bonds", "oracle", "game") if name in contracts},
    "models": [model],
    "keystore": str(next((net / "keys" / name).iterdir())),
    "password_file": str(net / "password"),
    "database": str(net / f"{name}.db"),
    "start_block": contracts["block"],
    "min_fee_wei": "0",
}
for pair in sys.argv[5:]:
    key, value = pair.split("=", 1)
    config[key] = json.loads(value)
(net / f"{name}.json").write_text(json.dumps(config, indent=2) + "\n")
PY
}

# net_contract NAME: an address of the deployment.
net_contract() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$net/contracts.json" "$1"; }

# net_view CONTRACT SIGNATURE ARGUMENTS...: the first value that a view returns.
net_view() { cast call --rpc-url "http://127.0.0.1:$http" "$(net_contract "$1")" "${@:2}" | awk 'NR == 1 {print $1}'; }

# net_later SECONDS: anvil's clock goes on by so much at once, and it makes two blocks.
net_later() {
  local then
  then=$(($(cast block latest -f timestamp --rpc-url "http://127.0.0.1:$http") + $1))
  for call in "evm_setNextBlockTimestamp $then" "anvil_mine 0x2"; do
    cast rpc --rpc-url "http://127.0.0.1:$http" $call >/dev/null
  done
}

# net_hold_clock: anvil goes on making blocks, but its clock stands still from now on, except for
# net_later. Nothing is late then because the machine is slow.
net_hold_clock() {
  cast rpc --rpc-url "http://127.0.0.1:$http" anvil_setBlockTimestampInterval 0 >/dev/null
}

# net_balance ADDRESS: in wei.
net_balance() { cast balance --rpc-url "http://127.0.0.1:$http" "$1"; }

# net_event REQUEST-ID EVENT SECONDS: waits until the oracle has told that event of the request; net/status.json.
net_event() {
  local i
  for ((i = 0; i < 2 * $3; i++)); do
    net_as requester status "$1" --json >"$net/status.json" 2>/dev/null &&
      python3 -c 'import json, sys; sys.exit(sys.argv[2] not in [e["event"] for e in json.load(open(sys.argv[1]))["events"]])' "$net/status.json" "$2" && return
    sleep 0.5
  done
  net_fail "request $1: no $2 within $3 s"
}

# net_says FILE TEXT PID: waits until the file has that text; fails when the process ends without it.
net_says() {
  local runs=1
  until grep -qsF -- "$2" "$1"; do
    [ $runs = 1 ] || { cat "$1" >&2; net_fail "the process ended without '$2'"; return; }
    sleep 0.1
    kill -0 "$3" 2>/dev/null || runs=0
  done
}

# net_operator, net_challenger, net_liar: configurations of these accounts in their usual roles.
net_operator() { net_config operator operator; }
net_challenger() { net_config challenger challenger; }
net_liar() { net_config liar operator; }

# net_run NAME [PLUGIN]: a runner beside the chain with NAME.json; NAME.log. PLUGIN: another shared object than the product.
net_run() {
  "$build/lockstep-node" --rpc "ws://127.0.0.1:$ws" --plugin "${2:-$build/liblockstep.so}" --plugin-config "$net/$1.json" --poll-ms 200 >>"$net/$1.log" 2>&1 &
  net_pids[$1]=$!
}

# net_halt NAME [SIGNAL]: ends that runner.
net_halt() {
  kill "-${2:-TERM}" "${net_pids[$1]}" 2>/dev/null || true
  wait "${net_pids[$1]}" 2>/dev/null || true
  unset "net_pids[$1]"
}

# net_node [OPTIONS]: the runner with the plugin, beside the chain.
net_node() {
  "$build/lockstep-node" --rpc "ws://127.0.0.1:$ws" --plugin "$build/liblockstep.so" --plugin-config "$net/operator.json" "$@" >>"$net/node.log" 2>&1 &
  node_pid=$!
}
