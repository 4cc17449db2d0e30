package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// How long Down lets the supervisor stop its children in order, and how long the kernel may take after SIGKILL.
const (
	graceOfDown = 40 * time.Second
	graceOfKill = 10 * time.Second
)

// Down stops the cluster that runs in dir and waits until its last process is gone. It reports whether anything ran; that
// nothing did, or that there is no such folder, is no error.
func Down(ctx context.Context, dir string) (stopped bool, err error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	if err = awaitFree(ctx, f, 0); !errors.Is(err, errStillHeld) {
		return false, err
	}
	if err = signalSupervisor(f, syscall.SIGTERM); err != nil {
		return false, err
	}
	err = awaitFree(ctx, f, graceOfDown)
	if errors.Is(err, errStillHeld) {
		if err = signalSupervisor(f, syscall.SIGKILL); err != nil {
			return false, err
		}
		err = awaitFree(ctx, f, graceOfKill)
	}
	if err != nil {
		return false, fmt.Errorf("processes of the cluster in %s did not end: %w", dir, err)
	}
	return true, nil
}

// signalSupervisor signals whoever holds the record lock, if somebody does.
func signalSupervisor(f *os.File, sig syscall.Signal) error {
	pid, err := supervisor(f)
	if err != nil || pid == 0 {
		return err
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	defer func() { _ = p.Release() }()
	// p is a handle on one process (a pidfd): if that one holds the lock now, it cannot be a later owner of the same pid.
	if again, err := supervisor(f); err != nil || again != pid {
		return err
	}
	if err := p.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal process %d: %w", pid, err)
	}
	return nil
}
