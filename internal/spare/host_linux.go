package spare

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// ThisHost returns this boot of this machine: the kernel's boot id, which is
// random, and machine-id(5), which containers may lack.
func ThisHost() (Host, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return Host{}, fmt.Errorf("boot id: %w", err)
	}
	if strings.TrimSpace(string(boot)) == "" {
		return Host{}, errors.New("boot id is empty")
	}
	machine, err := os.ReadFile("/etc/machine-id")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Host{}, fmt.Errorf("machine id: %w", err)
	}
	return hostOf(string(machine), string(boot)), nil
}
