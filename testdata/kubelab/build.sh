#!/bin/sh
# Builds kubelab: build.sh [OUTPUT], by default ./kubelab. The first build compiles all of Kubernetes' control plane: 5 to
# 7 minutes on two cores, up to 3.4 GiB of memory, 3 GiB of build cache. A later one takes a second.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/kubelab}
case $out in /*) ;; *) out=$PWD/$out ;; esac
cd "$here"

# kubectl and the API server take their version from link-time variables and refuse to work without one.
version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
minor=${version#v1.}
var=k8s.io/component-base/version
ldflags="-s -w -X $var.gitVersion=$version -X $var.gitMajor=1 -X $var.gitMinor=${minor%%.*}"
CGO_ENABLED=0 exec go build -ldflags "$ldflags" -o "$out" .
