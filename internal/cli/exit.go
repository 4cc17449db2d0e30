package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/dht"
	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/node"
	"github.com/angler-dex/angler/internal/requester"
)

// Exit codes; scripts rely on them.
const (
	ExitOK          = 0
	ExitOther       = 1
	ExitUsage       = 2
	ExitNoMatch     = 3
	ExitTooFew      = 4
	ExitAborted     = 5
	ExitProvision   = 6
	ExitDeadline    = 7
	ExitNoDaemon    = 8
	ExitNoBootstrap = 9
	ExitNoCluster   = 10
	ExitWorkload    = 11
	ExitInterrupted = 130
)

// meanings is the table that help and manual pages print.
var meanings = []struct {
	code int
	text string
}{
	{ExitOK, "done"},
	{ExitOther, "any other fault"},
	{ExitUsage, "usage: a flag, an argument or a file is wrong"},
	{ExitNoMatch, "no offer fits"},
	{ExitTooFew, "fewer than --min-providers found"},
	{ExitAborted, "the match was aborted"},
	{ExitProvision, "provisioning failed"},
	{ExitDeadline, "a deadline passed"},
	{ExitNoDaemon, "no daemon at the socket"},
	{ExitNoBootstrap, "no bootstrap node answers"},
	{ExitNoCluster, "no cluster"},
	{ExitWorkload, "the workload of --apply failed"},
	{ExitInterrupted, "interrupted"},
}

// Faults that are decided here.
var (
	errInterrupted = errors.New("interrupted")
	errTimeout     = errors.New("the command's --timeout passed")
)

// ExitError is an error whose code is given by whoever made it; it wins over the table. Quiet: the result already said it.
type ExitError struct {
	Code  int
	Err   error
	Quiet bool
}

func (e *ExitError) Error() string { return e.Err.Error() }
func (e *ExitError) Unwrap() error { return e.Err }

// usageError is a fault of the command line or of a file that it names.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func asUsage(err error) error {
	var u *usageError
	if errors.As(err, &u) {
		return err
	}
	return &usageError{err}
}

// usagef makes a usageError.
func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// flagError names a flag, what is wrong with it, and a valid use of it.
func flagError(flag, problem, example string) error {
	return usagef("--%s %s; for example %s", flag, problem, example)
}

// codes maps errors of the packages below to exit codes; the first line that matches counts. hint is a next step that helps
// whoever reads the error.
var codes = []struct {
	is   error
	code int
	hint string
}{
	{errInterrupted, ExitInterrupted, ""},
	{control.ErrNoDaemon, ExitNoDaemon, "start one with 'angler serve', or point at a running one with --state-dir or --socket"},
	{control.ErrNoBootstrap, ExitNoBootstrap, ""},
	{control.ErrNoCluster, ExitNoCluster, ""},
	{dht.ErrNoBootstrap, ExitNoBootstrap, "its address stands in the pool's file; --bootstrap names another"},
	{node.ErrTemplate, ExitUsage, ""},
	{k8s.ErrNoCluster, ExitNoCluster, "name one with --kubeconfig or $KUBECONFIG"},
	{control.ErrInvalid, ExitUsage, ""},
	{requester.ErrNoFit, ExitNoMatch, "--wait keeps trying"},
	{requester.ErrAborted, ExitAborted, "with more providers (--max-providers) a few cannot spoil it; --wait keeps trying"},
	{requester.ErrDeadline, ExitDeadline, "--deadline bounds each try"},
	{control.ErrDeadline, ExitDeadline, ""},
	{errTimeout, ExitDeadline, ""},
	{context.DeadlineExceeded, ExitDeadline, ""},
}

// codeOf returns the exit code of an error and a hint, if there is one.
func codeOf(err error) (code int, hint string) {
	var exit *ExitError
	if errors.As(err, &exit) {
		return exit.Code, ""
	}
	var usage *usageError
	var field *market.FieldError
	if errors.As(err, &usage) || errors.As(err, &field) {
		return ExitUsage, ""
	}
	var few *requester.TooFewError
	var ran *workloadError
	var policy *requester.PolicyError
	var provision *requester.ProvisionError
	switch {
	case errors.As(err, &ran):
		return ExitWorkload, ""
	case errors.As(err, &policy) && policy.Handicap():
		return ExitTooFew, "leave --handicap and --prefer-kept out; --wait keeps trying"
	case errors.As(err, &policy):
		return ExitTooFew, "--policy names another; --wait keeps trying"
	case errors.As(err, &few) && few.Far+few.Outside > 0:
		return ExitTooFew, "a wider --region and a longer --max-rtt have more; --wait keeps trying; --min-providers asks for fewer, which tells each more"
	case errors.As(err, &few):
		return ExitTooFew, "--wait keeps trying; --min-providers asks for fewer, which tells each more"
	case errors.As(err, &provision):
		return ExitProvision, ""
	}
	var own *hintError
	for _, c := range codes {
		switch {
		case !errors.Is(err, c.is):
		case errors.As(err, &own):
			return c.code, own.hint
		default:
			return c.code, c.hint
		}
	}
	if errors.As(err, &own) {
		return ExitOther, own.hint
	}
	return ExitOther, ""
}

// report writes an error for people and returns its code.
func (a *app) report(cmd *cobra.Command, err error) int {
	if err == nil {
		return ExitOK
	}
	code, hint := codeOf(err)
	var exit *ExitError
	if errors.As(err, &exit) && exit.Quiet {
		return code
	}
	text := err.Error()
	if errors.Is(err, context.DeadlineExceeded) && cmd != nil && errors.Is(context.Cause(cmd.Context()), errTimeout) {
		text = fmt.Sprintf("%v (%v)", errTimeout, a.flags.timeout)
	}
	a.talk.fault(text)
	if hint != "" {
		a.talk.hint(hint)
	}
	var usage *usageError
	if errors.As(err, &usage) && cmd != nil {
		a.talk.hint(fmt.Sprintf("see '%s --help'", cmd.CommandPath()))
	}
	return code
}

// exitCodes is the table as help prints it.
func exitCodes() string {
	var b strings.Builder
	for _, m := range meanings {
		fmt.Fprintf(&b, "  %3d  %s\n", m.code, m.text)
	}
	return b.String()
}
