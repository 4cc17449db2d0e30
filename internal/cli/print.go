package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"
)

// Output formats of -o.
const (
	formatTable = "table"
	formatWide  = "wide"
	formatJSON  = "json"
	formatYAML  = "yaml"
	formatName  = "name"
)

// formatsKey annotates a command that has other formats than the usual ones.
const formatsKey = "angler/formats"

var usualFormats = []string{formatTable, formatWide, formatJSON, formatYAML, formatName}

// formatsOf lists the formats of a command.
func formatsOf(cmd *cobra.Command) []string {
	if f, ok := cmd.Annotations[formatsKey]; ok {
		return strings.Split(f, ",")
	}
	return usualFormats
}

func (a *app) checkFormat(cmd *cobra.Command) error {
	formats := formatsOf(cmd)
	if !slices.Contains(formats, a.flags.output) {
		return usagef("--output %q is none of %s; for example -o json", a.flags.output, strings.Join(formats, ", "))
	}
	return nil
}

// view is a result in every form: data marshals to JSON and YAML, names is one line a thing, text is for people.
type view struct {
	data  any
	names []string
	text  func(p *page)
}

// page is what a text is written to.
type page struct {
	bytes.Buffer
	style palette
	wide  bool
}

func (p *page) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// field writes a label and its value in two columns; it leaves out what is empty.
func (p *page) field(label, value string) {
	if value != "" {
		p.line("%s %s", p.style.dim(fmt.Sprintf("%-12s", label+":")), clean(value))
	}
}

// print writes the view in the format of -o, all or nothing.
func (a *app) print(v view) error {
	p := &page{style: a.style}
	switch a.flags.output {
	case formatJSON:
		enc := json.NewEncoder(p)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(v.data); err != nil {
			return fmt.Errorf("output: %w", err)
		}
	case formatYAML:
		text, err := yaml.Marshal(v.data)
		if err != nil {
			return fmt.Errorf("output: %w", err)
		}
		p.Write(text)
	case formatName:
		for _, n := range v.names {
			p.line("%s", n)
		}
	default:
		p.wide = a.flags.output == formatWide
		v.text(p)
	}
	return a.write(p.Bytes())
}

// write puts bytes on stdout; a full disk is an error of the command.
func (a *app) write(b []byte) error {
	if _, err := a.io.Out.Write(b); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return nil
}

var _ io.Writer = (*page)(nil)
