package cli

import (
	"fmt"
	"io"
	"strings"
)

// talk writes lines to stderr, each whole at once. There is no animation: a line that is written stays, on a terminal as in
// a CI log. Quiet leaves faults only.
type talk struct {
	w     io.Writer
	style palette
	quiet bool
}

// step says what is being done now.
func (t talk) step(format string, args ...any) {
	if !t.quiet {
		t.line(t.style.dim("· ") + clean(fmt.Sprintf(format, args...)))
	}
}

// done says what has been done.
func (t talk) done(format string, args ...any) {
	if !t.quiet {
		t.line(t.style.good("✓ ") + clean(fmt.Sprintf(format, args...)))
	}
}

// warn says what the user should look at although the command goes on.
func (t talk) warn(format string, args ...any) {
	if !t.quiet {
		t.line(t.style.warn("! ") + clean(fmt.Sprintf(format, args...)))
	}
}

// fault says why the command fails; lines after the first are an example or a list.
func (t talk) fault(text string) {
	first, rest, more := strings.Cut(text, "\n")
	t.line(t.style.bad("angler: ") + clean(first))
	for more {
		first, rest, more = strings.Cut(rest, "\n")
		t.line("  " + clean(first))
	}
}

func (t talk) hint(text string) { t.line(t.style.dim("  " + clean(text))) }

func (t talk) line(text string) { fmt.Fprintln(t.w, text) }
