package mesh

import "slices"

// register makes c part of the link to its peer's instance, a new one if need
// be. evicted, if not nil, had to make room and is to be closed.
func (n *Node) register(c *conn) (link *Link, evicted *conn, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closing {
		return nil, nil, ErrClosed
	}
	if evicted, err = n.room(c); err != nil {
		return nil, nil, err
	}
	if evicted != nil {
		n.buryLocked(evicted)
	}
	for _, l := range n.links[c.peer] {
		if l.instance == c.instance {
			link = l
		}
	}
	if link == nil {
		link = &Link{node: n, peer: c.peer, instance: c.instance, done: make(chan struct{}), last: c}
		n.links[c.peer] = append(n.links[c.peer], link)
	}
	link.conns = append(link.conns, c)
	c.link = link
	c.use()
	n.total++
	link.settle()
	if d := n.dials[c.peer]; d != nil {
		d.settle(link, nil)
	}
	return link, evicted, nil
}

// room finds a place for c: a free one, or that of the connection that has been
// unused for longest, which is returned. The node is locked.
//
// What a node that others dial has dialled itself makes room among its own once
// it takes half of all places: strangers have a say in whom it dials, and could
// otherwise leave no place for who comes in.
func (n *Node) room(c *conn) (*conn, error) {
	ofPeer, dialled := 0, 0
	for peer, links := range n.links {
		for _, l := range links {
			for _, o := range l.conns {
				switch {
				case o.dialled:
					dialled++
				case peer == c.peer:
					ofPeer++
				}
			}
		}
	}
	samePeer := !c.dialled && ofPeer >= n.cfg.MaxLinksPerPeer
	own := c.dialled && !n.cfg.DialOnly && dialled >= (n.cfg.MaxLinks+1)/2
	free := !samePeer && n.total < n.cfg.MaxLinks
	if free && !own {
		return nil, nil
	}
	var victim *conn
	for peer, links := range n.links {
		if samePeer && peer != c.peer {
			continue
		}
		for _, l := range links {
			for _, o := range l.conns {
				if own && !o.dialled {
					continue
				}
				// What we dialled does not give way to who comes in.
				idle := o.streams == 0 && o.opening == 0 && (c.dialled || !o.dialled)
				if idle && (victim == nil || o.used < victim.used) {
					victim = o
				}
			}
		}
	}
	if victim == nil && !free {
		return nil, ErrBusy
	}
	return victim, nil
}

// bury takes c out of its link, which ends if it was the last.
func (n *Node) bury(c *conn) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.buryLocked(c)
}

func (n *Node) buryLocked(c *conn) {
	if c.dead {
		return
	}
	c.dead = true
	n.total--
	l := c.link
	l.conns = slices.DeleteFunc(l.conns, func(o *conn) bool { return o == c })
	if len(l.conns) > 0 {
		l.settle()
		return
	}
	links := slices.DeleteFunc(n.links[l.peer], func(o *Link) bool { return o == l })
	if len(links) == 0 {
		delete(n.links, l.peer)
	} else {
		n.links[l.peer] = links
	}
	close(l.done)
}

// Links returns the links there are, in no order.
func (n *Node) Links() []*Link {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []*Link
	for _, links := range n.links {
		all = append(all, links...)
	}
	return all
}
