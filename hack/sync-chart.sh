#!/usr/bin/env bash
# Copies what the Helm chart takes from config/: the custom resource definitions,
# the roles, the admission policies with their bindings and the default policy. The chart's templates
# add names and labels, and no rule, so that config/ stays the one source. `make
# generate` calls it.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly crds=charts/cabildo/files/crds
readonly roles=charts/cabildo/files/rbac
readonly admission=charts/cabildo/files/admission

# What is gone from config/ goes from the chart too.
rm -rf "$crds" "$roles" "$admission"
mkdir -p "$crds" "$roles" "$admission"
cp config/crd/bases/*.yaml "$crds/"
cp config/rbac/*role.yaml "$roles/"
cp config/admission/*_policy.yaml config/admission/*_binding.yaml "$admission/"
cp config/samples/governancepolicy.yaml charts/cabildo/files/governancepolicy.yaml

# The templates read one object a file; a second one would be lost without a word.
for file in "$crds"/*.yaml "$roles"/*.yaml "$admission"/*.yaml; do
  if [ "$(grep -c '^kind:' "$file")" != 1 ]; then
    echo "sync-chart: $file has more than one object, or none; the chart can't take it" >&2
    exit 1
  fi
done
