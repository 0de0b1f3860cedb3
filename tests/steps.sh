# The steps of tests/run.sh: each is a function that runs in a subshell, prints to its log and returns non-zero on failure.
# Sourced by tests/run.sh, which sets root, logs, jobs, slow, counts.

# count PASSED FAILED: the number of cases that the step ran.
count() { echo "$1 $2" >"$counts"; }

sources() { git -C "$root" ls-files --cached --others --exclude-standard -- "$@" | while read -r f; do [ ! -e "$f" ] || echo "$f"; done; }

step_lint() {
  local rc=0 f
  while read -r f; do bash -n "$f" || rc=1; done < <(sources '*.sh' .ci/run)
  sources '*.py' | xargs python3 -c 'import ast, sys; [ast.parse(open(f).read(), f) for f in sys.argv[1:]]' || rc=1
  while read -r f; do node --check "$f" || rc=1; done < <(sources '*.mjs' '*.js')
  sources '*.c' '*.h' | xargs grep -nP '\t| +$' && { echo "tab or trailing space in the lines above"; rc=1; }
  # The bits of a result must not depend on how a compiler rearranges floating point.
  sources '*.cmake' CMakeLists.txt '*/CMakeLists.txt' '*.sh' '*.go' | grep -v '^tests/steps.sh$' |
    xargs grep -nE -e '-f(fast|unsafe|associative|reciprocal|finite|no-signed|no-trapping)|-Ofast' && { echo "a forbidden option in the lines above"; rc=1; }
  sources '*.c' '*.h' '*.cu' | xargs grep -nE '# *pragma.*(FP_CONTRACT|GCC optimize|float_control)|optimize *\(' &&
    { echo "a forbidden pragma or attribute in the lines above"; rc=1; }
  python3 tests/check_disputes_table.py || rc=1
  python3 tests/check_markdown.py || rc=1
  tests/format.sh --check || rc=1
  python3 tests/check_rooms.py || rc=1
  python3 tests/check_rooms_test.py || rc=1
  tests/check_commits.sh || rc=1
  return $rc
}

step_build() { configure build && ninja -C build -j "$jobs"; }

configure() { cmake -S . -B "$1" -G Ninja -DCMAKE_BUILD_TYPE=Release -DLKS_TESTS=ON "${@:2}"; }

# Every header that another folder may include compiles alone as C11, and as C++17 if it says that it is for C++ too. Not those of one instruction set.
step_headers() {
  local rc=0 ok=0 bad=0 h flags=(-I. -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only)
  while read -r h; do
    if echo "#include \"$h\"" | gcc -x c -std=c11 "${flags[@]}" - &&
      { ! grep -q 'extern "C"' "$h" || echo "#include \"$h\"" | g++ -x c++ -std=c++17 "${flags[@]}" -; }; then
      ok=$((ok + 1))
    else
      echo "$h does not compile alone"
      bad=$((bad + 1)) rc=1
    fi
  done < <(sources 'chain/*.h' 'kernels/*.h' 'oracle/*.h' 'plugin/*.h' | grep -vE 'internal|^kernels/(amx|avx2|avx512|neon|vector)/')
  count $ok $bad
  return $rc
}

# The committed path keeps its rules with both compilers (tests/check_build.py). The plugin exports no symbol but that of its interface, and brings no
# library of the network into its host. The build with clang is one of those that tests/e2e/bits.sh runs.
step_symbols() {
  local rc=0 ok=0 build lib
  configure build/bits/clang-O2 -DCMAKE_C_COMPILER=clang -DCMAKE_C_FLAGS_RELEASE=-O2 -DLKS_TESTS=OFF && ninja -C build/bits/clang-O2 -j "$jobs" lockstep || rc=1
  for build in build build/bits/clang-O2; do
    if python3 tests/check_build.py $build; then ok=$((ok + 1)); else rc=1; fi
  done
  lib=$(find build -maxdepth 2 -name liblockstep.so)
  if [ "$(nm -D --defined-only "$lib" | awk '{print $3}')" = lockstep_plugin_create ]; then
    ok=$((ok + 1))
  else
    echo "$lib does not export lockstep_plugin_create alone"
    rc=1
  fi
  if objdump -p "$lib" | grep -E 'NEEDED +lib(curl|ssl|websockets)'; then
    echo "$lib needs the libraries above, which no host has to load"
    rc=1
  else
    ok=$((ok + 1))
  fi
  count $ok $((4 - ok))
  return $rc
}

# step_ctest BUILD-FOLDER [slow] [OPTIONS of ctest]
step_ctest() {
  local rc=0
  ctest --test-dir "$1" -j "$jobs" --output-on-failure --no-tests=error --test-output-size-passed 1048576 \
    --output-junit ctest.xml $([ -n "${2:-}" ] || echo -LE slow) "${@:3}" || rc=1
  python3 tests/count_cases.py "$1/ctest.xml" >"$counts" || rc=1
  return $rc
}

step_asan() {
  configure build-asan -DCMAKE_C_FLAGS_RELEASE=-O1 -DLKS_SANITIZE=address,undefined &&
    ninja -C build-asan -j "$jobs" && step_ctest build-asan "" -E '^spec_' # those are Python
}

# The same bits on 64-bit ARM and on a big-endian machine, under an emulator: what needs only libc. With --slow all of its tests.
step_cross() {
  local rc=0 machine tool passed=0 failed=0 ok bad
  for tool in {aarch64,s390x}-linux-gnu-gcc qemu-{aarch64,s390x}; do
    command -v "$tool" || { echo "$tool is missing: run devnet/setup.sh cross"; return 1; }
  done
  for machine in aarch64 s390x; do
    ok=0 bad=1
    if configure "build-$machine" -DLKS_ONLY_LIBC=ON --toolchain "tests/cross/$machine.cmake" &&
      ninja -C "build-$machine" -j "$jobs" "$([ -n "$slow" ] && echo all || echo quick)"; then
      if [ -n "$slow" ]; then
        step_ctest "build-$machine" "" -E '^(spec_|check_import|quick_)' || rc=1 # Python, and what is part of the rest
      else
        step_ctest "build-$machine" "" -L quick || rc=1
      fi
      read -r ok bad <"$counts"
    fi
    passed=$((passed + ok)) failed=$((failed + bad))
  done
  for machine in s390x:scalar aarch64:neondot ${slow:+aarch64:neon aarch64:scalar}; do
    if same_model "${machine%:*}" "${machine#*:}"; then passed=$((passed + 1)); else failed=$((failed + 1)) rc=1; fi
  done
  count $passed $failed
  return $rc
}

# same_model MACHINE LEVEL: two tokens of SmolLM2 and the root of their trace, there and here.
same_model() {
  local run=(tests/run_model models/SmolLM2-135M-Instruct.Q4_1.gguf "The sky is" 2) here there
  here=$("build/${run[@]}") && there=$(LOCKSTEP_CPU=$2 "qemu-$1" -L "/usr/$1-linux-gnu" "build-$1/${run[@]}") || return 1
  echo "here: $here"
  echo "$1, $2: $there"
  [ "$here" = "$there" ]
}

# Each target runs for 10 seconds on its seeds, as many at once as there are cores; what it finds new stays in build-fuzz.
step_fuzz() {
  local rc=0 ok=0 bad=0 target name targets=() pids=()
  configure build-fuzz -DCMAKE_C_COMPILER=clang -DCMAKE_C_FLAGS_RELEASE=-O1 -DLKS_FUZZ=ON \
    -DLKS_SANITIZE=address,undefined,fuzzer-no-link || return 1
  ninja -C build-fuzz -j "$jobs" $(ninja -C build-fuzz -t targets all | sed -n 's/^\(fuzz_[a-z0-9_]*\): phony$/\1/p') || return 1
  targets=(build-fuzz/fuzz/fuzz_*)
  for target in "${targets[@]}"; do
    name=$(basename "$target")
    mkdir -p "build-fuzz/corpus/$name" "tests/fuzz/corpus/$name"
    while [ "$(jobs -pr | wc -l)" -ge "$jobs" ]; do sleep 0.1; done
    "$target" -max_total_time=10 -timeout=10 -rss_limit_mb=2048 -max_len=65536 -artifact_prefix="build-fuzz/$name-" \
      "build-fuzz/corpus/$name" "tests/fuzz/corpus/$name" >"$logs/$name.log" 2>&1 &
    pids+=($!)
  done
  for target in "${!targets[@]}"; do
    name=$(basename "${targets[$target]}")
    if wait "${pids[$target]}"; then
      ok=$((ok + 1))
      grep -E 'DONE|stat::' "$logs/$name.log" | tail -n 1
    else
      bad=$((bad + 1)) rc=1
      tail -n 20 "$logs/$name.log"
    fi
  done
  count $ok $bad
  return $rc
}

# Format, sizes, tests against what the C kernels compute, and the gas figures against contracts/snapshots/gas.json.
step_forge() {
  local rc=0
  contracts/tools/step-vectors ${slow:+--slow} || rc=1
  FOUNDRY_PROFILE=$([ -n "$slow" ] && echo slow || echo default) contracts/tools/check | tee "$logs/forge-test.log" || rc=1
  sed -n 's/^Ran .* test suites\{0,1\} in .*: \([0-9]*\) tests passed, \([0-9]*\) failed.*/\1 \2/p' "$logs/forge-test.log" >"$counts"
  contracts/tools/gas-report
  return $rc
}

# One case for slither, one for each function that halmos proves.
step_analysis() {
  local rc=0
  contracts/tools/analyse slither || rc=1
  contracts/tools/analyse halmos | tee "$logs/halmos.log" || rc=1
  count $(($(grep -c '^\[PASS\]' "$logs/halmos.log") + (rc == 0))) "$(grep -cE '^\[(FAIL|ERROR|TIMEOUT)\]' "$logs/halmos.log")"
  return $rc
}

# One case for each protection that is broken on purpose, and whose test must notice.
step_mutants() { count_broken tests/mutants/run.sh mutants mutants_caught; }

# The same for random lives, which must be lost without a protection.
step_protections() { count_broken tests/hostile/protections.sh protections protections_seen; }

# count_broken SCRIPT ALL CAUGHT: runs it, and counts by its lines `count ALL N` and `count CAUGHT N`.
count_broken() {
  local rc=0 all caught log=$logs/$2-counts.log
  "$1" | tee "$log" || rc=1
  all=$(sed -n "s/^count $2 //p" "$log")
  caught=$(sed -n "s/^count $3 //p" "$log")
  count "${caught:-0}" $((${all:-1} - ${caught:-0}))
  return $rc
}

step_go() {
  local rc=0
  plugin/hosts/geth/build.sh --test -count=1 -v | tee "$logs/go-test.log" || rc=1
  tests/gas/meter --test -count=1 -v | tee -a "$logs/go-test.log" || rc=1
  contracts/tools/gas-tables || rc=1
  count "$(grep -c '^ *--- PASS' "$logs/go-test.log")" "$(grep -c '^ *--- FAIL' "$logs/go-test.log")"
  return $rc
}

# step_build_behind NAME: a build that tests/run.sh started in the background leaves its status in NAME.rc.
step_build_behind() {
  while [ ! -e "$logs/$1.rc" ]; do sleep 0.5; done
  cat "$logs/$1.output"
  [ "$(cat "$logs/$1.rc")" = 0 ]
}
