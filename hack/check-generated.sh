#!/usr/bin/env bash
# Fails when `make generate` changes any of the given files or folders. It
# compares with the tree as it is, committed or not, so that it also serves
# while one works.
set -euo pipefail
cd "$(dirname "$0")/.."

before=$(mktemp -d "${TMPDIR:-/tmp}/cabildo-generated.XXXXXX")
trap 'rm -rf "$before"' EXIT

for path in "$@"; do
  mkdir -p "$before/$(dirname "$path")"
  if [ -e "$path" ]; then cp -R "$path" "$before/$path"; fi
done

"${MAKE:-make}" --no-print-directory generate

status=0
for path in "$@"; do
  if [ -e "$path" ] || [ -e "$before/$path" ]; then
    git --no-pager diff --no-index --stat "$before/$path" "$path" || status=1
  fi
done
if [ "$status" -ne 0 ]; then
  echo "Generated files were out of date; make generate has just renewed them. Commit them." >&2
fi
exit "$status"
