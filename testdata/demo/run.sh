#!/usr/bin/env bash
# The demo: one machine, one pool, five providers, two private matches: one that
# a single provider wins, and one that four win together.
#
#   make demo          builds, runs, shows, stops everything
#   make demo KEEP=1   leaves the pool running and says how to use and stop it
#
# Every party is a process of its own with its own identity, state folder and
# ports, all on loopback. The Kubernetes API server is a real one (kubelab).
set -euo pipefail

# shellcheck source=testdata/demo/stage.sh
. "$(dirname "$0")/stage.sh"

step "a Kubernetes control plane: etcd, API server, controllers, scheduler, one node"
background cluster "$bin/kubelab" up --dir "$home/cluster" --nodes 1
kubeconfig="$home/cluster/admin.kubeconfig"
until_true 120 "the control plane" "$bin/kubelab" kubectl --kubeconfig "$kubeconfig" get serviceaccount default
note "ready: $kubeconfig"

step "a pool: who may take part is signed, default deny"
dht=127.0.0.1:$((20000 + RANDOM % 10000))
as founder pool create demo --bootstrap "$dht" --out "$home/pool.yaml"
invite() { # invite WHO ROLE OPERATOR
  local id
  id=$(as "$1" identity show -o name)
  as founder pool invite "$id" --role "$2" --operator "$3" --out "$home/$1.invitation" -q
  as "$1" pool join "$home/$1.invitation" -q
}
invite bootstrap operator founder
background bootstrap env ANGLER_STATE_DIR="$home/bootstrap" "$bin/angler" serve --dht-only --dht-listen "$dht"

step "five providers, each with its own secret offer"
provider() { # provider NAME CPU PRICE
  invite "$1" operator "$1-corp"
  background "$1" env ANGLER_STATE_DIR="$home/$1" "$bin/angler" serve \
    --listen 127.0.0.1:0 --dht-listen 127.0.0.1:0 --kubeconfig "$kubeconfig" --location u33d
  until_true 20 "the daemon of $1" env ANGLER_STATE_DIR="$home/$1" "$bin/angler" status -q
  show "angler offer --cpu $2 --price $3      # at $1, told to nobody"
  as "$1" offer --cpu "$2" --price "$3"
}
provider ash 40 0.034
provider birch 40 0.031
provider cedar 10 0.012
provider dogwood 40 0.038
provider elm 40 0.045

step "a requester asks for 32 vCPUs, at most 0.05 a vCPU and hour"
invite quince requester quince-corp
# --wait: the announcements may still be on their way through the DHT
show "angler request --cpu 32 --max-price 0.05 --location u33d --policy lowest-price --min-providers 5 --deadline 20s --wait 1m"
as quince request --cpu 32 --max-price 0.05 --location u33d --policy lowest-price --min-providers 5 --deadline 20s --wait 1m --out "$home/lease.kubeconfig"

step "what each learned, in its own words"
for who in birch cedar; do
  show "angler status      # at $who"
  as "$who" status
done
show "angler lease list      # at the requester"
as quince lease list -o wide
as birch status -o json | grep -q '"outcome": "selected"' || fail "birch, the cheapest with room, was not selected"
as cedar status -o json | grep -q '"outcome": "not selected"' || fail "cedar, cheaper but too small, should have learned only that"

step "the namespace, used with the requester's own kubeconfig"
kubectl() { "$bin/kubelab" kubectl --kubeconfig "$home/lease.kubeconfig" "$@"; }
pod() { # pod NAME CPU
  cat <<YAML
apiVersion: v1
kind: Pod
metadata: {name: $1}
spec:
  securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: main
    image: registry.k8s.io/pause:3.10
    resources: {requests: {cpu: "$2", memory: 1Gi}, limits: {cpu: "$2", memory: 1Gi}}
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
YAML
}
show "kubectl apply -f pod-with-30-cpus.yaml"
pod fits 30 | kubectl apply -f - || fail "a pod within the quota was refused"
show "kubectl apply -f pod-with-3-more.yaml"
if out=$(pod greedy 3 | kubectl apply -f - 2>&1); then fail "a pod over the quota was accepted"; fi
grep -q 'exceeded quota' <<<"$out" || fail "refused, but not by the quota: $out"
note "$out"
show "kubectl get pods -n default"
if out=$(kubectl get pods -n default 2>&1); then fail "another namespace was readable"; fi
note "$out"
show "kubectl describe resourcequota angler      # its cpu and memory"
kubectl describe resourcequota angler | grep -E '^(Resource|-|(limits|requests)[.](cpu|memory))'

step "the lease is given back"
as quince lease release "$(as quince lease list -o name)"

step "each has ten vCPUs now; a requester asks for 32"
ten() { # ten NAME PRICE
  show "angler offer --cpu 10 --price $2      # at $1"
  as "$1" offer --cpu 10 --price "$2" -q >/dev/null
}
ten ash 0.034
ten birch 0.031
ten cedar 0.012
ten dogwood 0.038
ten elm 0.045
show "angler request --cpu 32"
as quince request --cpu 32 --min-providers 5 --wait 1m --out "$home/lease.kubeconfig"

step "one lease in four parts, one kubeconfig: a context for each, the largest is the current one"
contexts=$(kubectl config get-contexts -o name)
[ "$(wc -l <<<"$contexts")" = 4 ] || fail "not four contexts: $contexts"
for context in $contexts; do
  printf '%s  requests.cpu %s\n' "$context" "$(kubectl --context "$context" get resourcequota angler -o 'jsonpath={.spec.hard.requests\.cpu}')"
done
as elm status -o json | grep -q '"outcome": "selected"' && fail "elm, the dearest, should not have been selected"
as quince lease show "$(as quince lease list -o name)" -o json | grep -c '"state": "active"' | grep -qx 5 || fail "not all parts are active"

if [ -n "$keep" ]; then
  step "left running, in $home"
  cat <<TEXT
use the namespace   $bin/kubelab kubectl --kubeconfig $home/lease.kubeconfig get pods
ask again           ANGLER_STATE_DIR=$home/quince $bin/angler request --cpu 4 --location u33d
a provider's view   ANGLER_STATE_DIR=$home/birch $bin/angler status
stop everything     kill ${pids[*]}; rm -rf $home
TEXT
  exit 0
fi

step "the lease is given back, and everything is stopped"
as quince lease release "$(as quince lease list -o name)"
note "done: nothing is left behind"
