#!/bin/sh
# Makes the user and its folder. A service that runs goes on as the new version; none is started.
set -e
if command -v systemd-sysusers >/dev/null; then
	systemd-sysusers angler.conf
	systemd-tmpfiles --create angler.conf || echo "the next boot makes /var/lib/angler" >&2
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl try-restart angler.service
fi
