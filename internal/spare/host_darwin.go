package spare

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// ThisHost returns this boot of this machine: the kernel's boot session, which
// is random, and the machine's UUID.
func ThisHost() (Host, error) {
	boot, err := unix.Sysctl("kern.bootsessionuuid")
	if err != nil {
		return Host{}, fmt.Errorf("boot session: %w", err)
	}
	if boot == "" {
		return Host{}, errors.New("boot session is empty")
	}
	machine, err := unix.Sysctl("kern.uuid")
	if err != nil {
		return Host{}, fmt.Errorf("machine id: %w", err)
	}
	return hostOf(machine, boot), nil
}
