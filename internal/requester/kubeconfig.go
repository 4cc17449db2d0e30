package requester

import (
	"fmt"
	"slices"

	"github.com/angler-dex/angler/internal/k8s"
	"github.com/angler-dex/angler/internal/market"
)

// Access is how a kubeconfig lets its reader in.
type Access struct {
	// Token is a program of ours, with its arguments, that prints the token of the
	// part whose id is put behind them; nil: the tokens stand in the file.
	Token []string
	// Proxies are listeners on this machine by part, host:port; a part that has
	// none is reached directly.
	Proxies map[market.LeaseID]string
}

// Kubeconfig builds the kubeconfig of a lease from its grants' typed fields. The
// context of a lease of one part is angler-SHORT, SHORT being the first ten
// characters of the lease's id; of several parts they are angler-SHORT-1 and so
// on, the largest part first, with a zero before the digit if there are ten or
// more. The first is the current one. Parts that are over have none.
func (l Lease) Kubeconfig(a Access) ([]byte, error) {
	if l.State != Granted && l.State != Active || !slices.ContainsFunc(l.Parts, func(p Part) bool { return p.Grant != nil }) {
		return nil, fmt.Errorf("lease %s is %s: it has no kubeconfig", l.ID.Short(), l.State)
	}
	var contexts []k8s.Context
	for k, p := range l.Parts {
		if p.Grant == nil {
			continue
		}
		c := k8s.Context{Name: l.Context(k), Grant: *p.Grant, Via: a.Proxies[p.ID]}
		if a.Token != nil {
			c.Exec = append(append(c.Exec, a.Token...), p.ID.String())
		}
		contexts = append(contexts, c)
	}
	return k8s.Kubeconfig(contexts...)
}

// Context is the name of part k's context in the kubeconfig.
func (l Lease) Context(k int) string {
	name := "angler-" + l.ID.Short()
	switch n := len(l.Parts); {
	case n == 1:
		return name
	case n < 10:
		return fmt.Sprintf("%s-%d", name, k+1)
	default:
		return fmt.Sprintf("%s-%02d", name, k+1)
	}
}
