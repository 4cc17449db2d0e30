// Package deploy holds what Angler is installed with: the Helm chart, its rendered form for those who use none, the kinds of
// the operator, the systemd unit, the image, and what packages need. Its tests render the chart with Helm's own engine, apply all
// of it to a real control plane, and hold chart, unit, image and release against each other and against the binary's flags.
package deploy
