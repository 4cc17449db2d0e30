package match

// Matching is how many matches this provider takes part in now: between an
// invitation that it accepted and the end of its part.
func (p *Provider) Matching() int { return len(p.slots) }
