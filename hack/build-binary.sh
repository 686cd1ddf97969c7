#!/usr/bin/env bash
# Builds one server or tool out of a Go module of its own under hack/, and shows
# that it goes on: the first build of the big ones takes minutes.
#
#   hack/build-binary.sh OUTPUT MODULE PACKAGE TIME [go build flags…]
#
# OUTPUT is the binary to make, MODULE the folder with go.mod, PACKAGE the main
# package, TIME how long the first build takes, in words. make decides whether
# there is anything to do; this script is not called when there isn't.
set -euo pipefail

output=$1 module=$2 package=$3 time=$4
shift 4

top=$(cd "$(dirname "$0")/.." && pwd)
name=$(basename "$output")
log=$(mktemp "${TMPDIR:-/tmp}/cabildo-build.XXXXXX")
trap 'rm -f "$log"' EXIT

command -v go >/dev/null || {
  echo "$name: go is not in PATH; install Go 1.26 or newer" >&2
  exit 1
}
mkdir -p "$top/$(dirname "$output")"
printf '%s: building it from its Go module; the first time that takes %s\n' "$name" "$time"

# By this module alone, and for this machine whatever the caller builds for;
# TARGETOS and TARGETARCH, as Docker calls them, say that it is for another.
cd "$top/$module"
export GOOS="${TARGETOS:-}" GOARCH="${TARGETARCH:-}" GOWORK=off GOFLAGS=''
start=$SECONDS
# In the background the build would not hear Ctrl-C, so it is passed on.
go build -v -buildvcs=false -trimpath "$@" -o "$top/$output.partial" "$package" >"$log" 2>&1 &
build=$!
trap 'kill "$build" 2>/dev/null; rm -f "$log" "$top/$output.partial"; exit 130' INT TERM

progress() {
  printf '%s: %d s, %d packages compiled' "$name" $((SECONDS - start)) "$(grep -vc '^go: ' "$log" || true)"
}
# A terminal gets one line that counts; a log gets a line now and then.
every=20
[ -t 1 ] && every=1
shown=$start
while kill -0 "$build" 2>/dev/null; do
  sleep 0.5
  if ((SECONDS - shown >= every)); then
    shown=$SECONDS
    if [ -t 1 ]; then printf '\r%s' "$(progress)"; else printf '%s\n' "$(progress)"; fi
  fi
done
[ -t 1 ] && printf '\r'

if ! wait "$build"; then
  printf '%s: the build failed after %d s; its last lines:\n' "$name" $((SECONDS - start)) >&2
  tail -n 20 "$log" >&2
  rm -f "$top/$output.partial"
  exit 1
fi
# The name appears only when the binary is whole; touch tells make it is new
# even when go found it unchanged.
touch "$top/$output.partial"
mv "$top/$output.partial" "$top/$output"
printf '%s: done in %d s\n' "$name" $((SECONDS - start))
