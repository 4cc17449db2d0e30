package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	maxRequest  = 64 << 10
	headerTime  = 5 * time.Second
	idleTime    = 2 * time.Minute
	grace       = 2 * time.Second // for answers under way when the daemon stops
	maxHeader   = 16 << 10
	contentType = "application/json"
)

// Serve answers for d on a listener that Listen returned, until ctx ends; it returns nil then, having joined every handler,
// and closes ln. A daemon owns the socket before it opens its ledger. Contexts given to d end with the client's connection
// or with ctx.
func Serve(ctx context.Context, ln net.Listener, d Daemon, log *slog.Logger) error {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	var running sync.WaitGroup
	srv := &http.Server{
		Handler:           counted(handler(d, log), &running),
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	select {
	case err := <-served:
		return fmt.Errorf("control: %w", err)
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := srv.Shutdown(stop); err != nil {
		srv.Close()
	}
	<-served //nolint:errcheck // it says that the server was shut down
	running.Wait()
	return nil
}

// counted lets Serve join handlers whose connection it had to cut.
func counted(h http.Handler, running *sync.WaitGroup) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		running.Add(1)
		defer running.Done()
		h.ServeHTTP(w, r)
	})
}

type offers struct {
	Offers []Offer `json:"offers"`
}

type leases struct {
	Leases []Lease `json:"leases"`
}

// handler is the table of the package comment.
func handler(d Daemon, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, answer func(w http.ResponseWriter, r *http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			v, err := answer(w, r)
			if err != nil {
				writeError(w, err)
				return
			}
			writeJSON(w, http.StatusOK, v)
		})
	}
	handle("GET /v1/status", func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return d.Status(r.Context())
	})
	handle("GET /v1/offers", func(_ http.ResponseWriter, r *http.Request) (any, error) {
		list, err := d.Offers(r.Context())
		return offers{notNil(list)}, err
	})
	handle("PUT /v1/offers/{name}", func(w http.ResponseWriter, r *http.Request) (any, error) {
		var o Offer
		if err := readJSON(w, r, &o); err != nil {
			return nil, err
		}
		if name := r.PathValue("name"); o.Name == "" {
			o.Name = name
		} else if o.Name != name {
			return nil, New(ErrInvalid, fmt.Sprintf("offer %q was put under the name %q", o.Name, name))
		}
		return d.PutOffer(r.Context(), o)
	})
	handle("DELETE /v1/offers/{name}", func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return nil, d.RemoveOffer(r.Context(), r.PathValue("name"))
	})
	handle("POST /v1/offers/{name}/pause", func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return d.SetPaused(r.Context(), r.PathValue("name"), true)
	})
	handle("POST /v1/offers/{name}/resume", func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return d.SetPaused(r.Context(), r.PathValue("name"), false)
	})
	handle("GET /v1/leases", func(_ http.ResponseWriter, r *http.Request) (any, error) {
		list, err := d.Leases(r.Context())
		return leases{notNil(list)}, err
	})
	handle("GET /v1/leases/{id}", func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return d.Lease(r.Context(), r.PathValue("id"))
	})
	handle("DELETE /v1/leases/{id}", func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return d.ReleaseLease(r.Context(), r.PathValue("id"))
	})
	handle("POST /v1/leases/{id}/reclaim", func(_ http.ResponseWriter, r *http.Request) (any, error) {
		return d.ReclaimLease(r.Context(), r.PathValue("id"))
	})
	handle("PUT /v1/drain", func(w http.ResponseWriter, r *http.Request) (any, error) {
		var to Drain
		if err := readJSON(w, r, &to); err != nil {
			return nil, err
		}
		switch to.State {
		case NotDraining, Draining, DrainingToLeave:
			return d.SetDrain(r.Context(), to)
		}
		return nil, New(ErrInvalid, "no such state of draining")
	})
	mux.HandleFunc("POST /v1/lookup", func(w http.ResponseWriter, r *http.Request) { serveLookup(w, r, d) })
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeError(w, New(ErrUnsupported, fmt.Sprintf("this daemon has no %s %s", r.Method, r.URL.Path)))
	})
	return recovered(mux, log)
}

// recovered turns a panic of a handler into ErrInternal, so that a bug behind one command does not take the daemon's
// leases down with it.
func recovered(h http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				return
			}
			if v != nil {
				log.Error("control handler panicked", "path", r.URL.Path, "panic", v)
				writeError(w, New(ErrInternal, "the daemon failed on this command; its log says where"))
			}
		}()
		h.ServeHTTP(w, r)
	})
}

// line is one line of the answer to a lookup.
type line struct {
	Found *Found `json:"found,omitempty"`
	Done  bool   `json:"done,omitempty"`
	Error *Error `json:"error,omitempty"`
}

func serveLookup(w http.ResponseWriter, r *http.Request, d Daemon) {
	var q Lookup
	if err := readJSON(w, r, &q); err != nil {
		writeError(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	enc, flush := json.NewEncoder(w), http.NewResponseController(w)
	send := func(l line) bool { return enc.Encode(l) == nil && flush.Flush() == nil }
	err := d.Lookup(r.Context(), q, func(f Found) bool { return send(line{Found: &f}) })
	if err != nil {
		e, _ := wire(err)
		send(line{Error: e})
		return
	}
	send(line{Done: true})
}

// readJSON reads one strict JSON object of at most maxRequest bytes.
func readJSON(w http.ResponseWriter, r *http.Request, v any) error {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest))
	dec.DisallowUnknownFields()
	err := dec.Decode(v)
	if err == nil {
		if _, err = dec.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("trailing data")
	}
	return New(ErrInvalid, fmt.Sprintf("request body: %v", err))
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	if v == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	body, err := json.Marshal(v)
	if err != nil {
		writeError(w, fmt.Errorf("answer: %w", err))
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

func writeError(w http.ResponseWriter, err error) {
	e, status := wire(err)
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(e)
}

// notNil makes an empty list "[]" in JSON.
func notNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
