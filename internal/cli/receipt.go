package cli

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/identity"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/match"
)

const receiptLong = `A file of receipts says what was traded in one lease: by whom, of which class, how many units, at which price, for how
long. It holds the first receipt and one for each renewal, each as a PEM block "ANGLER RECEIPT", signed by both sides.`

func (a *app) receiptCommand() *cobra.Command {
	verify := &cobra.Command{
		Use:   "verify FILE",
		Short: "Verify receipts offline",
		Long: receiptLong + `

verify checks both signatures under each receipt, that the first begins a lease, and that each of the others renews the one
before it and changes nothing but the term. It needs no network, no key and no daemon. FILE is what 'angler lease receipt'
wrote, or - for stdin. Exit code 1: they do not verify; 2: FILE does not hold receipts.

Who signed is printed as peer ids: compare them with those that you know the two parties by.`,
		Example: "  angler receipt verify lease.receipt\n  angler lease receipt q7ldizk3 | angler receipt verify -",
		Args:    oneArg("a file of receipts", "angler receipt verify lease.receipt"),
		RunE:    func(_ *cobra.Command, args []string) error { return a.receipts(args[0], true) },
	}
	show := &cobra.Command{
		Use:     "show FILE",
		Short:   "Print receipts, verified or not",
		Long:    receiptLong + "\n\nshow prints what they say and whether it verifies; unlike verify it succeeds if it does not.",
		Example: "  angler receipt show lease.receipt -o json",
		Args:    oneArg("a file of receipts", "angler receipt show lease.receipt"),
		RunE:    func(_ *cobra.Command, args []string) error { return a.receipts(args[0], false) },
	}
	return group(&cobra.Command{Use: "receipt", Short: "Proofs of what was traded"}, verify, show)
}

// receiptsInfo is what `receipt verify` and `receipt show` print.
type receiptsInfo struct {
	Verified bool          `json:"verified"`
	Problem  string        `json:"problem,omitempty"`
	Receipts []receiptInfo `json:"receipts"`
}

type receiptInfo struct {
	Lease     market.LeaseID  `json:"lease"`
	Session   string          `json:"session"`
	Provider  identity.PeerID `json:"provider"`
	Requester identity.PeerID `json:"requester"`
	SignedBy  []string        `json:"signedBy"` // provider, requester: whose signature is right
	Class     string          `json:"class"`
	Quantity  uint16          `json:"quantity"`
	Price     market.Price    `json:"price"` // a unit and hour
	Policy    string          `json:"policy"`
	Term      string          `json:"term"`
	Seconds   uint64          `json:"seconds"`
	Notice    uint64          `json:"noticeSeconds,omitempty"`
	Issued    time.Time       `json:"issued"`
	Manifest  string          `json:"manifest"`
	Workload  string          `json:"workload,omitempty"`
	Previous  string          `json:"previous,omitempty"`
	Further   []uint16        `json:"further,omitempty"` // by dimension of the policy
}

func (a *app) receipts(from string, must bool) error {
	text, err := a.readInput(from, match.MaxReceiptFile)
	if err != nil {
		return usagef("receipts: %w", err)
	}
	list, err := match.ParseReceipts(text)
	if err != nil {
		return usagef("receipts %s: %w; 'angler lease receipt ID' writes such a file", from, err)
	}
	info := receiptsInfo{Receipts: []receiptInfo{}}
	for n, s := range list {
		r, rerr := match.ReadReceipt(s.Receipt)
		if rerr != nil {
			return usagef("receipts %s: receipt %d: %w", from, n+1, rerr)
		}
		info.Receipts = append(info.Receipts, describeReceipt(r, s))
	}
	_, verr := match.VerifyReceipts(list)
	if info.Verified = verr == nil; !info.Verified {
		info.Problem = verr.Error()
	}
	if err := a.print(view{data: info, names: info.names(), text: info.text}); err != nil {
		return err
	}
	if must && verr != nil {
		return fmt.Errorf("receipts %s do not verify: %w", from, verr)
	}
	return nil
}

func describeReceipt(r match.Receipt, s match.SignedReceipt) receiptInfo {
	info := receiptInfo{
		Lease: market.LeaseID(r.Lease), Session: hex.EncodeToString(r.SID), Provider: r.Provider, Requester: r.Requester, SignedBy: []string{},
		Class: r.Class, Quantity: r.Quantity, Price: market.Price(r.Price), Policy: r.Policy, Seconds: r.Seconds, Notice: r.Notice,
		Term: span(r.Seconds), Issued: time.Unix(r.Issued, 0).UTC(), Manifest: hex.EncodeToString(r.Manifest), Workload: hex.EncodeToString(r.Workload),
		Previous: hex.EncodeToString(r.Previous), Further: r.Further,
	}
	if _, err := match.OpenReceipt(s.Receipt, s.Provider, r.Provider); err == nil {
		info.SignedBy = append(info.SignedBy, "provider")
	}
	if _, err := match.OpenReceipt(s.Receipt, s.Requester, r.Requester); err == nil {
		info.SignedBy = append(info.SignedBy, "requester")
	}
	return info
}

// span writes seconds, of which there may be any number.
func span(seconds uint64) string {
	if seconds > uint64(market.MaxDuration/time.Second) {
		return strconv.FormatUint(seconds, 10) + "s"
	}
	return (time.Duration(seconds) * time.Second).String()
}

func (i receiptsInfo) names() []string {
	var names []string
	for _, r := range i.Receipts {
		names = append(names, r.Lease.String())
	}
	return names
}

func (i receiptsInfo) text(p *page) {
	for n, r := range i.Receipts {
		if n > 0 {
			p.line("")
		}
		p.field("lease", r.Lease.String())
		p.field("provider", r.Provider.String()+r.signed("provider"))
		p.field("requester", r.Requester.String()+r.signed("requester"))
		p.field("class", r.Class)
		p.field("quantity", strconv.Itoa(int(r.Quantity)))
		p.field("price", r.Price.String()+" a unit and hour")
		p.field("policy", r.Policy)
		for k, name := range market.Further(r.Policy) {
			if k < len(r.Further) {
				p.field(name, amountText(name, r.Further[k]))
			}
		}
		p.field("term", r.Term)
		if r.Notice > 0 {
			p.field("notice", span(r.Notice)+" before it may be taken back")
		}
		p.field("issued", r.Issued.Format(time.RFC3339))
		p.field("manifest", r.Manifest)
		p.field("workload", r.Workload)
		p.field("renews", r.Previous)
		if p.wide {
			p.field("session", r.Session)
		}
	}
	p.line("")
	if i.Verified {
		p.line("verified: both sides have signed")
	} else {
		p.line("not verified: %s", clean(i.Problem))
	}
}

// amountText writes an amount in a further dimension, in its unit if that is
// known.
func amountText(name string, amount uint16) string {
	if name == market.Storage.Name {
		return market.Storage.Format(market.Quantity(amount))
	}
	return strconv.Itoa(int(amount))
}

func (r receiptInfo) signed(side string) string {
	for _, s := range r.SignedBy {
		if s == side {
			return " (signed)"
		}
	}
	return " (not signed)"
}
