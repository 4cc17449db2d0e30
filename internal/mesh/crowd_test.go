package mesh

import (
	"net/netip"
	"sync"
	"testing"
)

// A crowd that meets all at once: each pair has a link, which one
// of the two dials.
func TestCrowd(t *testing.T) {
	const size = 17
	var nodes [size]*Node
	for i := range nodes {
		nodes[i] = testNode(t, Config{Key: testKey(t, uint64(100+i))})
	}
	var wg sync.WaitGroup
	for i, from := range nodes {
		for _, to := range nodes[i+1:] {
			wg.Go(func() {
				l, err := from.Connect(testContext(t), to.Self(), []netip.AddrPort{to.Addr()})
				if err != nil {
					t.Error(err)
					return
				}
				echo(t, l, []byte("everybody"))
			})
		}
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	eventually(t, "a connection for each pair", func() bool { return quiet(size-1, nodes[:]...) })
}
