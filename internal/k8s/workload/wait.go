package workload

import (
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/angler-dex/angler/internal/k8s"
)

// How often an object is looked at: soon at first, then every second.
const (
	firstLook = 100 * time.Millisecond
	lastLook  = time.Second
)

// A NotReadyError says what is not ready, and how far it is.
type NotReadyError struct {
	States []State // those that are not ready
	Err    error   // the context's error; nil if one of them has failed
}

func (e *NotReadyError) Error() string {
	parts := make([]string, len(e.States))
	for i, s := range e.States {
		parts[i] = s.Object.String() + ": " + s.Says
	}
	text := strings.Join(parts, "; ")
	if e.Err != nil {
		return fmt.Sprintf("not ready: %v (%s)", e.Err, text)
	}
	return text
}

func (e *NotReadyError) Unwrap() error { return e.Err }

// Wait waits until all objects are ready, or done. tell, if not nil, is called with each change of a state. The error is a
// *NotReadyError when something has failed or ctx ends.
func (t *Target) Wait(ctx context.Context, applied Applied, until Until, tell func(State)) error {
	states := make([]State, len(applied))
	for look := firstLook; ; look = min(2*look, lastLook) {
		var open []State
		failed := false
		for i, o := range applied {
			if states[i].Ready {
				continue
			}
			next, err := t.state(ctx, o, until)
			switch {
			case ctx.Err() != nil:
				next = states[i] // what was known
				next.Object = o
			case err != nil:
				return fmt.Errorf("look at %s: %w", o, err)
			case next != states[i] && tell != nil:
				tell(next)
			}
			states[i] = next
			failed = failed || next.Failed
			if !next.Ready {
				open = append(open, next)
			}
		}
		switch {
		case len(open) == 0:
			return nil
		case ctx.Err() != nil:
			return &NotReadyError{open, context.Cause(ctx)}
		case failed:
			return &NotReadyError{States: open}
		}
		timer := time.NewTimer(look)
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
	}
}

// state looks at one object. One that has been deleted has failed.
func (t *Target) state(ctx context.Context, o Object, until Until) (State, error) {
	var there *unstructured.Unstructured
	err := k8s.Retry(ctx, func(ctx context.Context) (err error) {
		there, err = t.at(o).Get(ctx, o.Name, metav1.GetOptions{})
		return err
	})
	if apierrors.IsNotFound(err) {
		return State{Object: o, Failed: true, Says: "deleted"}, nil
	}
	if err != nil {
		return State{}, err
	}
	s, err := judge(there, until)
	s.Object = o
	return s, err
}
