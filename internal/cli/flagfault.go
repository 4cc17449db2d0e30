package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/angler-dex/angler/internal/market"
)

// samples are valid values for an error to show, by type of flag; a flag has its own if one was set with sample.
var samples = map[string]string{
	"duration": "5m", "int": "3", "uint": "3", "uint16": "3", "uint32": "3", "uint64": "3", "bool": "true", "float64": "0.5",
}

const sampleKey = "angler/sample"

// sample gives a flag the value that errors show as a valid one.
func sample(flags *pflag.FlagSet, name, value string) {
	_ = flags.SetAnnotation(name, sampleKey, []string{value}) // an unknown name shows in TestEveryFlagIsDescribed
}

func sampleOf(f *pflag.Flag) string {
	if s := f.Annotations[sampleKey]; len(s) == 1 {
		return s[0]
	}
	if s, ok := samples[f.Value.Type()]; ok {
		return s
	}
	return strings.ToUpper(f.Name)
}

// flagFault rewrites what pflag says so that it names the flag and shows a valid value.
func flagFault(cmd *cobra.Command, err error) error {
	var (
		invalid  *pflag.InvalidValueError
		unknown  *pflag.NotExistError
		required *pflag.ValueRequiredError
	)
	switch {
	case errors.As(err, &invalid):
		f := invalid.GetFlag()
		return usagef("--%s %q is not a valid %s; for example --%s %s", f.Name, invalid.GetValue(), f.Value.Type(), f.Name, sampleOf(f))
	case errors.As(err, &required) && required.GetFlag() != nil:
		f := required.GetFlag()
		return usagef("--%s needs a value; for example --%s %s", f.Name, f.Name, sampleOf(f))
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "":
		var known []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden {
				known = append(known, "--"+f.Name)
			}
		})
		return usagef("unknown flag --%s%s", unknown.GetSpecifiedName(), nearest("--"+unknown.GetSpecifiedName(), known))
	}
	return asUsage(err)
}

// fieldFault names the flag behind a field of the market that is wrong: flags gives those whose name is not the field's.
func fieldFault(err error, flags map[string]string) error {
	var f *market.FieldError
	if !errors.As(err, &f) {
		return err
	}
	name := f.Field
	if flag, ok := flags[name]; ok {
		name = flag
	}
	if f.Example == "" {
		return usagef("--%s: %s", name, f.Problem)
	}
	return usagef("--%s: %s; for example --%s %s", name, f.Problem, name, f.Example)
}
