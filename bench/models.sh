# The models of bench/, by name: smollm2-q4_1, and 1.1b-q4_0, 1.1b-q8_0 and 1.1b-q4_k, which bench/synthetic.py writes to build/cpu/.
# Sourced after devnet/setup/lib.sh; the current folder is the checkout.

all_models="smollm2-q4_1 1.1b-q4_0 1.1b-q8_0 1.1b-q4_k"

# file_of NAME: the model's file
file_of() {
  case " $all_models " in
    *" $1 "*) ;;
    *) die "unknown model '$1'; models: $all_models" ;;
  esac
  case $1 in
    smollm2-q4_1) echo models/SmolLM2-135M-Instruct.Q4_1.gguf ;;
    *) echo "build/cpu/$1.gguf" ;;
  esac
}

# make_model NAME: writes a synthetic model again when its script has changed; the others come from devnet/setup.sh.
make_model() {
  local file stamp sum
  file=$(file_of "$1")
  stamp=$file.stamp
  sum=$(sha256sum <bench/synthetic.py)
  case $1 in smollm2-*) return ;; esac
  if [ -e "$file" ] && is_stamped "$stamp" "$sum"; then return; fi
  mkdir -p "${file%/*}"
  run "cpu-$1" "writing $file" .tools/venv/bin/python bench/synthetic.py "${1#1.1b-}" "$file"
  put_stamp "$stamp" "$sum"
}
