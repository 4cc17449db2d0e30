//go:build !linux

package k8stest

import "syscall"

// attributes keep a terminal's Ctrl-C from reaching the cluster before the tests have ended.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
