#!/usr/bin/env bash
# Switches off one protection of the plugin after another, each in a copy of the tree, and expects
# that random lives are lost without it which are not lost with it. The patches are of the form of
# tests/mutants.
set -uo pipefail
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
WORK=${WORK:-$here/../../build-protections} "$here/../mutants/run.sh" "$here"/protections/*.patch |
  sed -u 's/^count mutants /count protections /; s/^count mutants_caught /count protections_seen /'
