#!/usr/bin/env bash
# Breaks one protection after another, each in a copy of the tree, and expects that a test notices.
#   run.sh [PATCH...]   only these; otherwise all of this folder
# The first line of a patch is "test: PROGRAM [ARGUMENTS]", a program of build/tests that must fail
# with the patch and pass without it; then comes a sentence about what is broken, then the diff. A
# patch that does not apply any more, or does not build, is a failure: make it anew.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
root=$PWD
work=${WORK:-$root/build-mutants} # made anew
tree=$work/tree
build=$work/build
logs=$work/logs
jobs=${JOBS:-$(nproc)}
limit=900 # seconds for a test; one that hangs has noticed
patches=("$@")
[ $# -gt 0 ] || patches=("$root"/tests/mutants/*.patch)

fail() { echo "$*" >&2; exit 1; }
test_of() { sed -n '1s/^test: //p' "$1"; }
# Patches apply to the copy, which lies within the repository but is not part of it.
apply() { (cd "$tree" && GIT_CEILING_DIRECTORIES=$work git apply --whitespace=nowarn "$@"); }
compile() { ninja -C "$build" -j "$jobs" "$@"; }
run_test() { (cd "$build" && timeout "$limit" tests/$1); } # with its arguments

copy_tree() {
  rm -rf "$work"
  mkdir -p "$tree" "$logs"
  git ls-files -z --cached --others --exclude-standard |
    xargs -0 -I{} sh -c '[ ! -f "$1" ] || printf "%s\0" "$1"' - {} | xargs -0 cp -p --parents -t "$tree"
  cmake -S "$tree" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS_RELEASE=-O1 -DLKS_TESTS=ON \
    $(command -v ccache >/dev/null && echo -DCMAKE_C_COMPILER_LAUNCHER=ccache) >"$logs/configure.log" 2>&1 ||
    fail "the copy cannot be configured: $logs/configure.log"
}

# The tests as they are, which must pass.
try_unbroken() {
  local patch test
  local -A seen=()
  for patch in "${patches[@]}"; do
    test=$(test_of "$patch")
    [ -n "$test" ] || fail "$patch: its first line names no test"
    seen[$test]=1
  done
  compile $(printf '%s\n' "${!seen[@]}" | cut -d' ' -f1 | sort -u) >"$logs/build.log" 2>&1 ||
    fail "the copy cannot be built: $logs/build.log"
  for test in "${!seen[@]}"; do
    run_test "$test" >"$logs/unbroken.log" 2>&1 || fail "$test fails without any patch: $logs/unbroken.log"
  done
}

# Prints the result for one patch. Returns: whether its test noticed.
try_patch() {
  local patch=$1 name test log rc=1 result
  name=$(basename "$patch" .patch)
  test=$(test_of "$patch")
  log=$logs/$name.log
  if ! apply "$patch" >"$log" 2>&1; then
    echo "FAILED $name: the patch does not apply any more"
    return 1
  fi
  if ! compile "${test%% *}" >>"$log" 2>&1; then
    result="FAILED $name: it does not build"
  elif run_test "$test" >>"$log" 2>&1; then
    result="MISSED $name: $test passes"
  else
    result="caught $name by $test"
    rc=0
  fi
  apply -R "$patch" >>"$log" 2>&1 || fail "$name cannot be taken back: $log"
  echo "$result"
  return $rc
}

[ -e "${patches[0]}" ] || fail "no patches"
for i in "${!patches[@]}"; do patches[i]=$(realpath "${patches[i]}"); done
copy_tree
try_unbroken
caught=0
for patch in "${patches[@]}"; do
  try_patch "$patch" && caught=$((caught + 1))
done
echo "count mutants ${#patches[@]}"
echo "count mutants_caught $caught"
[ "$caught" = "${#patches[@]}" ]
