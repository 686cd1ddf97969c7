#!/usr/bin/env bash
# Copies what Mattermost reads while it runs out of the module that it is built
# from: its English texts, the templates of its mails, and the fonts with which
# it draws a face for whoever has none. The other languages would only take it
# time to load.
#
#   hack/servers/mattermost/copy-files.sh OUTPUT MODFILE
#
# OUTPUT is the folder to make, MODFILE the module file of the version: go.mod
# or another one beside it.
set -euo pipefail

mkdir -p "$(dirname "$1")"
output=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
modfile=$2
cd "$(dirname "$0")"
export GOWORK=off GOFLAGS=''

module=github.com/mattermost/mattermost/server/v8
go mod download -modfile="$modfile" "$module"
source=$(go list -modfile="$modfile" -m -f '{{.Dir}}' "$module")

rm -rf "$output" "$output.partial"
mkdir -p "$output.partial/i18n"
cp "$source/i18n/en.json" "$output.partial/i18n"
cp -R "$source/templates" "$source/fonts" "$output.partial"
chmod -R u+w "$output.partial" # files of the module cache are read-only
mv "$output.partial" "$output"
