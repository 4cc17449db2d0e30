package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/node"
	"github.com/angler-dex/angler/internal/placement"
	"github.com/angler-dex/angler/internal/requester"
)

// acquireFlags let a daemon ask for capacity by itself when its cluster is short of it.
type acquireFlags struct {
	below, maxPrice, namespace string
	size                       sizeFlags
	term, pause, deadline      time.Duration
	most, minProviders         int
}

func (q *acquireFlags) register(f *pflag.FlagSet) {
	f.StringVar(&q.below, "acquire-below", "", "`bound`: request capacity while less of the cluster is free, such as 'free<10%'; how much is said by --cpu, --memory, … or --class (default never)")
	q.size.register(f)
	f.StringVar(&q.size.unit, "class", "", "the `class` to acquire, such as cpu=1,memory=4Gi; the same as --unit")
	f.StringVar(&q.maxPrice, "max-price", "", "highest `price` per unit and hour of what is acquired")
	f.DurationVar(&q.term, "acquire-duration", market.DefaultDuration, "how long an acquired lease is to last; it is renewed while capacity is short")
	f.DurationVar(&q.pause, "acquire-pause", 5*time.Minute, "least time between two requests")
	f.IntVar(&q.most, "acquire-most", 1, "most acquired leases at once")
	f.IntVar(&q.minProviders, "acquire-min-providers", 3, "fewest providers to run a match among")
	f.DurationVar(&q.deadline, "acquire-deadline", time.Minute, "bound on one request, from the search to its result")
	f.StringVar(&q.namespace, "acquire-namespace", "", "`namespace` for the secrets with the kubeconfigs (default as --operator-namespace)")
	for name, value := range map[string]string{
		"acquire-below": "'free<10%'", "class": "cpu=1,memory=4Gi", "max-price": "0.05", "acquire-duration": "2h", "acquire-pause": "10m", "acquire-most": "4",
		"acquire-min-providers": "3", "acquire-deadline": "30s", "acquire-namespace": defaultNamespace,
	} {
		sample(f, name, value)
	}
}

// parseBelow reads free< and a percentage.
func parseBelow(text string) (market.Percent, error) {
	rest, ok := strings.CutPrefix(strings.ReplaceAll(text, " ", ""), "free<")
	p, err := market.ParsePercent("acquire-below", rest)
	if !ok || err != nil || p == 0 {
		return 0, flagError("acquire-below", "is not free< and a percentage", "--acquire-below 'free<10%'")
	}
	return p, nil
}

// acquire puts the flags into a configuration that has its key.
func (a *app) acquire(q acquireFlags, cfg *node.Config) error {
	if q.below == "" {
		for flag, text := range map[string]string{
			"cpu": q.size.cpu, "memory": q.size.memory, "gpu": q.size.gpu, "class": q.size.unit, "count": q.size.count, "max-price": q.maxPrice, "acquire-namespace": q.namespace,
		} {
			if text != "" {
				return usagef("--%s says what to acquire, and --acquire-below when; for example --acquire-below 'free<10%%' --cpu 8 --max-price 0.05", flag)
			}
		}
		return nil
	}
	below, err := parseBelow(q.below)
	if err != nil {
		return err
	}
	if q.size.unit != "" && q.size.count == "" {
		q.size.count = "1"
	}
	req := market.Request{Duration: q.term, Policy: placement.FitPolicy}
	if req.Class, req.Quantity, err = q.size.shape(market.Shape); err != nil {
		return err
	}
	switch {
	case cfg.DHTOnly:
		return usagef("--acquire-below looks at a cluster, which --dht-only has none of; leave one of them out")
	case q.maxPrice == "":
		return flagError("max-price", "is missing: who acquires by itself needs a bound", "--max-price 0.05")
	case q.most < 1:
		return flagError("acquire-most", "must be 1 or more", "--acquire-most 4")
	case q.pause < time.Second:
		return flagError("acquire-pause", "must be a second or more", "--acquire-pause 5m")
	case q.deadline <= 0:
		return flagError("acquire-deadline", "must be above 0", "--acquire-deadline 1m")
	case q.minProviders < 1 || q.minProviders > placement.MaxProviders:
		return flagError("acquire-min-providers", fmt.Sprintf("must be from 1 to %d", placement.MaxProviders), "--acquire-min-providers 3")
	}
	if req.MaxPrice, err = market.ParsePrice(q.maxPrice); err != nil {
		return fieldFault(err, map[string]string{"price": "max-price"})
	}
	if err = req.Validate(); err != nil {
		return fieldFault(err, sizeNames)
	}
	if q.namespace == "" {
		if q.namespace, err = ownNamespace(cfg.Operator); err != nil {
			return err
		}
	}
	if len(validation.IsDNS1123Label(q.namespace)) > 0 {
		return flagError("acquire-namespace", fmt.Sprintf("%q is not the name of a namespace", clean(q.namespace)), "--acquire-namespace "+defaultNamespace)
	}
	cfg.Acquire = &node.Acquire{
		Below: below, Most: q.most, Pause: q.pause, Term: q.term, Namespace: q.namespace,
		Requester: &acquiring{app: a, cfg: cfg, req: req, bounds: requester.Bounds{MinProviders: q.minProviders, MaxProviders: max(q.minProviders, 8), Deadline: q.deadline}},
	}
	return nil
}

// acquiring is the daemon's identity as a requester: what angler request does, done by the daemon. It implements node.Requester.
type acquiring struct {
	app    *app
	cfg    *node.Config
	req    market.Request
	bounds requester.Bounds
}

// Request implements node.Requester.
func (q *acquiring) Request(ctx context.Context) (node.Acquired, error) {
	a := q.app
	key := q.cfg.Key
	j, err := a.membership(key.ID(), identity.RoleRequester)
	if err != nil {
		return node.Acquired{}, err
	}
	store, err := requester.OpenStore(a.paths.leases())
	if err != nil {
		return node.Acquired{}, err
	}
	var lease requester.Lease
	err = a.withClient(ctx, clientConfig{
		key: key, pool: &j.Pool, membership: j.Membership, store: store, cell: q.cfg.Cell, auto: q.cfg.AutoCell, precision: q.cfg.Precision,
		bootstrap: q.cfg.Bootstrap, search: true, memory: true,
	}, func(ctx context.Context, c *requester.Client) error {
		c.Holder = holder
		lease, err = c.Request(ctx, q.req, q.bounds)
		return err
	})
	if err != nil {
		return node.Acquired{}, err
	}
	return q.acquired(lease)
}

// Renew implements node.Requester.
func (q *acquiring) Renew(ctx context.Context, id string) (node.Acquired, error) {
	store, l, err := q.app.lease(id, false)
	if err != nil {
		return node.Acquired{}, err
	}
	err = q.app.atProviders(ctx, store, l, func(ctx context.Context, c *requester.Client) error {
		l, err = c.Renew(ctx, l, q.req.Duration)
		return err
	})
	if err != nil {
		return node.Acquired{}, err
	}
	return q.acquired(q.app.withTokens(ctx, store, l))
}

// holder stands in the files of the leases that a daemon has acquired: those that others have requested with this folder are none
// of its business.
const holder = "acquire"

// resumable is how long a request that was interrupted before its lease was granted may be taken up: by then its winners have
// taken back what they had reserved.
const resumable = 5 * time.Minute

// Leases implements node.Requester.
func (q *acquiring) Leases() ([]node.Acquired, error) {
	store, err := requester.OpenStore(q.app.paths.leases())
	if err != nil {
		return nil, err
	}
	leases, err := store.List()
	if err != nil {
		return nil, err
	}
	var live []node.Acquired
	now := q.app.now()
	for _, l := range leases {
		granted := l.State == requester.Active || l.State == requester.Granted
		if l.Holder == holder && (granted && now.Before(l.Ends()) || l.State == requester.Claiming && now.Before(l.Created.Add(resumable))) {
			live = append(live, node.Acquired{ID: l.ID.String(), Ends: l.Expires()})
		}
	}
	return live, nil
}

// Resume implements node.Requester.
func (q *acquiring) Resume(ctx context.Context, id string) (node.Acquired, error) {
	store, l, err := q.app.claimed(ctx, id)
	if err != nil {
		return node.Acquired{}, err
	}
	return q.acquired(q.app.withTokens(ctx, store, l))
}

func (q *acquiring) acquired(l requester.Lease) (node.Acquired, error) {
	config, err := q.app.kubeconfig(l, false)
	return node.Acquired{ID: l.ID.String(), Ends: l.Expires(), Kubeconfig: config}, err
}
