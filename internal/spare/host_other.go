//go:build !linux && !darwin

package spare

import "errors"

// ThisHost fails: without a name for this boot no set may be kept.
func ThisHost() (Host, error) { return Host{}, errors.New("this system does not name its boots") }
