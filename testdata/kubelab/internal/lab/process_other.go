//go:build !linux

package lab

import "syscall"

// childAttributes keep a terminal's Ctrl-C from the children. Only Linux can tie their lives to the supervisor's: elsewhere
// they outlive one that is killed with SIGKILL, and Down reports them.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
