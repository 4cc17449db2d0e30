#!/bin/sh
# Makes what packages have beside the binary: manual pages and completions, in a folder (bin/share). The binary that wrote
# them stays there.
set -eu
share=${1:-bin/share}
rm -rf "$share"
mkdir -p "$share/man" "$share/completion"
go build -o "$share/angler" github.com/angler-dex/angler/cmd/angler
"$share/angler" docs man --dir "$share/man"
gzip -9n "$share"/man/*.1
for shell in bash zsh fish; do
	"$share/angler" completion "$shell" >"$share/completion/$shell"
done
