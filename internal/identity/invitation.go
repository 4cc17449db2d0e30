package identity

import (
	"fmt"
	"time"
)

// Invitation is what `angler pool invite` prints and `angler pool join` takes:
// the pool, and the membership that admits one peer to it. It holds no secret:
// the membership serves only the peer that it names.
type Invitation struct {
	Pool       Pool       `json:"pool"`
	Membership Membership `json:"membership"`
}

// ParseInvitation reads an invitation file. It checks the form only;
// [Invitation.Verify] checks what it says.
func ParseInvitation(file []byte) (*Invitation, error) {
	inv := new(Invitation)
	if err := parseYAML(file, inv); err != nil {
		return nil, fmt.Errorf("invitation file: %w", err)
	}
	inv.Membership.NotBefore = inv.Membership.NotBefore.UTC()
	inv.Membership.NotAfter = inv.Membership.NotAfter.UTC()
	if err := inv.validate(); err != nil {
		return nil, fmt.Errorf("invitation file: %w", err)
	}
	return inv, nil
}

// Marshal returns the invitation file.
func (inv *Invitation) Marshal() ([]byte, error) {
	if err := inv.validate(); err != nil {
		return nil, err
	}
	return marshalYAML(inv)
}

// Verify returns nil if the invitation admits the peer id to its pool at the
// time now, in the role that it names. Whether the pool is the right one, only
// the channel over which the invitation came can tell.
func (inv *Invitation) Verify(id PeerID, now time.Time) error {
	return inv.Pool.Verify(inv.Membership, id, inv.Membership.Role, now)
}

func (inv *Invitation) validate() error {
	if err := inv.Pool.Validate(); err != nil {
		return err
	}
	return inv.Membership.validate()
}
