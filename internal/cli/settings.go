package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sort"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// A setting is a flag that may also come from the environment or the configuration file. Its key in the file is the flag's
// name, in the section of its command if it is not a global flag; its variable is the key in capitals after ANGLER_, with _
// for "." and "-":
//
//	--min-roster of serve      serve: {min-roster: 5}      ANGLER_SERVE_MIN_ROSTER=5
//	--state-dir everywhere     state-dir: /srv/angler      ANGLER_STATE_DIR=/srv/angler
//
// Flags are bound to the fields of a struct for each command, so a value that the environment or the file gives is written
// through the flag: it is parsed and checked by the same code and ends in the same field.
const settingKey = "angler/setting"

// settings marks flags as settings of a section ("" for global ones), all but those named.
func settings(flags *pflag.FlagSet, section string, except ...string) {
	flags.VisitAll(func(f *pflag.Flag) {
		if slices.Contains(except, f.Name) {
			return
		}
		key := f.Name
		if section != "" {
			key = section + "." + f.Name
		}
		_ = flags.SetAnnotation(f.Name, settingKey, []string{key}) // the flag exists: it is being visited
	})
}

func settingOf(f *pflag.Flag) (key string, ok bool) {
	if a := f.Annotations[settingKey]; len(a) == 1 {
		return a[0], true
	}
	return "", false
}

func variable(key string) string {
	return "ANGLER_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key))
}

// knownKeys collects the settings of every command.
func knownKeys(root *cobra.Command) []string {
	var keys []string
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		for _, set := range []*pflag.FlagSet{c.LocalNonPersistentFlags(), c.PersistentFlags()} {
			set.VisitAll(func(f *pflag.Flag) {
				if key, ok := settingOf(f); ok && !slices.Contains(keys, key) {
					keys = append(keys, key)
				}
			})
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	sort.Strings(keys)
	return keys
}

// loadSettings fills in what the command line left open and settles the paths.
func (a *app) loadSettings(cmd *cobra.Command) error {
	// The file's own place cannot stand in the file.
	config, state := a.flags.config, a.flags.stateDir
	if config == "" {
		config = os.Getenv(variable("config"))
	}
	if state == "" {
		state = os.Getenv(variable("state-dir"))
	}
	path, asked, err := configPath(config, state)
	if err != nil {
		return err
	}
	v := viper.New()
	v.SetConfigFile(path)
	v.SetConfigType("yaml")
	switch err = v.ReadInConfig(); {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist) && !asked:
	case errors.Is(err, fs.ErrNotExist):
		return usagef("--config: there is no file %s", path)
	default:
		return usagef("configuration file %s: %w", path, err)
	}
	if err = checkKeys(v, path, knownKeys(cmd.Root())); err != nil {
		return err
	}
	if err = applyAll(v, cmd.Flags(), path); err != nil {
		return err
	}
	a.paths, err = findPaths(path, a.flags.stateDir, a.flags.socket)
	return err
}

// applyAll fills in the flags that were not given; a value that does not parse is named with where it stands.
func applyAll(v *viper.Viper, flags *pflag.FlagSet, path string) error {
	var fault error
	flags.VisitAll(func(f *pflag.Flag) {
		key, ok := settingOf(f)
		if !ok || f.Changed || fault != nil {
			return
		}
		if err := apply(v, f, key); err != nil {
			source := fmt.Sprintf("configuration file %s: %s", path, key)
			if os.Getenv(variable(key)) != "" {
				source = "environment variable " + variable(key)
			}
			fault = usagef("%s: %w; a valid value is %s", source, err, sampleOf(f))
		}
	})
	return fault
}

// apply writes the value of the environment, else of the file, into a flag; the flag does not count as given.
func apply(v *viper.Viper, f *pflag.Flag, key string) error {
	name := variable(key)
	if err := v.BindEnv(key, name); err != nil {
		return err
	}
	if !v.IsSet(key) {
		return nil
	}
	if list, ok := f.Value.(pflag.SliceValue); ok && os.Getenv(name) == "" {
		return list.Replace(v.GetStringSlice(key))
	}
	return f.Value.Set(v.GetString(key))
}

// checkKeys refuses a file with a key that nothing reads: a typo in a setting must not leave its default in force.
func checkKeys(v *viper.Viper, path string, known []string) error {
	for _, key := range v.AllKeys() {
		if !slices.Contains(known, key) {
			return usagef("configuration file %s: unknown key %q%s", path, key, nearest(key, known))
		}
	}
	return nil
}
