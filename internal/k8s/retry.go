package k8s

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/klog/v2"
)

const (
	firstDelay = 50 * time.Millisecond
	maxDelay   = 2 * time.Second
)

// wrongShape is in what an API server says to a server-side apply of an object with fields that its kind does not have. It
// says so as if it had failed itself.
const wrongShape = "failed to create typed patch object"

// Retry calls an API server until that works, fails for good, or ctx ends: what may pass by itself, such as conflicts,
// throttling, server errors and time-outs, is tried again with back-off, each attempt for at most ten seconds. An error of
// somebody who may not is ErrForbidden.
func Retry(ctx context.Context, try func(context.Context) error) error {
	return refused(retry(ctx, try))
}

// retry tries until it works, fails for good, or ctx ends; each attempt has attemptLimit. The delay doubles from firstDelay
// to maxDelay; a longer one that the server asks for is respected.
func retry(ctx context.Context, try func(context.Context) error) error {
	for delay := firstDelay; ; delay = min(2*delay, maxDelay) {
		err := attempt(ctx, try)
		if err == nil || !passes(err) {
			return err
		}
		if ctx.Err() == nil {
			pause := delay
			if seconds, ok := apierrors.SuggestsClientDelay(err); ok {
				pause = max(pause, time.Duration(seconds)*time.Second)
			}
			sleep(ctx, pause)
		}
		if ended := context.Cause(ctx); ended != nil {
			if errors.Is(err, ctx.Err()) {
				return err // says so itself
			}
			return fmt.Errorf("%w; before that: %w", ended, err)
		}
	}
}

func attempt(ctx context.Context, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, attemptLimit)
	defer cancel()
	return try(klog.NewContext(ctx, klog.New(nil))) // the client would print to stderr what it returns as an error anyway
}

// sleep waits for d or for the end of ctx.
func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// notYet is an error of ours that passes when the cluster has caught up.
type notYet string

func (e notYet) Error() string { return string(e) }

// passes reports whether an error may pass by itself: conflicts, throttling and server errors do, as do failures to reach
// the server, but for a server that is not who it should be.
func passes(err error) bool {
	var later notYet
	var network net.Error // which *url.Error, the client's, is too
	var impostor *tls.CertificateVerificationError
	switch code := statusOf(err); {
	case code == http.StatusConflict:
		return !apierrors.IsAlreadyExists(err)
	case code != 0:
		return code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code >= 500 && !strings.Contains(err.Error(), wrongShape)
	case errors.As(err, &impostor), errors.Is(err, ErrHostile):
		return false
	}
	return errors.As(err, &later) || errors.As(err, &network) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded)
}

// statusOf returns the HTTP status with which an API server answered, 0 if none answered.
func statusOf(err error) int32 {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return status.Status().Code
	}
	return 0
}
