//go:build unix

package requester

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// tryLock takes the lock of an open file, which lasts until it is closed; false:
// somebody else has it.
func tryLock(f *os.File) (bool, error) {
	return locked(unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB))
}

// locked says what the system's answer means. Where a file system has no locks, as
// some that are mounted from elsewhere have none, who writes last is heard: a lease
// that could not be released would be worse.
func locked(err error) (bool, error) {
	switch {
	case errors.Is(err, unix.EWOULDBLOCK), errors.Is(err, unix.EINTR):
		return false, nil
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.ENOLCK):
		return true, nil
	}
	return err == nil, err
}
