#!/usr/bin/env bash
# Random bits of the committed bytes of small models, convicted by DisputeGame.step on anvil (tests/proof/step_on_chain.c). BUILD names the build folder
# (default build).
#   step_on_chain.sh [PLACES|all] [SEED]      bytes of each run (default 300)
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$PWD/${BUILD:-build}
. devnet/env.sh
. devnet/lib.sh
work=$(mktemp -d)
clean_up() { net_stop; rm -rf "$work"; }
trap clean_up EXIT
net_init "$work"
net_chain anvil --ipc "$work/ipc"
net_deploy
"$build/tests/step_on_chain" "$work/ipc" "$work/contracts.json" "${1:-300}" "${2:-$RANDOM}"
