package k8stest

import "syscall"

// attributes have the kernel stop the cluster when the test process dies, as it does when a test times out, and keep a
// terminal's Ctrl-C from reaching it before the tests have ended.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
