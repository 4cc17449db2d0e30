package cli

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal returns a pseudo-terminal: what a program sees as one (pts(4)).
func openTerminal(t *testing.T) *os.File {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	if err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	return slave
}

// TestStylesAreForTerminals looks at each stream by itself.
func TestStylesAreForTerminals(t *testing.T) {
	tty := openTerminal(t)
	pipe, _, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	for _, tc := range []struct {
		stream        *os.File
		term, noColor string
		want          bool
	}{
		{tty, "xterm-256color", "", true},
		{pipe, "xterm-256color", "", false},
		{tty, "xterm-256color", "yes", false},
		{tty, "dumb", "", false},
		{tty, "", "", false},
	} {
		t.Setenv("TERM", tc.term)
		t.Setenv("NO_COLOR", tc.noColor)
		if got := styled(tc.stream); got != tc.want {
			t.Errorf("%s, TERM=%q, NO_COLOR=%q: %v", tc.stream.Name(), tc.term, tc.noColor, got)
		}
	}
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	a := newApp(IOStreams{Out: pipe, Err: tty})
	if a.style.on || !a.talk.style.on {
		t.Error("the streams were not looked at one by one")
	}
	if on, off := (palette{true}).bad("x"), (palette{}).bad("x"); on == "x" || off != "x" {
		t.Errorf("%q, %q", on, off)
	}
}
