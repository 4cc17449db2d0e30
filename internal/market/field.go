package market

import (
	"errors"
	"fmt"
)

// FieldError says which field of something that a user wrote is wrong, what is
// wrong with it, and what a valid one looks like. It never carries the value of
// a secret field (quantity, price, size); it may quote a class, which is public.
type FieldError struct {
	Field   string // as the user knows it: cpu, memory, gpu, class, quantity, price, name, …
	Problem string
	Example string
}

// Error formats the field, the problem and the example in one line.
func (e *FieldError) Error() string {
	if e.Example == "" {
		return fmt.Sprintf("%s: %s", e.Field, e.Problem)
	}
	return fmt.Sprintf("%s: %s; for example %s", e.Field, e.Problem, e.Example)
}

// InField returns err with the field renamed, if it is a *FieldError, so that a
// command can name its flag: InField("--max-price", err).
func InField(field string, err error) error {
	var f *FieldError
	if !errors.As(err, &f) {
		return err
	}
	renamed := *f
	renamed.Field = field
	return &renamed
}

func wrong(field, problem, example string) error {
	return &FieldError{Field: field, Problem: problem, Example: example}
}

// quote bounds and escapes a public text before it goes into an error.
func quote(text string) string {
	const limit = 48
	if len(text) > limit {
		text = text[:limit] + "…"
	}
	return fmt.Sprintf("%q", text)
}
