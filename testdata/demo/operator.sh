#!/usr/bin/env bash
# The operator's demo: capacity is contributed with kubectl, leased in a private match, and shown as an object.
#
#   make demo OPERATOR=1          builds, runs, shows, stops everything
#   make demo OPERATOR=1 KEEP=1   leaves it running and says how to use and stop it
#
# The daemon that follows the cluster's objects has the rights that deploy/ grants it, and no more. The Kubernetes API server
# is a real one (kubelab); every party is a process of its own on loopback.
set -euo pipefail

# shellcheck source=testdata/demo/stage.sh
. "$(dirname "$0")/stage.sh"

root=$(cd "$(dirname "$0")/../.." && pwd)

step "a Kubernetes control plane with two nodes, and what deploy/ installs"
background cluster "$bin/kubelab" up --dir "$home/cluster" --nodes 2
export KUBECONFIG="$home/cluster/admin.kubeconfig"
kubectl() { "$bin/kubelab" kubectl "$@"; }
until_true 120 "the control plane" "$bin/kubelab" kubectl get serviceaccount default
show "kubectl apply -f deploy/crds -f deploy/manifests/rbac.yaml"
kubectl apply -f "$root/deploy/crds" -f "$root/deploy/manifests/rbac.yaml"
kubectl wait --for=condition=Established crd/poolcontributions.angler-dex.github.io crd/poolleases.angler-dex.github.io >/dev/null

step "a pool, and three providers; one follows the cluster's objects, as its service account"
dht=127.0.0.1:$((20000 + RANDOM % 10000))
as founder pool create demo --bootstrap "$dht" --out "$home/pool.yaml" -q
invite() { # invite WHO ROLE
  as founder pool invite "$(as "$1" identity show -o name)" --role "$2" --operator "$1-corp" --out "$home/$1.invitation" -q
  as "$1" pool join "$home/$1.invitation" -q
}
invite bootstrap operator
background bootstrap env ANGLER_STATE_DIR="$home/bootstrap" "$bin/angler" serve --dht-only --dht-listen "$dht"
account=$home/account.kubeconfig
cp "$KUBECONFIG" "$account"
kubectl --kubeconfig "$account" config set-credentials account --token "$(kubectl create token angler -n angler-system --duration 1h)" >/dev/null
kubectl --kubeconfig "$account" config set-context --current --user account >/dev/null
serve() { # serve NAME KUBECONFIG FLAGS…
  local who=$1 with=$2
  shift 2
  invite "$who" operator
  background "$who" env ANGLER_STATE_DIR="$home/$who" "$bin/angler" serve \
    --listen 127.0.0.1:0 --dht-listen 127.0.0.1:0 --kubeconfig "$with" --location u33d "$@"
  until_true 20 "the daemon of $who" env ANGLER_STATE_DIR="$home/$who" "$bin/angler" status -q
}
show "angler serve --operator      # at fir"
serve fir "$account" --operator
serve gum "$KUBECONFIG"
serve hazel "$KUBECONFIG"
as gum offer --cpu 40 --price 0.05
as hazel offer --cpu 40 --price 0.06

step "capacity is contributed: half of what the nodes have over, above a reserve"
cat >"$home/contribution.yaml" <<'YAML'
apiVersion: angler-dex.github.io/v1alpha1
kind: PoolContribution
metadata:
  name: spare
  namespace: angler-system
spec:
  unit: {cpu: 1, memory: 1Gi}
  surplus:
    share: 50%
    keep: {cpu: 4, memory: 8Gi}
    whenFree: 20%
  priceExpr: 0.02 + 0.02*used/total
  reclaimNotice: 30m
YAML
note "$(cat "$home/contribution.yaml")"
show "kubectl apply -f contribution.yaml"
kubectl apply -f "$home/contribution.yaml"
kubectl wait --for=condition=Ready poolcontribution/spare -n angler-system --timeout 60s
show "kubectl get poolcontributions -n angler-system"
kubectl get poolcontributions -n angler-system

step "a requester asks for 16 vCPUs; the contribution is the cheapest that has them"
invite quince requester
show "angler request --cpu 16 --max-price 0.05 --wait 1m"
as quince request --cpu 16 --max-price 0.05 --location u33d --min-providers 3 --wait 1m --out "$home/lease.kubeconfig"
id=$(as quince lease list -o name | head -n 1)
kubectl wait --for=create "poollease/$id" -n angler-system --timeout 60s >/dev/null
kubectl wait --for=condition=Ready "poollease/$id" -n angler-system --timeout 60s >/dev/null

step "the lease is an object of the cluster, its namespace has a quota"
show "kubectl get poolleases,poolcontributions -n angler-system"
kubectl get poolleases -n angler-system
kubectl get poolcontributions -n angler-system
[ "$(kubectl get "poollease/$id" -n angler-system -o 'jsonpath={.status.quantity} {.spec.contribution}')" = "16 spare" ] ||
  fail "the lease is not one of 16 units of the contribution"
show "kubectl --kubeconfig lease.kubeconfig describe resourcequota angler      # its cpu and memory"
kubectl --kubeconfig "$home/lease.kubeconfig" describe resourcequota angler | grep -E '^(Resource|-|(limits|requests)[.](cpu|memory))'

if [ -n "$keep" ]; then
  step "left running, in $home"
  cat <<TEXT
the cluster         export KUBECONFIG=$KUBECONFIG; $bin/kubelab kubectl get poolcontributions,poolleases -n angler-system
the daemon          ANGLER_STATE_DIR=$home/fir $bin/angler status
stop everything     kill ${pids[*]}; rm -rf $home
TEXT
  exit 0
fi

step "the contribution is deleted: the offer goes, the lease lives until it is given back"
kubectl delete -f "$home/contribution.yaml"
until_true 30 "the end of the offer" bash -c "! ANGLER_STATE_DIR='$home/fir' '$bin/angler' offer list -o name | grep -q contribution/spare"
kubectl get "poollease/$id" -n angler-system
as quince lease release "$id"
kubectl wait --for=jsonpath='{.status.state}'=released "poollease/$id" -n angler-system --timeout 60s
note "done: nothing is left behind"
