#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Builds geth from the go-ethereum release that go.mod names, with `--plugin` and what belongs to it:
#
#   build.sh FILE           the geth host
#   build.sh --stock FILE   the same release unmodified, for comparison
#   build.sh --test [ARGS]  runs the Go tests; ARGS go to `go test`
#
# Needs Go (the version in go.mod or later) and a C compiler. The first build takes some five minutes of CPU and fetches
# 210 MB of modules, whose hashes go.sum has; later ones take seconds. No file of geth lies in this directory: an overlay shows
# the compiler cmd/geth's own files beside cmd/plugin.go, all but one of them straight from the module cache.
set -eu

say() { echo "build.sh: $*" >&2; }
fail() { say "$*"; exit 1; }

after='	filterSystem := utils.RegisterFilterAPI(stack, backend, &cfg.Eth)'
call='	registerPlugin(ctx, stack, eth, filterSystem)'

mode=host
case ${1:-} in
--stock) mode=stock; shift ;;
--test) mode=test; shift ;;
esac
[ "$mode" = test ] || [ $# -eq 1 ] || fail "usage: build.sh [--stock] FILE, or build.sh --test [ARGS]"
command -v go >/dev/null || fail "no Go: install the version that go.mod names, or a later one, and put it on PATH"
command -v "${CC:-cc}" >/dev/null || fail "no C compiler: install gcc"

# The environment must not change what is built. -trimpath is in every command: with it and without, Go compiles all of
# geth once more.
export CGO_ENABLED=1 GOTOOLCHAIN=local GOWORK=off GOFLAGS='-mod=readonly -buildvcs=false -trimpath'

started=$PWD
cd "$(dirname "$0")"
if [ "$mode" = test ]; then
    exec go test "$@" ./...
fi
case $1 in
/*) out=$1 ;;
*) out=$started/$1 ;;
esac
mkdir -p "$(dirname "$out")"

if [ "$mode" = stock ]; then
    go build -ldflags=-s -o "$out" github.com/ethereum/go-ethereum/cmd/geth
    say "built $out ($("$out" --version))"
    exit 0
fi

go mod download github.com/ethereum/go-ethereum
release=$(go list -m -f '{{.Version}}' github.com/ethereum/go-ethereum)
geth=$(go list -m -f '{{.Dir}}' github.com/ethereum/go-ethereum)/cmd/geth
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
case $PWD$geth$work in *[\"\\]*) fail "a path with a quote or a backslash: $PWD, $geth or $work" ;; esac

# The one line that geth's own files lack.
[ "$(grep -cxF "$after" "$geth/config.go")" = 1 ] ||
    fail "go-ethereum $release has changed: cmd/geth/config.go has no longer one line '$after' to put the plugin's after"
while IFS= read -r line; do
    printf '%s\n' "$line"
    [ "$line" != "$after" ] || printf '%s\n' "$call"
done <"$geth/config.go" >"$work/config.go"

{
    printf '{"Replace": {'
    comma=
    for file in "$geth"/*.go; do
        name=${file##*/}
        case $name in *_test.go) continue ;; esac
        [ ! -e "cmd/$name" ] || fail "go-ethereum $release has a cmd/geth/$name too: rename cmd/$name"
        [ "$name" != config.go ] || file=$work/config.go
        printf '%s\n"%s": "%s"' "$comma" "$PWD/cmd/$name" "$file"
        comma=,
    done
    printf '\n}}\n'
} >"$work/overlay.json"

go build -overlay "$work/overlay.json" -tags lockstep_geth -ldflags=-s -o "$work/geth" ./cmd
"$work/geth" --help | grep -q -- '--plugin.config' ||
    fail "the geth that was built does not know --plugin: does go-ethereum $release still set its flags in main.go's init?"
mv "$work/geth" "$out"
say "built $out ($("$out" --version))"
