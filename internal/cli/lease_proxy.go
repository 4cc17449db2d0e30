package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/angler-dex/angler/internal/durable"
	"github.com/angler-dex/angler/internal/market"
	"github.com/angler-dex/angler/internal/requester"
)

func (a *app) leaseProxyCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "proxy ID [-- COMMAND…]",
		Short: "Reach the API servers of a lease through its providers' daemons",
		Long: `Reach the API servers of a lease through its providers' daemons, where they are not reachable otherwise: behind NAT, or not
public. A listener on this machine's loopback for each part carries the connections; TLS goes from kubectl to the API server,
whose certificate is checked, so neither daemon sees token or content.

It writes a kubeconfig that uses the listeners, prints where, and runs until it is interrupted; then the file is deleted. Several
proxies of one lease may run at once, each with a kubeconfig of its own. With
a command, it runs that with $KUBECONFIG set and ends with it, with its exit code.`,
		Example: "  angler lease proxy q7ldizk3\n  angler lease proxy q7ldizk3 -- kubectl get pods",
		Args: func(cmd *cobra.Command, args []string) error {
			if dash := cmd.ArgsLenAtDash(); dash != -1 && dash != 1 || dash == -1 && len(args) != 1 || len(args) == 0 {
				return usagef("needs the id of a lease, and a command only behind --; for example angler lease proxy q7ldizk3 -- kubectl get pods")
			}
			return nil
		},
		ValidArgsFunction: a.completeLeases,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.checkOut(out); err != nil {
				return err
			}
			return a.proxy(cmd.Context(), args[0], args[1:], out)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "`file` for the kubeconfig, with mode 0600 (default in the folder of the leases)")
	sample(cmd.Flags(), "out", "lease.kubeconfig")
	return cmd
}

// proxyInfo is what `lease proxy` prints.
type proxyInfo struct {
	Lease      string          `json:"lease"`
	Kubeconfig string          `json:"kubeconfig"`
	Listeners  []proxyListener `json:"listeners"`
}

type proxyListener struct {
	Context string `json:"context"`
	Addr    string `json:"addr"`
	Server  string `json:"server"` // the API server that answers there
}

func (a *app) proxy(ctx context.Context, prefix string, command []string, out string) (err error) {
	store, l, err := a.claimed(ctx, prefix)
	if err != nil {
		return err
	}
	l = a.withTokens(ctx, store, l)
	info := proxyInfo{Lease: l.ID.String(), Kubeconfig: out, Listeners: []proxyListener{}}
	listeners, config, err := info.listen(l)
	defer func() {
		for _, ln := range listeners {
			_ = ln.Close() // the proxy has closed it, if it came to be
		}
	}()
	if err == nil && out == "" {
		info.Kubeconfig, err = ownPath(store, l.ID, listeners)
	}
	if err == nil {
		err = writeFile(info.Kubeconfig, config, true)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, removeOwn(info.Kubeconfig, config)) }()
	return a.atProviders(ctx, store, l, func(ctx context.Context, c *requester.Client) error {
		runs := []func(context.Context) error{}
		var alive atomic.Int32
		for k, ln := range listeners {
			alive.Add(1)
			runs = append(runs, func(ctx context.Context) error {
				err := c.Proxy(ctx, l, k, ln, a.sayOnce(l.Context(k)))
				if errors.Is(err, requester.ErrOver) && alive.Add(-1) > 0 {
					return nil // the other parts go on
				}
				return err
			})
		}
		return alongside(ctx, runs, func(ctx context.Context) error {
			if len(command) > 0 {
				return a.runWith(ctx, command, info.Kubeconfig)
			}
			if err := a.sayProxy(info); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		})
	})
}

// ownPath is a path for a kubeconfig that no other proxy has, however many of one lease there are: it has a port in it.
func ownPath(store *requester.Store, id market.LeaseID, listeners map[int]net.Listener) (string, error) {
	first := slices.Min(slices.Collect(maps.Keys(listeners))) // a lease without a grant has no kubeconfig, and so gets no further than that
	at, err := netip.ParseAddrPort(listeners[first].Addr().String())
	return store.ProxyPath(id, at.Port()), err
}

// removeOwn deletes a kubeconfig, unless another proxy has been told to write its own there meanwhile.
func removeOwn(path string, config []byte) error {
	if there, err := os.ReadFile(path); err != nil || !bytes.Equal(there, config) {
		return nil
	}
	return durable.Remove(path)
}

// sayOnce says of the connections to a part that are not carried why the first is not.
func (a *app) sayOnce(name string) func(error) {
	var once sync.Once
	return func(err error) {
		once.Do(func() { a.talk.warn("%s: its provider carries no connection: %v", name, err) })
	}
}

// listen listens for each part of a lease and makes the kubeconfig that uses the listeners, which are returned by part.
func (i *proxyInfo) listen(l requester.Lease) (map[int]net.Listener, []byte, error) {
	access := requester.Access{Proxies: map[market.LeaseID]string{}}
	listeners := map[int]net.Listener{}
	for k, p := range l.Parts {
		if p.Grant == nil {
			continue
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return listeners, nil, err
		}
		listeners[k], access.Proxies[p.ID] = ln, ln.Addr().String()
		i.Listeners = append(i.Listeners, proxyListener{Context: l.Context(k), Addr: ln.Addr().String(), Server: p.Grant.Server})
	}
	config, err := l.Kubeconfig(access)
	return listeners, config, err
}

func (a *app) sayProxy(info proxyInfo) error {
	return a.print(view{data: info, names: []string{info.Kubeconfig}, text: func(p *page) {
		t := newTable("CONTEXT", "LISTENS AT", "FOR")
		for _, l := range info.Listeners {
			t.row(l.Context, l.Addr, l.Server)
		}
		t.write(p)
		p.line("")
		p.line("kubectl --kubeconfig %s get resourcequota", info.Kubeconfig)
	}})
}

// runWith runs a command with a kubeconfig in its environment, and ends with its exit code.
func (a *app) runWith(ctx context.Context, command []string, kubeconfig string) error {
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	c.Stdin, c.Stdout, c.Stderr = a.io.In, a.io.Out, a.io.Err
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 5 * time.Second
	err := c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		return &ExitError{Code: max(exit.ExitCode(), 1), Err: err, Quiet: true}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", command[0], err)
	}
	return nil
}
