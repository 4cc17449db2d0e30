package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// graceOfTerm is how long a process may take to stop after SIGTERM before it is killed.
const graceOfTerm = 8 * time.Second

// errPortTaken is the cause of a process that ended because somebody else listens on its port.
var errPortTaken = errors.New("port taken")

// A family is the set of child processes of one cluster. When one ends without being asked to, ctx is cancelled with the
// reason as its cause, and whoever waits for the cluster stops waiting.
type family struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc
	dir     string
	lock    *os.File // inherited by each child, see lock.go
	members []*process
}

type process struct {
	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has been waited for
}

func newFamily(ctx context.Context, dir string, lock *os.File) *family {
	ctx, cancel := context.WithCancelCause(ctx)
	return &family{ctx: ctx, cancel: cancel, dir: dir, lock: lock}
}

// start runs this executable as name, its output in D/name.log. The calling thread must live as long as the child.
func (f *family) start(name string, args []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(f.dir, name+".log"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	c := exec.Command(self, append([]string{name}, args...)...)
	c.Stdout, c.Stderr = log, log
	c.ExtraFiles = []*os.File{f.lock}
	c.SysProcAttr = childAttributes()
	if err := c.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	p := &process{name: name, cmd: c, done: make(chan struct{})}
	f.members = append(f.members, p)
	go func() {
		waitErr := c.Wait()
		f.cancel(exitReason(name, log.Name(), waitErr))
		close(p.done)
	}()
	return nil
}

// stop ends the processes in the reverse of the order in which they started, and waits for each.
func (f *family) stop() error {
	f.cancel(context.Canceled)
	var errs []error
	for i := len(f.members) - 1; i >= 0; i-- {
		p := f.members[i]
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended
		select {
		case <-p.done:
		case <-time.After(graceOfTerm):
			_ = p.cmd.Process.Kill()
			<-p.done
			errs = append(errs, fmt.Errorf("%s had to be killed", p.name))
		}
	}
	return errors.Join(errs...)
}

// exitReason words the end of a process with the last thing that it said.
func exitReason(name, logPath string, err error) error {
	said := lastLine(logPath)
	if err == nil {
		err = errors.New("exit status 0")
	}
	if strings.Contains(said, "address already in use") {
		return fmt.Errorf("%s: %w: %s", name, errPortTaken, said)
	}
	return fmt.Errorf("%s ended: %w: %s (see %s)", name, err, said, logPath)
}

// lastLine returns the last line of a log that is not empty, or "".
func lastLine(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	const tail = 4096
	_, _ = f.Seek(-tail, io.SeekEnd) // fails for a shorter one, which is read from its start
	b, err := io.ReadAll(io.LimitReader(f, tail))
	if err != nil {
		return ""
	}
	b = bytes.TrimRight(b, "\n ")
	return string(b[bytes.LastIndexByte(b, '\n')+1:])
}
