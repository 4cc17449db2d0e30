#!/bin/sh
# The state folder stays, and the user that owns it: leases and memberships depend on them.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
