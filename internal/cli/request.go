package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/placement"
	"github.com/angler-dex/angler/internal/requester"
)

const formatKubeconfig = "kubeconfig"

type requestFlags struct {
	size                       sizeFlags
	maxPrice                   string
	policy                     policyFlags
	apply                      applyFlags
	duration, deadline, wait   time.Duration
	minProviders, maxProviders int
	place                      placeFlags
	where                      whereFlags
	bootstrap                  []string
	out                        string
	ephemeral, dryRun, verbose bool
}

func (a *app) requestCommand() *cobra.Command {
	var f requestFlags
	cmd := &cobra.Command{
		Use:   "request",
		Short: "Find, match and claim capacity: a namespace with a kubeconfig",
		Long: `Find providers of a class, run a private match among them, and claim the namespace at the one that wins, or a namespace
at each of several that win together. How much you ask for and what you would pay stay secret; a provider that wins learns
how much it delivers itself, and nothing more.

If one provider has all of it, it comes from the cheapest of those, otherwise from the cheapest providers together; --split
takes it from the cheapest together at once. A lease in parts is whole or not at all: all parts are granted before any is
confirmed, and its one kubeconfig has a context for each part, the largest being the current one.

Totals become a public class and a secret number of units: --cpu 32 --memory 64Gi is 32 units of 1 cpu and 2Gi. The
kubeconfig goes to --out, by default into the folder of the leases (it is printed); with -o kubeconfig it goes to stdout.

--apply runs manifests in the namespaces, in each of them if there are several, and waits until all of it works. With
--release-on-exit it waits until what ends has ended, collects the logs and gives the lease back: exit code 0 if it ended
well, 11 if it did not. Their hash stands in the receipts; nobody but the winners sees them.

If the local daemon is in the same pool its place in the DHT is used, otherwise a node that lives as long as the command.`,
		Example: `  angler request --cpu 32
  angler request --cpu 32 --memory 64Gi --max-price 0.05 --duration 2h --out lease.kubeconfig
  angler request --cpu 32 --split --max-winners 4 --max-share 50%
  angler request --unit cpu=200m,memory=128Mi --count 5 --wait 10m
  angler request --cpu 4 --apply app.yaml
  angler request --cpu 4 --apply job.yaml --release-on-exit --logs logs --wait 10m
  angler request --cpu 4 -o kubeconfig >job.kubeconfig
  angler request --cpu 4 -o json -q`,
		Args:        noArgs,
		Annotations: map[string]string{formatsKey: strings.Join(append(slices.Clone(usualFormats), formatKubeconfig), ",")},
		RunE: func(cmd *cobra.Command, _ []string) error {
			req, err := f.request()
			if err != nil {
				return err
			}
			return a.request(cmd.Context(), req, f)
		},
	}
	s := cmd.Flags()
	s.SortFlags = false
	f.size.register(s)
	s.StringVar(&f.maxPrice, "max-price", "", "highest `price` per unit and hour (default any)")
	s.DurationVar(&f.duration, "duration", market.DefaultDuration, "how long the lease is to last")
	f.policy.register(s)
	s.IntVar(&f.minProviders, "min-providers", 3, "fewest providers to run a match among")
	s.IntVar(&f.maxProviders, "max-providers", 8, "most providers, the nearest are taken")
	s.DurationVar(&f.deadline, "deadline", time.Minute, "bound on one try, from the search to its result; 0 is none")
	s.DurationVar(&f.wait, "wait", 0, "how long to try again when there is no match (default one try)")
	f.place.register(s, "the requester")
	f.where.register(s)
	s.StringSliceVar(&f.bootstrap, "bootstrap", nil, "`host:port` of DHT nodes to join by (default the pool's)")
	s.StringVar(&f.out, "out", "", "`file` for the kubeconfig")
	f.apply.register(s)
	s.BoolVar(&f.ephemeral, "ephemeral", false, "ask under a new identity, which no membership vouches for")
	s.BoolVar(&f.dryRun, "dry-run", false, "say what would be asked, and ask nobody")
	s.BoolVarP(&f.verbose, "verbose", "v", false, "say on stderr what goes on underneath")
	for name, value := range map[string]string{
		"max-price": "0.05", "duration": "2h", "deadline": "30s", "wait": "10m", "bootstrap": "dht.example.org:7401", "out": "lease.kubeconfig",
	} {
		sample(s, name, value)
	}
	settings(s, "request", append([]string{"cpu", "memory", "gpu", "unit", "count", "max-price", "out", "dry-run", "apply", "release-on-exit", "logs"}, secretPolicyFlags...)...)
	return cmd
}

// request checks the flags and makes the request.
func (f *requestFlags) request() (market.Request, error) {
	req := market.Request{MaxPrice: market.NoMaximum, Duration: f.duration}
	var err error
	if req.Class, req.Quantity, err = f.size.shape(market.Shape); err != nil {
		return req, err
	}
	if f.maxPrice != "" {
		if req.MaxPrice, err = market.ParsePrice(f.maxPrice); err != nil {
			return req, fieldFault(err, map[string]string{"price": "max-price"})
		}
	}
	switch {
	case f.minProviders < 1:
		return req, flagError("min-providers", "must be 1 or more", "--min-providers 3")
	case f.maxProviders < f.minProviders || f.maxProviders > placement.MaxProviders:
		return req, flagError("max-providers", fmt.Sprintf("must be from --min-providers (%d) to %d", f.minProviders, placement.MaxProviders), "--max-providers 8")
	case f.deadline < 0:
		return req, flagError("deadline", "is negative", "--deadline 30s")
	case f.wait < 0:
		return req, flagError("wait", "is negative", "--wait 10m")
	}
	if err := f.policy.apply(&req, f.maxProviders); err != nil {
		return req, err
	}
	if err := req.Validate(); err != nil {
		return req, fieldFault(err, sizeNames)
	}
	return req, checkHostPorts("bootstrap", f.bootstrap)
}

// request runs a request to its end.
func (a *app) request(ctx context.Context, req market.Request, f requestFlags) error {
	cell, auto, err := f.place.find()
	if err != nil {
		return err
	}
	bounds := requester.Bounds{MinProviders: f.minProviders, MaxProviders: f.maxProviders, Deadline: f.deadline}
	if err = f.where.bounds(&bounds); err != nil {
		return err
	}
	if err = a.checkOut(f.out); err != nil {
		return err
	}
	manifest, err := f.apply.load(a)
	if err != nil {
		return err
	}
	if manifest != nil {
		hash := manifest.Hash()
		bounds.Workload = hash[:]
	}
	key, err := a.requestKey(f.ephemeral)
	if err != nil {
		return err
	}
	j, err := a.requestMembership(key.ID(), f.ephemeral)
	if err != nil {
		return err
	}
	if f.dryRun {
		return a.printDryRun(req, f, j, cell)
	}
	where := "anywhere"
	switch {
	case f.where.providers != "":
		where = "among those in " + f.where.providers
	case f.where.near != "":
		where = "near " + f.where.near
	case cell != "":
		where = "around " + cell
	}
	a.talk.step("looking for providers of %s in pool %s, %s", shortClass(req.Class.String()), j.Pool.Name, where)
	store, err := requester.OpenStore(a.paths.leases())
	if err != nil {
		return err
	}
	if err = f.policy.reputed(&req, requester.OpenReputation(a.paths.reputation())); err != nil {
		return err
	}
	prog := &progress{talk: a.talk, named: f.where.providers != ""}
	var lease requester.Lease
	err = a.withClient(ctx, clientConfig{
		key: key, pool: &j.Pool, membership: j.Membership, store: store, cell: cell, auto: auto, precision: f.place.precision, where: f.where,
		bootstrap: f.bootstrap, search: true, memory: !f.ephemeral, verbose: f.verbose, progress: prog.event,
	}, func(ctx context.Context, c *requester.Client) error {
		if f.ephemeral {
			c.Won = func(id market.LeaseID) error { return a.keepKey(id, key) }
		}
		lease, err = a.tryUntil(ctx, f.wait, func(ctx context.Context) (requester.Lease, error) {
			return c.Request(ctx, req, bounds)
		})
		return err
	})
	prog.flush()
	if err != nil {
		a.sayUnsettled(lease)
		return f.policy.advise(err, req)
	}
	switch {
	case manifest != nil && f.apply.releaseOnExit:
		return a.applyAndRelease(ctx, lease, manifest, f.apply)
	case manifest != nil:
		err = a.applyAndKeep(ctx, lease, manifest, f.apply)
	}
	return errors.Join(err, a.deliverLease(store, lease, f.out))
}

// requestKey is this party's identity, or one that nobody has met.
func (a *app) requestKey(ephemeral bool) (*identity.Key, error) {
	if ephemeral {
		return identity.Generate(a.rand)
	}
	return a.key()
}

// requestMembership finds the pool to ask in. Without a membership only providers that serve anybody answer, which is said.
func (a *app) requestMembership(id identity.PeerID, ephemeral bool) (joined, error) {
	if ephemeral {
		j, err := a.poolOnly()
		j.Membership = nil
		return j, err
	}
	j, err := a.membership(id, identity.RoleRequester)
	if err == nil && j.Membership == nil {
		a.talk.warn("no membership of pool %s as a requester: only providers that serve anybody will answer", j.Pool.Name)
	}
	return j, err
}

// sayUnsettled tells of a match that was won by a request that then failed.
func (a *app) sayUnsettled(l requester.Lease) {
	id := l.ID.Short()
	switch {
	case l.State == requester.Releasing:
		a.talk.warn("lease %s could not be given back as a whole; try again with 'angler lease release %s'", id, id)
	case l.State == requester.Granted && len(l.Parts) > 1:
		a.talk.warn("lease %s was won but not confirmed by all: finish it with 'angler lease kubeconfig %s', or give it back with 'angler lease release %s'", id, id, id)
	case l.State == requester.Claiming || l.State == requester.Granted:
		a.talk.warn("lease %s was won but not confirmed: its provider takes it back within two minutes", id)
	}
}
