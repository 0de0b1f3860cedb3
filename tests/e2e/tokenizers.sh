#!/usr/bin/env bash
# The tokenizer against llama.cpp's own vectors: every models/ggml-vocab-*.gguf with an .inp and an .out whose pre-tokenizer this project knows.
#   tests/e2e/tokenizers.sh [BUILD]      default build
# The vectors come from the npm package node-llama-cpp (36 MB, its hash is pinned) and stay in .tools/llama-vocab (32 MB).
# Prints a line a vocabulary, then `count tokenizer_pairs N` and `count tokenizer_texts N`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. devnet/env.sh
build=${1:-build}
dir=.tools/llama-vocab
package=node-llama-cpp@3.22.1
sum=6e5b488a9b9699cd76dc7eed30880318a4ac4ab866865418795502e3c5d38d55bb5c624988927209d95333343f2e25a83e4183a5c2f816f883a60c3ba9f4e20f
names=(gpt-2 mpt starcoder refact command-r llama-bpe qwen2 llama-spm phi-3)

fetch() (
  tmp=$(mktemp -d .tools/llama-vocab.XXXXXX)
  trap 'rm -rf "$tmp"' EXIT
  (cd "$tmp" && npm pack --silent "$package" >/dev/null)
  echo "$sum  $tmp/node-llama-cpp-${package##*@}.tgz" | sha512sum --check --quiet
  tar -xzf "$tmp"/node-llama-cpp-*.tgz -C "$tmp" package/llama/gitRelease.bundle
  git clone -q --bare "$tmp/package/llama/gitRelease.bundle" "$tmp/git"
  mkdir "$tmp/vectors"
  for name in "${names[@]}"; do
    for suffix in '' .inp .out; do
      git -C "$tmp/git" show "HEAD:models/ggml-vocab-$name.gguf$suffix" >"$tmp/vectors/$name.gguf$suffix"
    done
  done
  rm -rf "$dir"
  mv "$tmp/vectors" "$dir"
)

mkdir -p .tools
exec 9>.tools/llama-vocab.lock
flock 9
if [ ! -d "$dir" ]; then fetch; fi
flock -u 9
files=("${names[@]/%/.gguf}")
files=("${files[@]/#/$dir/}")
exec "$build/tests/test_tokenizer_vectors" "${files[@]}"
