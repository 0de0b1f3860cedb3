# To be sourced with bash: puts what devnet/setup.sh installed (Node, Go, Foundry) on PATH, before what the system has.
lks_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
for lks_bin in "$lks_root"/contracts/node_modules/@foundry-rs/*/bin "$lks_root/.tools/bin"; do
  case ":$PATH:" in
    *":$lks_bin:"*) ;;
    *) [ ! -d "$lks_bin" ] || PATH=$lks_bin:$PATH ;;
  esac
done
export PATH
# The pinned or installed Go is used as it is; it never downloads another toolchain.
export GOTOOLCHAIN=local
unset lks_root lks_bin
