package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// IOStreams are the three streams of a command.
type IOStreams struct {
	In  io.Reader
	Out io.Writer // results
	Err io.Writer // talk
}

// Main runs the process's own command line; the first SIGINT or SIGTERM ends it in order, a second one at once.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return Run(ctx, IOStreams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.Args[1:])
}

// Run executes one command line (without the program's name) and returns its exit code. It returns soon after ctx ends, with
// ExitInterrupted if ctx was cancelled.
func Run(ctx context.Context, streams IOStreams, args []string) int {
	a := newApp(streams)
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	defer func() { a.stop() }()
	cmd, err := root.ExecuteContextC(ctx)
	if err != nil && !a.started {
		err = asUsage(err) // cobra's and pflag's own faults
	}
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		err = errInterrupted
	}
	return a.report(cmd, err)
}

// app is one run: its streams, its sources of time and randomness, and what the flags and files said.
type app struct {
	io   IOStreams
	now  func() time.Time
	rand io.Reader

	flags   globalFlags
	paths   paths
	style   palette // of stdout
	talk    talk    // on stderr
	started bool    // the command itself has begun: a fault from here on is not one of usage
	stop    context.CancelFunc
}

func newApp(streams IOStreams) *app {
	return &app{
		io:    streams,
		now:   time.Now,
		rand:  rand.Reader,
		style: palette{styled(streams.Out)},
		talk:  talk{w: streams.Err, style: palette{styled(streams.Err)}},
		stop:  func() {},
	}
}

// prepare runs before every command: settings, paths, the bound on the whole command.
func (a *app) prepare(cmd *cobra.Command) error {
	if err := a.loadSettings(cmd); err != nil {
		return err
	}
	a.talk.quiet = a.flags.quiet
	if a.flags.timeout < 0 {
		return flagError("timeout", "is negative", "--timeout 5m")
	}
	if err := a.checkFormat(cmd); err != nil {
		return err
	}
	if a.flags.timeout > 0 {
		ctx, cancel := context.WithTimeoutCause(cmd.Context(), a.flags.timeout, errTimeout)
		a.stop = cancel
		cmd.SetContext(ctx)
	}
	a.started = true
	return nil
}

// terminal tells whether a stream is one that a person looks at.
func terminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
