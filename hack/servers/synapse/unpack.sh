#!/usr/bin/env bash
# Unpacks Synapse and what it needs from Debian's packages into a folder of its
# own, with an interpreter and a C library of its own. Nothing is installed on
# this machine: no root, no chroot and no maintainer script is needed.
#
#   hack/servers/synapse/unpack.sh FOLDER
#
# Only Debian unstable has Synapse, so the version is what it has on that day;
# FOLDER/VERSION says which one came. The mirror is the machine's own.
set -euo pipefail

folder=$1
# Beside the packages of Debian there is no pinned version to depend on.
release=sid

die() { echo "synapse: $*" >&2; exit 1; }
hint='set CABILDO_SYNAPSE to a Python that has Synapse, or to none to leave it out'
for program in apt-get dpkg-deb; do
  command -v "$program" >/dev/null || die "there is no $program here; $hint"
done

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -m 1 '/debian/\?$' || true)
[ -n "$mirror" ] || die "this machine has no apt source for Debian's main archive; $hint"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -e "$keyring" ] || die "there is no $keyring to check packages with (Debian: apt-get install debian-archive-keyring); $hint"

start=$SECONDS
echo "synapse: unpacking Debian's package ($release); the first time that takes two minutes"
mkdir -p "$(dirname "$folder")"
work=$(mktemp -d "${TMPDIR:-/tmp}/cabildo-synapse.XXXXXX")
partial=$folder.partial
trap 'rm -rf "$work" "$partial"' EXIT
rm -rf "$partial"
mkdir -p "$work"/{state/lists/partial,cache/archives/partial,etc} "$partial"
: >"$work/status" # of a machine on which nothing is installed
echo "deb [signed-by=$keyring] $mirror $release main" >"$work/sources.list"

# apt with a state of its own; the machine's is neither read nor changed.
apt() {
  apt-get -qq \
    -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
    -o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
    -o Dir::State="$work/state" -o Dir::State::Status="$work/status" -o Dir::Cache="$work/cache" \
    -o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none -o APT::Install-Recommends=false \
    -o Acquire::Retries=3 -o Debug::NoLocking=1 "$@"
}
apt update || die "Debian's package lists can't be read from $mirror; $hint"
apt install --download-only --yes matrix-synapse >"$work/log" 2>&1 || {
  tail -n 5 "$work/log" >&2
  die "Debian's packages can't be had from $mirror; $hint"
}
printf 'synapse: downloaded %d packages in %d s\n' "$(find "$work/cache/archives" -name '*.deb' | wc -l)" $((SECONDS - start))

# A merged /usr, as every Debian has: some packages still ship /lib and /bin.
mkdir -p "$partial/usr/"{bin,sbin,lib,lib64}
for dir in bin sbin lib lib64; do ln -s "usr/$dir" "$partial/$dir"; done
for package in "$work"/cache/archives/*.deb; do
  # tar keeps the links above as they are.
  dpkg-deb --fsys-tarfile "$package" | tar -x -C "$partial" --keep-directory-symlink --no-same-owner \
    --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' --exclude='./dev/*'
done
dpkg-deb --field "$work"/cache/archives/matrix-synapse_*.deb Version >"$partial/VERSION"

rm -rf "$folder"
mv "$partial" "$folder"
printf 'synapse: version %s, done in %d s\n' "$(cat "$folder/VERSION")" $((SECONDS - start))
