#!/bin/bash
# Starts the devnet's chain in the foreground: genesis.json, a block a second, every port on 127.0.0.1. See README.md.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: start.sh --host geth|stock-geth|anvil --datadir DIR --http PORT [options]

  --host HOST           geth: the geth host with --plugin (plugin/hosts/geth); stock-geth: geth unmodified; anvil
  --genesis FILE        another genesis than genesis.json, of the same chain id
  --datadir DIR         geth's data; made and initialised when it is new (anvil keeps nothing)
  --http PORT           JSON-RPC over HTTP
  --ws PORT             JSON-RPC over WebSocket (default: the port of --http, which anvil always uses)
  --ipc PATH            JSON-RPC over a Unix socket too
  --plugin FILE         shared object that the geth host loads
  --plugin-config FILE  its configuration, a JSON object
  --period SECONDS      time between two blocks (default 1)
  --engine PORT         instead of making blocks, wait for an Engine API driver (tests/e2e/reorg.py) on this port, with the
                        secret in DIR/jwt.hex; geth only
  --bin FILE            the client's program (default: build/lockstep-geth, build/geth, or anvil of contracts/node_modules)

Stop it with SIGTERM.
TEXT
}

fail() { echo "start.sh: $*" >&2; exit 2; }

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
chain_id=31982
gas_limit=60000000
fee_recipient=0x000000000000000000000000000000000000c0de # nobody's: with one set, geth unlocks no account

genesis=$here/genesis.json
host='' datadir='' http='' ws='' ipc='' plugin='' plugin_config='' period=1 engine='' bin=''
while [ $# -gt 0 ]; do
    case $1 in -h | --help) usage; exit 0 ;; esac
    [ $# -ge 2 ] || fail "$1 needs a value (see --help)"
    case $1 in
    --host) host=$2 ;;
    --genesis) genesis=$2 ;;
    --datadir) datadir=$2 ;;
    --http) http=$2 ;;
    --ws) ws=$2 ;;
    --ipc) ipc=$2 ;;
    --plugin) plugin=$2 ;;
    --plugin-config) plugin_config=$2 ;;
    --period) period=$2 ;;
    --engine) engine=$2 ;;
    --bin) bin=$2 ;;
    *) fail "unknown option $1 (see --help)" ;;
    esac
    shift 2
done

[ -r "$genesis" ] || fail "no genesis $genesis"
[ -n "$http" ] || fail "--http PORT is missing"
for number in "$http" "${ws:=$http}" "${engine:-0}" "$period"; do
    [[ $number =~ ^[0-9]+$ ]] || fail "$number is not a number"
done
if [ -n "$plugin$plugin_config" ] && [ "$host" != geth ]; then fail "--plugin needs --host geth: $host loads none"; fi

start_anvil() {
    [ "$ws" = "$http" ] || fail "anvil serves HTTP and WebSocket on one port: leave out --ws"
    [ -z "$engine" ] || fail "anvil has no Engine API: leave out --engine"
    : "${bin:=$root/contracts/node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil}"
    [ -x "$bin" ] || fail "no anvil at $bin: run devnet/setup.sh"
    # Its clock starts at its genesis block: without --timestamp, in 1970.
    exec "$bin" --silent --init "$genesis" --timestamp "$(date +%s)" --chain-id "$chain_id" --hardfork osaka --enable-tx-gas-limit \
        --gas-limit "$gas_limit" --block-time "$period" --accounts 0 --host 127.0.0.1 --port "$http" ${ipc:+--ipc "$ipc"}
}

start_geth() {
    [ -x "$bin" ] || fail "no geth at $bin: build it with plugin/hosts/geth/build.sh"
    [ -n "$datadir" ] || fail "--datadir DIR is missing"
    local args=(--datadir "$datadir" --cache 128 --networkid "$chain_id" --miner.gaslimit "$gas_limit"
        --nodiscover --maxpeers 0 --port 0
        --http --http.addr 127.0.0.1 --http.port "$http" --http.api "eth,net,web3${engine:+,testing}"
        --ws --ws.addr 127.0.0.1 --ws.port "$ws" --ws.api eth,net,web3)
    if [ -n "$ipc" ]; then args+=(--ipcpath "$ipc"); else args+=(--ipcdisable); fi
    # Without these, a geth that is killed goes back to the block of its last start. It has no peers
    # to get the later ones from, and makes others in their place, of final ones too.
    args+=(--state.scheme hash --gcmode archive)
    if [ ! -d "$datadir/geth/chaindata" ]; then
        mkdir -p "$datadir"
        "$bin" init --state.scheme hash --datadir "$datadir" "$genesis" >"$datadir/init.log" 2>&1 ||
            fail "geth does not accept $genesis: see $datadir/init.log"
    fi
    if [ -n "$engine" ]; then
        if [ ! -e "$datadir/jwt.hex" ]; then
            (umask 077 && od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$datadir/jwt.hex")
        fi
        args+=(--syncmode full --authrpc.addr 127.0.0.1 --authrpc.port "$engine" --authrpc.jwtsecret "$datadir/jwt.hex"
            --miner.gasprice 1)
    else
        args+=(--dev --dev.period "$period" --miner.pending.feeRecipient "$fee_recipient")
    fi
    if [ -n "$plugin" ]; then args+=(--plugin "$plugin"); fi
    if [ -n "$plugin_config" ]; then args+=(--plugin.config "$plugin_config"); fi
    exec "$bin" "${args[@]}"
}

case $host in
anvil) start_anvil ;;
geth) : "${bin:=$root/build/lockstep-geth}"; start_geth ;;
stock-geth) : "${bin:=$root/build/geth}"; start_geth ;;
*) fail "--host must be geth, stock-geth or anvil" ;;
esac
