# What both demos stand on: a folder for everything, parties that are processes
# of their own, and an end that leaves nothing behind. Sourced with the folder of
# the binaries; KEEP=1 leaves it all running.
bin=${1:?usage: run.sh or operator.sh BIN_DIR}
keep=${KEEP:-}
home=$(mktemp -d "${TMPDIR:-/tmp}/angler-demo.XXXXXX")
pids=()

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' dim=$'\e[2m' off=$'\e[0m'; else bold='' dim='' off=''; fi
step() { printf '\n%s— %s%s\n' "$bold" "$*" "$off"; }
note() { printf '%s%s%s\n' "$dim" "$*" "$off"; }
show() { printf '%s$ %s%s\n' "$dim" "$*" "$off"; }
fail() { printf 'demo: %s\n' "$*" >&2; exit 1; }

# as NAME COMMAND…: one party's angler, with that party's state and nobody else's.
as() {
  local who=$1
  shift
  ANGLER_STATE_DIR="$home/$who" "$bin/angler" "$@"
}

stop_all() {
  local status=$?
  if [ -n "$keep" ] && [ "$status" = 0 ]; then return; fi
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  "$bin/kubelab" down --dir "$home/cluster" >/dev/null 2>&1 || true
  if [ "$status" != 0 ]; then
    for log in "$home"/*.log; do
      printf '\n== %s\n' "${log##*/}" >&2
      tail -n 15 "$log" >&2
    done
  fi
  rm -rf "$home"
}
trap stop_all EXIT

# until_true SECONDS WHAT COMMAND…
until_true() {
  local limit=$1 what=$2
  shift 2
  for ((tick = 0; tick < limit * 5; tick++)); do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.2
  done
  fail "$what: not within $limit seconds"
}

background() { # background NAME COMMAND…
  local name=$1
  shift
  "$@" >"$home/$name.log" 2>&1 &
  pids+=($!)
}
