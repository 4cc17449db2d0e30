package placement

import "cmp"

// Takes says whether a function has parameters of these names, whatever their values.
// Errors are as of ParsePolicy.
func Takes(function string, parameters ...string) error {
	if _, err := ParsePolicy(function); err != nil {
		return err
	}
	valued := map[string]string{"winners": "winners=2", "with": "with=storage"}
	for _, key := range parameters {
		if _, err := ParsePolicy(function + ";" + cmp.Or(valued[key], key)); err != nil {
			return err
		}
	}
	return nil
}
