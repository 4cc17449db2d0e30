package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const lockName = "kubelab.lock"

// A lock marks a folder as in use, by two locks on one file that the kernel drops by itself:
//
//   - a POSIX record lock belongs to the supervisor's process alone, and the kernel tells its pid to whoever asks. So
//     there is no pid file to go stale;
//   - a flock belongs to the open file, which every child inherits. So it is free only when the last process is gone.
type lock struct{ file *os.File }

// acquire takes the folder, or says which process has it. It waits for the children of a supervisor that was killed.
func acquire(ctx context.Context, dir string) (*lock, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	whole := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart}
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_SETLK, &whole); err != nil {
		pid, _ := supervisor(f)
		f.Close()
		return nil, fmt.Errorf("a cluster already runs in %s (process %d); stop it with: kubelab down --dir %s", dir, pid, dir)
	}
	if err := awaitFree(ctx, f, 10*time.Second); err != nil {
		f.Close()
		return nil, fmt.Errorf("processes of an earlier cluster still run in %s: %w", dir, err)
	}
	return &lock{file: f}, nil
}

func (l *lock) release() { l.file.Close() }

// supervisor returns the pid of the process that holds the record lock, 0 if none does.
func supervisor(f *os.File) (int, error) {
	query := syscall.Flock_t{Type: syscall.F_WRLCK, Whence: io.SeekStart}
	if err := syscall.FcntlFlock(f.Fd(), syscall.F_GETLK, &query); err != nil {
		return 0, err
	}
	if query.Type == syscall.F_UNLCK {
		return 0, nil
	}
	return int(query.Pid), nil
}

var errStillHeld = errors.New("still held")

// awaitFree waits until it holds the flock, at most for limit.
func awaitFree(ctx context.Context, f *os.File, limit time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errStillHeld)
	defer cancel()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
