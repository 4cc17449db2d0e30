// Package deploy holds what Angler is installed with: the Helm chart, its rendered form for those who use none, the kinds of
// the operator, the systemd unit and the image. Its tests render the chart with Helm's own engine and apply all of it to a real
// control plane.
package deploy
