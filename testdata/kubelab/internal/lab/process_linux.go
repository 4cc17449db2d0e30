package lab

import "syscall"

// childAttributes keep a terminal's Ctrl-C from the children, whose supervisor stops them in order, and have the kernel
// kill them when the supervisor dies.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
