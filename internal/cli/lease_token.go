package cli

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/requester"
)

func (a *app) leaseTokenCommand() *cobra.Command {
	var fresh bool
	cmd := &cobra.Command{
		Use:   "token ID",
		Short: "Print a token of a lease as kubectl's credential plugins do",
		Long: `Print a token of a lease as an ExecCredential of client.authentication.k8s.io/v1: what kubectl and every other client of
client-go asks for with a kubeconfig of 'angler lease kubeconfig --exec'. A stored token that is good for five minutes or more
is given again, else its provider makes a fresh one, for as long as the lease lives.

Of a lease in several parts, name the part.`,
		Example:           "  angler lease token q7ldizk3\n  angler lease token q7ldizk3yv-2",
		Args:              oneArg("the id of a lease or of a part", "angler lease token q7ldizk3"),
		Annotations:       map[string]string{formatsKey: strings.Join([]string{formatTable, formatJSON, formatYAML}, ",")},
		ValidArgsFunction: a.completeLeases,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.token(cmd.Context(), args[0], fresh) },
	}
	cmd.Flags().BoolVar(&fresh, "fresh", false, "ask for a new one in any case")
	return cmd
}

// execCredential is an ExecCredential of client.authentication.k8s.io/v1.
type execCredential struct {
	APIVersion string     `json:"apiVersion"`
	Kind       string     `json:"kind"`
	Status     execStatus `json:"status"`
}

type execStatus struct {
	ExpirationTimestamp time.Time `json:"expirationTimestamp"`
	Token               string    `json:"token,omitempty"`
	ClientCertificate   string    `json:"clientCertificateData,omitempty"`
	ClientKey           string    `json:"clientKeyData,omitempty"`
}

func (a *app) token(ctx context.Context, name string, fresh bool) error {
	store, l, part, err := a.part(name)
	if err != nil {
		return err
	}
	if g := l.Parts[part].Grant; fresh || g == nil || l.NeedsTokens(a.now()) {
		err = a.atProviders(ctx, store, l, func(ctx context.Context, c *requester.Client) error {
			l, err = c.Token(ctx, l, part, fresh)
			return err
		})
		if err != nil {
			return err
		}
	}
	g := l.Parts[part].Grant
	cred := execCredential{APIVersion: "client.authentication.k8s.io/v1", Kind: "ExecCredential", Status: execStatus{
		ExpirationTimestamp: g.Expires.UTC().Truncate(time.Second), Token: g.Token, ClientCertificate: string(g.Certificate), ClientKey: string(g.Key),
	}}
	text, err := json.MarshalIndent(cred, "", "  ")
	if err != nil {
		return err
	}
	return a.print(view{data: cred, text: func(p *page) { p.line("%s", text) }})
}

// part finds one part of a lease of this requester: by the part's id, by its context in the kubeconfig, or by the lease's id if
// there is only one.
func (a *app) part(name string) (*requester.Store, requester.Lease, int, error) {
	store, err := requester.OpenStore(a.paths.leases())
	if err != nil {
		return nil, requester.Lease{}, 0, err
	}
	l, k, err := store.Part(name)
	if err != nil {
		return store, l, 0, err
	}
	if k >= 0 {
		return store, l, k, nil
	}
	var names []string
	for k := range l.Parts {
		names = append(names, strings.TrimPrefix(l.Context(k), "angler-"))
	}
	return store, l, 0, usagef("lease %s has %d parts, name one: %s", l.ID.Short(), len(l.Parts), strings.Join(names, ", "))
}
