package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/angler-dex/angler/internal/control"
)

// paths says where this user's files are. With --state-dir everything is below that one folder, so that several parties can
// live on one machine; without it the folders are those of the XDG base directory specification.
type paths struct {
	config  string // configuration file
	state   string // folder of keys, memberships, ledger and leases
	sockets []string
}

func (p paths) identity() string   { return filepath.Join(p.state, "identity.key") }
func (p paths) pools() string      { return filepath.Join(p.state, "pools") }
func (p paths) leases() string     { return filepath.Join(p.state, "leases") }
func (p paths) reputation() string { return filepath.Join(p.state, "reputation.json") }
func (p paths) spares() string     { return filepath.Join(p.state, "spares") }
func (p paths) signers() string    { return filepath.Join(p.state, "signers") }

// socket is where a daemon of this state folder listens.
func (p paths) socket() string { return p.sockets[0] }

// configPath finds the configuration file before anything else is known; asked tells that the user named it, or the folder that it is in.
func configPath(config, state string) (path string, asked bool, err error) {
	switch {
	case config != "":
		return config, true, nil
	case state != "":
		return filepath.Join(state, "config.yaml"), false, nil
	}
	dir, err := xdg("XDG_CONFIG_HOME", ".config")
	return filepath.Join(dir, "config.yaml"), false, err
}

// findPaths settles the folders once all settings are read.
func findPaths(config, state, socket string) (paths, error) {
	p := paths{config: config, state: state}
	if state == "" {
		dir, err := xdg("XDG_STATE_HOME", filepath.Join(".local", "state"))
		if err != nil {
			return p, err
		}
		p.state = dir
	}
	var err error
	if p.state, err = filepath.Abs(p.state); err != nil {
		return p, fmt.Errorf("--state-dir: %w", err)
	}
	inState := filepath.Join(p.state, "run", control.SocketName)
	runtime := os.Getenv("XDG_RUNTIME_DIR")
	switch {
	case socket != "":
		p.sockets = []string{socket}
	case state == "" && filepath.IsAbs(runtime):
		// A daemon that was started without a session has its socket in the state folder.
		p.sockets = []string{filepath.Join(runtime, "angler", control.SocketName), inState}
	default:
		p.sockets = []string{inState}
	}
	return p, nil
}

// xdg is the folder "angler" in the base folder of a variable, or in its default below the home folder. Relative values are
// ignored, as the specification wants.
func xdg(variable, fallback string) (string, error) {
	if base := os.Getenv(variable); filepath.IsAbs(base) {
		return filepath.Join(base, "angler"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", usagef("no home folder (%w): name a folder, for example --state-dir /var/lib/angler", err)
	}
	return filepath.Join(home, fallback, "angler"), nil
}
