package cli

import (
	"os"
	"strings"
	"unicode"

	"charm.land/lipgloss/v2"
)

// styled tells whether a stream gets styles: a terminal that can show them, and a user who did not say NO_COLOR.
func styled(stream any) bool {
	t := os.Getenv("TERM")
	return terminal(stream) && os.Getenv("NO_COLOR") == "" && t != "" && t != "dumb"
}

// palette styles text for one stream; off, it leaves text alone, so that no escape sequence ever gets into a file or a pipe.
type palette struct{ on bool }

// The sixteen colours that every terminal has, so that its theme decides.
var (
	styleHead = lipgloss.NewStyle().Bold(true)
	styleDim  = lipgloss.NewStyle().Faint(true)
	styleGood = lipgloss.NewStyle().Foreground(lipgloss.Green)
	styleWarn = lipgloss.NewStyle().Foreground(lipgloss.Yellow)
	styleBad  = lipgloss.NewStyle().Bold(true).Foreground(lipgloss.Red)
)

func (p palette) paint(s lipgloss.Style, text string) string {
	if !p.on || text == "" {
		return text
	}
	return s.Render(text)
}

func (p palette) head(text string) string { return p.paint(styleHead, text) }
func (p palette) dim(text string) string  { return p.paint(styleDim, text) }
func (p palette) good(text string) string { return p.paint(styleGood, text) }
func (p palette) warn(text string) string { return p.paint(styleWarn, text) }
func (p palette) bad(text string) string  { return p.paint(styleBad, text) }

// clean replaces control characters: text that a peer chose must not move a terminal's cursor.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r) {
			return '�'
		}
		return r
	}, text)
}
