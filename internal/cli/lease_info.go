package cli

import (
	"fmt"
	"time"

	"github.com/angler-dex/angler/internal/control"
	"github.com/angler-dex/angler/internal/requester"
)

// stateExpired is shown for a lease that was kept to its end.
const stateExpired = "expired"

// lapses is after how long a lease that is still being claimed is over: no claim goes on for so long, and its provider has
// given up what nobody claimed or confirmed. A command that was killed leaves such a row.
const lapses = 10 * time.Minute

// leaseInfo is a requester's lease as the commands print it: never its credentials. Of a lease of several parts the fields
// that each part has for itself are empty, and price is the lowest and the highest.
type leaseInfo struct {
	control.Lease
	Policy     string     `json:"policy"`
	Server     string     `json:"server,omitempty"`     // API server
	Kubeconfig string     `json:"kubeconfig,omitempty"` // file
	Reason     string     `json:"reason,omitempty"`     // why it was lost
	Parts      []partInfo `json:"parts"`
	Match      *matchInfo `json:"match,omitempty"`
}

// matchInfo is how long the match took that a lease came from, in seconds from its invitations to its result.
type matchInfo struct {
	Providers int     `json:"providers"` // that were invited
	Predicted float64 `json:"predicted"`
	Took      float64 `json:"took"`
	Computed  float64 `json:"computed"` // of it, the computation
}

// partInfo is what one provider provides of a lease.
type partInfo struct {
	ID        string     `json:"id"`
	State     string     `json:"state"`
	Quantity  uint32     `json:"quantity"`
	Price     string     `json:"price"`
	Provider  string     `json:"provider"`
	Namespace string     `json:"namespace,omitempty"`
	Server    string     `json:"server,omitempty"`
	Context   string     `json:"context"` // in the kubeconfig
	Expires   *time.Time `json:"expires,omitempty"`
	Reason    string     `json:"reason,omitempty"`

	// What its provider says, if it was asked.
	Usage         []usageInfo `json:"usage,omitempty"`
	Notice        string      `json:"notice,omitempty"`        // what it has given notice of
	ReclaimNotice string      `json:"reclaimNotice,omitempty"` // with how much of it, it may take the part back
}

// usageInfo is how much of one limit is in use.
type usageInfo struct {
	Resource string `json:"resource"`
	Used     string `json:"used"`
	Limit    string `json:"limit"`
}

func (a *app) leaseInfo(store *requester.Store, l requester.Lease) leaseInfo {
	standing := l.Standing() // what is lost of it is neither had nor paid
	least, most := standing.Prices()
	price := least.String()
	if least != most {
		price += "-" + most.String()
	}
	info := leaseInfo{Policy: l.Policy, Reason: l.Reason, Parts: []partInfo{}, Lease: control.Lease{
		ID: l.ID.String(), State: string(l.State), Class: l.Class.String(), Quantity: uint32(standing.Quantity()), Price: price,
		Duration: control.Duration(l.Duration), Created: l.Created.UTC().Truncate(time.Second), Expires: stamp(l.Expires()),
	}}
	for k, p := range l.Parts {
		part := partInfo{
			ID: p.ID.String(), State: string(p.State), Quantity: uint32(p.Quantity), Price: p.Price.String(), Provider: p.Provider.String(),
			Context: l.Context(k), Expires: stamp(p.Expires), Reason: p.Reason,
		}
		if p.Reclaimed {
			part.Notice = control.NoticeReclaim
		}
		if p.Grant != nil {
			part.Namespace, part.Server = p.Grant.Namespace, p.Grant.Server
		}
		info.Parts = append(info.Parts, part)
	}
	if l.Reclaimed() {
		info.Lease.Notice = control.NoticeReclaim
	}
	if len(info.Parts) == 1 {
		only := info.Parts[0]
		info.Provider, info.Namespace, info.Server = only.Provider, only.Namespace, only.Server
	}
	if t := l.Timing; t != nil {
		info.Match = &matchInfo{Providers: t.Providers, Predicted: t.Predicted.Seconds(), Took: t.Took.Seconds(), Computed: t.Computed.Seconds()}
	}
	switch {
	case a.expired(l):
		info.State = stateExpired
	case a.lapsed(l):
		info.State, info.Reason = string(requester.Lost), "it was never claimed to the end"
	}
	if path := store.KubeconfigPath(l.ID); isFile(path) {
		info.Kubeconfig = path
	}
	return info
}

// stamp is a time as it is printed; nil: there is none.
func stamp(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	at := t.UTC().Truncate(time.Second)
	return &at
}

// expired tells whether the time of all that was granted of a lease is over.
func (a *app) expired(l requester.Lease) bool {
	if l.State == requester.Released || l.State == requester.Lost || l.State == requester.Claiming {
		return false
	}
	end := l.Ends()
	return !end.IsZero() && !end.After(a.now())
}

// lapsed tells whether a lease that was never granted as a whole is over.
func (a *app) lapsed(l requester.Lease) bool {
	unborn := l.State == requester.Claiming || l.State == requester.Releasing && l.Ends().IsZero()
	return unborn && a.now().Sub(l.Created) > lapses
}

// live tells whether a lease is one that list shows without --all.
func (a *app) live(l requester.Lease) bool {
	return l.State != requester.Released && l.State != requester.Lost && !a.expired(l) && !a.lapsed(l)
}

// leaseText is one lease for people.
func (a *app) leaseText(p *page, l leaseInfo) {
	p.field("lease", l.ID)
	p.field("state", l.State)
	p.field("reason", l.Reason)
	p.field("provider", l.Provider)
	p.field("units", fmt.Sprintf("%d of %s at %s an hour each", l.Quantity, shortClass(l.Class), l.Price))
	p.field("namespace", l.Namespace)
	p.field("server", l.Server)
	if l.Expires != nil {
		left := l.Expires.Sub(a.now())
		if left > 0 {
			p.field("expires", l.Expires.Format(time.RFC3339)+" (in "+age(left)+")")
		} else {
			p.field("expired", l.Expires.Format(time.RFC3339))
		}
	}
	p.field("kubeconfig", l.Kubeconfig)
	for _, part := range l.Parts {
		if part.Notice != "" {
			p.field("notice", part.Context+": its provider takes it back")
		}
	}
	if len(l.Parts) > 1 {
		p.line("")
		partTable(p, l.Parts)
	}
	usageTable(p, l.Parts)
}
