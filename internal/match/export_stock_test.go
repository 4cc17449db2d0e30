package match

import (
	"time"

	"github.com/angler-dex/angler/internal/identity"
)

// Stock sets how often the provider looks at its stock (0: never), before it runs, and how
// long it leaves a peer alone afterwards.
func (p *Provider) Stock(every, pause time.Duration) {
	p.stock.every = every
	p.Pause(pause)
}

// Pause sets how long a peer is left alone.
func (p *Provider) Pause(d time.Duration) {
	p.stock.mu.Lock()
	defer p.stock.mu.Unlock()
	p.stock.pause = d
}

// Acquaintances is how many peers the provider keeps sets with.
func (p *Provider) Acquaintances() int {
	p.stock.mu.Lock()
	defer p.stock.mu.Unlock()
	return len(p.stock.met)
}

// Introduce makes the provider meet a peer, as a roster does.
func (p *Provider) Introduce(records ...identity.Record) { p.stock.meet(&Seat{Records: records}) }

// MaxAcquaintances is how many there are at most.
const MaxAcquaintances = maxAcquaintances

// Stocking tells whether a set is being made.
func (p *Provider) Stocking() bool { return len(p.stock.one) > 0 }
