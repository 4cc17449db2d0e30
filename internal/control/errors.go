package control

import (
	"context"
	"errors"
	"net/http"
)

// Error is a fault that crosses the socket. Two errors match under errors.Is when their codes are equal.
type Error struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (e *Error) Error() string { return e.Message }

// Is compares codes, so that errors.Is(err, ErrNotFound) holds on both sides of the socket.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// The faults that a Daemon may answer with (wrap them, or make them with Errorf-like New) and a client decides on.
var (
	ErrInvalid     = &Error{"invalid", "invalid request"}
	ErrNotFound    = &Error{"not_found", "not found"}
	ErrConflict    = &Error{"conflict", "conflicts with the present state"}
	ErrDenied      = &Error{"denied", "not allowed"}
	ErrUnsupported = &Error{"unsupported", "not supported by this daemon"}
	ErrUnavailable = &Error{"unavailable", "not available now"}
	ErrNoCluster   = &Error{"no_cluster", "the daemon has no usable cluster"}
	ErrNoBootstrap = &Error{"no_bootstrap", "no bootstrap node answers"}
	ErrDeadline    = &Error{"deadline", "the deadline passed"}
	ErrInternal    = &Error{"internal", "the daemon failed"}
)

// New returns an error of the kind's code with its own message.
func New(kind *Error, message string) *Error { return &Error{Code: kind.Code, Message: message} }

// Faults of the door itself; they never cross the socket.
var (
	ErrNoDaemon = errors.New("no daemon answers")
	ErrRunning  = errors.New("another daemon is listening")
)

// statuses is the HTTP status of each code.
var statuses = map[string]int{
	ErrInvalid.Code:     http.StatusBadRequest,
	ErrNotFound.Code:    http.StatusNotFound,
	ErrConflict.Code:    http.StatusConflict,
	ErrDenied.Code:      http.StatusForbidden,
	ErrUnsupported.Code: http.StatusNotImplemented,
	ErrUnavailable.Code: http.StatusServiceUnavailable,
	ErrNoCluster.Code:   http.StatusServiceUnavailable,
	ErrNoBootstrap.Code: http.StatusServiceUnavailable,
	ErrDeadline.Code:    http.StatusGatewayTimeout,
	ErrInternal.Code:    http.StatusInternalServerError,
}

// wire turns any error of a Daemon into what is sent: the code of the Error inside it, the words of the whole chain.
func wire(err error) (*Error, int) {
	var e *Error
	switch {
	case errors.As(err, &e):
		if _, known := statuses[e.Code]; known {
			return &Error{Code: e.Code, Message: err.Error()}, statuses[e.Code]
		}
	case errors.Is(err, context.DeadlineExceeded):
		return &Error{Code: ErrDeadline.Code, Message: err.Error()}, statuses[ErrDeadline.Code]
	}
	return &Error{Code: ErrInternal.Code, Message: err.Error()}, http.StatusInternalServerError
}
