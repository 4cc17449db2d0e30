#!/bin/sh
# Makes the user and its folder. A service that runs goes on as the new version; none is started. One that cannot go on is
# no broken package.
set -e
if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers angler.conf
	systemd-tmpfiles --create angler.conf || echo "the next boot makes /var/lib/angler" >&2
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl try-restart angler.service || echo "angler.service does not start again: see journalctl -u angler" >&2
fi
