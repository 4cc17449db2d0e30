package cli

import (
	"fmt"
	"strings"

	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/placement"
)

// text says what each party entered and what it has learned.
func (m *simulation) text(p *page, s *scenario, r simulateResult) {
	p.line("%s", p.style.head("What each party learned of a match of "+shortClass(s.class.String())+" ("+s.policy.String()+"):"))
	p.line("")
	t := newTable("PARTY", "ENTERED (SECRET)", "LEARNED")
	t.row("requester", s.asked(), m.heard(s))
	for i, o := range s.offers {
		learned := "not selected"
		if w := m.providers[i]; w.Quantity > 0 {
			learned = "selected, to deliver " + units(uint32(w.Quantity)) + furtherText(s.policy, w.Further) + " at " + market.Price(w.Pays).String()
		}
		t.row(o.name, s.offered(o), learned)
	}
	t.write(p)
	p.line("")
	p.line("That is all: no party saw another's price or capacity, and nobody but a winner learns the quantity.")
	p.line("Measured: %s; %d flights (one-way messages) to the requester's result, %d to the winner's; the requester sent %s,",
		plural(r.ANDGates, "AND gate"), r.Flights.ToRequester, r.Flights.ToWinner, size(r.BytesSent.Requester))
	p.line("a provider at most %s; all parties on this machine took %.2f s.", size(r.BytesSent.ProviderMax), r.Seconds)
}

// asked is what the requester entered, in words.
func (s *scenario) asked() string {
	text := units(uint32(s.request.Quantity)) + furtherText(s.policy, s.request.Further)
	if most := market.Price(s.request.MaxPrice); most != market.NoMaximum {
		text += ", at most " + most.String()
	}
	if s.request.Cap > 0 {
		text += fmt.Sprintf(", no more than %d from one", s.request.Cap)
	}
	if s.policy.Handicap {
		text += ", handicaps"
	}
	return text
}

// offered is what a provider entered, in words.
func (s *scenario) offered(o scenarioOffer) string {
	text := units(uint32(o.Quantity)) + furtherText(s.policy, o.Further) + " at "
	if len(o.Steps) == 0 {
		return text + market.Price(o.Price).String()
	}
	var steps []string
	for _, step := range o.Steps {
		steps = append(steps, fmt.Sprintf("%d-=%s", step.From, market.Price(step.Price)))
	}
	return text + strings.Join(steps, ",")
}

// heard is what the requester has learned, in words.
func (m *simulation) heard(s *scenario) string {
	var winners []string
	for _, w := range m.requester.Wins {
		text := s.offers[w.Party-1].name + " delivers"
		if len(m.requester.Wins) > 1 {
			text += " " + fmt.Sprint(w.Quantity)
		}
		winners = append(winners, text+", at "+market.Price(w.Pays).String())
	}
	if len(winners) == 0 {
		return "no offer fits; not whose was nearest, nor why"
	}
	return strings.Join(winners, "; ")
}

// furtherText lists the further dimensions.
func furtherText(p placement.Policy, values []uint16) string {
	text := ""
	for k, name := range p.Further {
		text += fmt.Sprintf(" with %d %s", values[k], name)
	}
	return text
}
