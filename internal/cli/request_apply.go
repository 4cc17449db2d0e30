package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/angler-dex/angler/internal/k8s/workload"
	"github.com/angler-dex/angler/internal/requester"
)

// Bounds of a workload.
const (
	maxManifest   = 4 << 20         // bytes of all files together
	logsWithin    = 5 * time.Minute // for the logs of all parts, which strangers send
	releaseWithin = 2 * time.Minute // for giving a lease back when all else is over
)

// applyFlags say what a lease is for.
type applyFlags struct {
	files         []string
	ready         time.Duration
	releaseOnExit bool
	logs          string
}

func (f *applyFlags) register(s *pflag.FlagSet) {
	s.StringArrayVar(&f.files, "apply", nil, "`file` of manifests to apply into the new namespaces, - for stdin; repeat it for more; only the winners see them")
	s.DurationVar(&f.ready, "ready-within", 5*time.Minute, "with --apply: how long to wait until all of it works")
	s.BoolVar(&f.releaseOnExit, "release-on-exit", false, "with --apply: wait until it is done, print its logs, and give the lease back, whatever came of it")
	s.StringVar(&f.logs, "logs", "", "with --release-on-exit: `folder` for the logs, one file a container (default stdout)")
	for name, value := range map[string]string{"apply": "app.yaml", "ready-within": "10m", "logs": "logs"} {
		sample(s, name, value)
	}
}

// load reads the manifests; nil: there are none.
func (f *applyFlags) load(a *app) (*workload.Manifest, error) {
	switch {
	case len(f.files) == 0 && (f.releaseOnExit || f.logs != ""):
		return nil, usagef("--release-on-exit and --logs are about what --apply runs; for example --apply job.yaml --release-on-exit")
	case len(f.files) == 0:
		return nil, nil
	case f.logs != "" && !f.releaseOnExit:
		return nil, usagef("--logs collects logs at the end, which needs --release-on-exit; for example --apply job.yaml --release-on-exit --logs logs")
	case f.ready <= 0:
		return nil, flagError("ready-within", "must be more than 0", "--ready-within 10m")
	}
	var all bytes.Buffer
	for _, path := range f.files {
		text, err := a.readInput(path, maxManifest-int64(all.Len()))
		if err != nil {
			return nil, usagef("--apply: %w; for example --apply app.yaml", err)
		}
		all.Write(text)
		all.WriteString("\n---\n")
	}
	m, err := workload.Parse(all.Bytes())
	if err == nil {
		err = m.Scope()
	}
	if err != nil {
		return nil, usagef("--apply: %w", err)
	}
	return m, nil
}

// workloadError says that what ran in a lease did not end well.
type workloadError struct{ err error }

func (e *workloadError) Error() string { return "the workload failed: " + e.err.Error() }
func (e *workloadError) Unwrap() error { return e.err }

// running is a workload in one part of a lease.
type running struct {
	context string
	target  *workload.Target
	applied workload.Applied
}

// start applies the manifests into every part and waits until they are what until says.
func (a *app) start(ctx context.Context, l requester.Lease, m *workload.Manifest, until workload.Until) ([]running, error) {
	config, err := l.Kubeconfig(requester.Access{})
	if err != nil {
		return nil, err
	}
	var parts []running
	for k := range l.Parts {
		t, err := workload.Open(config, l.Context(k))
		if err != nil {
			return nil, err
		}
		parts = append(parts, running{context: l.Context(k), target: t})
	}
	errs := make([]error, len(parts))
	var all sync.WaitGroup
	var say sync.Mutex
	for k := range parts {
		r := &parts[k]
		all.Go(func() {
			applied, err := r.target.Apply(ctx, m)
			if err != nil {
				errs[k] = fmt.Errorf("%s: %w", r.context, err)
				return
			}
			r.applied = applied
			err = r.target.Wait(ctx, r.applied, until, func(s workload.State) {
				say.Lock()
				defer say.Unlock()
				a.talk.step("%s: %s: %s", r.context, s.Object, s.Says)
			})
			if err != nil {
				errs[k] = fmt.Errorf("%s: %w", r.context, err)
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return parts, &workloadError{err}
	}
	return parts, nil
}

// applyAndKeep has the workload run in a lease that stays.
func (a *app) applyAndKeep(ctx context.Context, l requester.Lease, m *workload.Manifest, f applyFlags) error {
	a.talk.step("applying %s", plural(m.Len(), "object"))
	limited, cancel := context.WithTimeout(ctx, f.ready)
	defer cancel()
	if _, err := a.start(limited, l, m, workload.Ready); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%w\nlease %s is yours all the same: 'angler lease release %s' gives it back", err, l.ID.Short(), l.ID.Short())
	}
	return nil
}

// applyAndRelease runs a workload to its end, collects its logs, and gives the lease back, whatever happens.
func (a *app) applyAndRelease(ctx context.Context, l requester.Lease, m *workload.Manifest, f applyFlags) (err error) {
	defer func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseWithin)
		defer cancel()
		if failed := a.giveBack(last, l); failed != nil {
			err = errors.Join(err, fmt.Errorf("lease %s is not given back as a whole: %w\ntry again with 'angler lease release %s'", l.ID.Short(), failed, l.ID.Short()))
			return
		}
		a.talk.done("lease %s is released", l.ID)
	}()
	a.talk.step("lease %s; running %s", l.ID, plural(m.Len(), "object"))
	limited, cancel := context.WithDeadline(ctx, l.Expires())
	defer cancel()
	parts, err := a.start(limited, l, m, workload.Done)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	collecting, stop := context.WithTimeout(ctx, logsWithin)
	defer stop()
	for _, r := range parts {
		if lerr := a.logs(collecting, r, f.logs, len(parts) > 1); lerr != nil {
			a.talk.warn("logs: %v", lerr)
		}
	}
	return err
}

func (a *app) giveBack(ctx context.Context, l requester.Lease) error {
	store, err := requester.OpenStore(a.paths.leases())
	if err != nil {
		return err
	}
	defer a.forget(store, l)
	return a.atProviders(ctx, store, l, func(ctx context.Context, c *requester.Client) error {
		_, err := c.Release(ctx, l)
		return err
	})
}

// logs collects what the containers of a workload wrote.
func (a *app) logs(ctx context.Context, r running, dir string, several bool) error {
	if len(r.applied) == 0 {
		return nil
	}
	var file *os.File // of the log that is being written: they come one after the other
	var fault error
	done := func() {
		if file != nil {
			fault = errors.Join(fault, file.Close())
			file = nil
		}
	}
	err := r.target.Logs(ctx, r.applied, func(s workload.Source) io.Writer {
		if dir == "" {
			a.talk.step("log of %s, container %s", s.Pod, s.Container)
			return &plainText{w: a.io.Out}
		}
		name := s.Pod + "." + s.Container + ".log"
		if several {
			name = r.context + "." + name
		}
		done()
		var err error
		if file, err = logFile(dir, name); err != nil {
			fault = errors.Join(fault, err)
			return nil
		}
		return file
	})
	done()
	return errors.Join(err, fault)
}

// logFile makes a file whose name a stranger's API server had a part in.
func logFile(dir, name string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if clean(name) != name || strings.ContainsAny(name, "/\\") || strings.HasPrefix(name, ".") || len(name) > 250 {
		return nil, errors.New("a container whose name cannot be one of a file")
	}
	return os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
}

// plainText lets nothing through to a terminal that is more than text.
type plainText struct{ w io.Writer }

// Write is io.Writer's. What is split between two writes may come out as replacement characters.
func (p *plainText) Write(b []byte) (int, error) {
	lines := strings.Split(string(b), "\n")
	for k, line := range lines {
		cells := strings.Split(strings.TrimSuffix(line, "\r"), "\t")
		for i := range cells {
			cells[i] = clean(cells[i])
		}
		lines[k] = strings.Join(cells, "\t")
	}
	if _, err := io.WriteString(p.w, strings.Join(lines, "\n")); err != nil {
		return 0, err
	}
	return len(b), nil
}
