package operator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/k8s"
)

// Daemon is what the operator does with its daemon.
type Daemon interface {
	Offers(ctx context.Context) ([]control.Offer, error)
	PutOffer(ctx context.Context, o control.Offer) (control.Offer, error)
	RemoveOffer(ctx context.Context, name string) error
	Leases(ctx context.Context) ([]control.Lease, error)
}

// Config says what an operator works on. All but the times are required.
type Config struct {
	Daemon    Daemon
	REST      rest.Interface // of the cluster, as the provider
	Namespace string         // where contributions are read and leases are written
	Provider  string         // our peer id

	// Locate places the daemon in a geohash cell. The error says why it is elsewhere.
	Locate func(cell string) error

	Log    *slog.Logger
	Now    func() time.Time
	Every  time.Duration // between full comparisons; 0: 30 s
	Leases time.Duration // between looks at the daemon's leases; 0: 1 s
}

// Operator keeps offers and objects in step. Run owns it.
type Operator struct {
	cfg     Config
	objects objects
	put     map[string]putOffer // by contribution: what was put and what the daemon made of it
	leases  map[string]Lease    // by id: as they were written
	changed chan struct{}       // contributions have
	said    string              // trouble that was logged last
}

type putOffer struct {
	asked, got control.Offer
}

// New makes an operator; Run runs it.
func New(cfg Config) *Operator {
	if cfg.Every == 0 {
		cfg.Every = 30 * time.Second
	}
	if cfg.Leases == 0 {
		cfg.Leases = time.Second
	}
	return &Operator{
		cfg: cfg, objects: objects{rest: cfg.REST, namespace: cfg.Namespace}, put: map[string]putOffer{},
		changed: make(chan struct{}, 1),
	}
}

// Run works until ctx ends. No trouble with the API server ends it: the daemon's offers stay as they are meanwhile.
func (o *Operator) Run(ctx context.Context) error {
	every, leases := time.NewTicker(o.cfg.Every), time.NewTicker(o.cfg.Leases)
	defer every.Stop()
	defer leases.Stop()
	watching := make(chan struct{})
	versions := make(chan string, 1)
	go func() { defer close(watching); o.watch(ctx, versions) }()
	defer func() { <-watching }()
	full := true
	for {
		version, err := o.sync(ctx, full)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		o.tell(err)
		if version != "" {
			select {
			case versions <- version:
			default:
			}
		}
		full = err != nil
		select {
		case <-o.changed:
			full = true
		case <-every.C:
			full = true
		case <-leases.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// watch says that contributions have changed. It begins again, at the version of a later list, whenever a watch ends.
func (o *Operator) watch(ctx context.Context, versions <-chan string) {
	for {
		select {
		case <-ctx.Done():
			return
		case version := <-versions:
			if err := o.objects.watch(ctx, contributions, version, o.poke); err != nil && ctx.Err() == nil {
				o.cfg.Log.Debug("watch ended", "err", err)
				select {
				case <-time.After(time.Second):
				case <-ctx.Done():
					return
				}
			}
			o.poke() // what came in between is in the next list
		}
	}
}

func (o *Operator) poke() {
	select {
	case o.changed <- struct{}{}:
	default:
	}
}

// sync compares and puts right: leases always, contributions if full. It returns the version of the list of contributions.
func (o *Operator) sync(ctx context.Context, full bool) (version string, err error) {
	leases, err := o.cfg.Daemon.Leases(ctx)
	if err != nil {
		return "", err
	}
	if full || o.moved(leases) {
		var failed error
		version, failed = o.contribute(ctx, leases)
		err = errors.Join(failed, o.show(ctx, leases))
	}
	return version, err
}

// moved says whether leases differ from what was written.
func (o *Operator) moved(leases []control.Lease) bool {
	list := shown(leases)
	if len(list) != len(o.leases) {
		return true
	}
	for _, l := range list {
		if !reflect.DeepEqual(o.leases[l.ID], object(o.cfg.Namespace, l)) {
			return true
		}
	}
	return false
}

// tell logs trouble once, and when it is over.
func (o *Operator) tell(err error) {
	said := ""
	if err != nil {
		said = hint(err).Error()
	}
	switch {
	case said == o.said:
	case said != "":
		o.cfg.Log.Warn("cannot follow the cluster's contributions", "namespace", o.cfg.Namespace, "err", said)
	default:
		o.cfg.Log.Info("follows the cluster's contributions again", "namespace", o.cfg.Namespace)
	}
	o.said = said
}

// hint adds what to do about it.
func hint(err error) error {
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("%w: are the kinds installed? kubectl apply -f deploy/crds", err)
	case errors.Is(err, k8s.ErrForbidden):
		return fmt.Errorf("%w: the role angler-operator of deploy/ is what is needed", err)
	}
	return err
}
