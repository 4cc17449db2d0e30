package cli

import (
	"fmt"
	"time"

	"github.com/angler-dex/angler/internal/control"
)

// foundLine says whether requesters find a node, and if not, why: what its operator can change goes first. A bootstrap node
// has it only if something is wrong.
func foundLine(s control.Status, now time.Time) string {
	switch {
	case s.DHT.Error != "":
		return "no: " + s.DHT.Error
	case s.Mode != control.ModeProvider || s.Place == nil:
		return ""
	case s.Drain != control.NotDraining:
		return "no: it is draining"
	case !offersAny(s.Offers):
		return "no: nothing is offered"
	}
	met := plural(s.Place.Neighbours, "provider") + " met"
	switch s.Place.Reach {
	case control.Unreachable:
		return "no: others cannot dial it at what it advertises, so it is not announced; see --listen and --advertise; " + met
	case "":
		return "not yet: others are asked to dial it back"
	}
	if s.Place.Reach == control.Astray {
		return "yes, by those who have dialled it back: it is not announced, for announcements lead elsewhere; " + met
	}
	if s.DHT.Keys == 0 || s.DHT.LastAnnounce == nil {
		return "not yet: it is being announced"
	}
	how := "yes: others have dialled it back"
	if s.Place.Reach == control.ReachUntold {
		how = "yes, on trust: nobody was there to dial it back"
	}
	return fmt.Sprintf("%s; %s; %s announced %s ago to %s", how, met, plural(s.DHT.Keys, "key"), age(now.Sub(*s.DHT.LastAnnounce)), plural(s.DHT.Takers, "node"))
}

// offersAny says whether an offer is open.
func offersAny(offers []control.Offer) bool {
	for _, o := range offers {
		if !o.Paused {
			return true
		}
	}
	return false
}
