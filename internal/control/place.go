package control

// Place is what a provider's daemon has found out about where it is, by round
// trips to others of its pool.
type Place struct {
	Auto       bool   `json:"auto"`                 // the cell is found out, not configured
	Coordinate string `json:"coordinate,omitempty"` // network coordinate in ms, once it has settled
	Neighbours int    `json:"neighbours"`           // that were met in the last round
	Reach      string `json:"reach,omitempty"`      // whether others reach it, one of the constants below; empty: not known yet
}

// Whether others reach a daemon at the addresses that it advertises.
const (
	Reachable   = "reachable"
	Unreachable = "unreachable" // it is not announced
	Astray      = "astray"      // they do, but not where announcements lead: it is not announced, and others refer to it
	ReachUntold = "untold"      // there was nobody to ask
)
