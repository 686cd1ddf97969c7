#!/usr/bin/env bash
# Fails when `make generate` changes any of the given files or folders. It
# compares with the tree as it is, committed or not, so that it also serves
# while one works.
set -euo pipefail
cd "$(dirname "$0")/.."

scratch=$(mktemp -d "${TMPDIR:-/tmp}/cabildo-generated.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

keep() {
  local into=$1 path
  shift
  for path in "$@"; do
    mkdir -p "$into/$(dirname "$path")"
    if [ -e "$path" ]; then cp -R "$path" "$into/$path"; fi
  done
}

keep "$scratch/committed" "$@"
"${MAKE:-make}" --no-print-directory generate
keep "$scratch/generated" "$@"

cd "$scratch"
if ! git --no-pager diff --no-index --stat committed generated; then
  echo "Generated files were out of date; make generate has just renewed them. Commit them." >&2
  exit 1
fi
