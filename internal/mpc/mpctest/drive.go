package mpctest

import (
	"bytes"
	"crypto/sha256"
)

// Machine is a party, or a cheat in its place.
type Machine interface {
	Step(in [][]byte, emit func(to int, chunk []byte) error) error
	Expect() []int
}

// Rusher is a machine that wants to see what the others send it in a flight
// before it makes its own messages.
type Rusher interface {
	Peek(flight int, frames [][]byte)
}

// Delivery is a frame as it arrives, Delay flights after it should.
type Delivery struct {
	Delay int
	Frame []byte
}

// Wire decides what becomes of a frame on its way.
type Wire func(flight, from, to int, frame []byte) []Delivery

// Flights is how many flights Drive makes room for: more than a match has.
const Flights = 12

// Result is how a run went.
type Result struct {
	Errors     []error  // by party, nil for one that is through
	Transcript [32]byte // hash of all frames, as sent
	Ended      []int    // by party, the flight that it ended with
}

// Drive runs machines in lock-step: in each flight all honest ones make their
// step, then the rushing ones. Between two parties is a stream of bytes: a
// machine takes as many as it expects, and nothing where there are too few.
func Drive(machines []Machine, wire Wire) *Result {
	n := len(machines)
	r := &Result{Errors: make([]error, n), Ended: make([]int, n)}
	d := &driver{streams: make(map[[2]int]*bytes.Buffer), late: make(map[int][]message), wire: wire}
	hash := sha256.New()
	for flight := 1; flight <= Flights; flight++ {
		sent := make([][][]byte, n)
		for _, rushing := range []bool{false, true} {
			for i, m := range machines {
				rusher, ok := m.(Rusher)
				if ok != rushing || r.Ended[i] != 0 {
					continue
				}
				if ok {
					rusher.Peek(flight, column(sent, i))
				}
				frames := make([][]byte, n)
				err := m.Step(d.take(i, flight, m.Expect()), func(to int, chunk []byte) error {
					frames[to] = append(frames[to], chunk...)
					return nil
				})
				sent[i] = frames
				if r.Errors[i] = err; err != nil || m.Expect() == nil {
					r.Ended[i] = flight
				}
			}
		}
		for from, frames := range sent {
			for to, frame := range frames {
				if len(frame) > 0 {
					hash.Write([]byte{byte(flight), byte(from), byte(to)})
					hash.Write(frame)
					d.deliver(flight, from, to, frame)
				}
			}
		}
		d.arrive(flight)
	}
	hash.Sum(r.Transcript[:0])
	return r
}

type message struct {
	from, to int
	frame    []byte
}

type driver struct {
	streams map[[2]int]*bytes.Buffer
	late    map[int][]message
	wire    Wire
}

func (d *driver) deliver(flight, from, to int, frame []byte) {
	deliveries := []Delivery{{0, frame}}
	if d.wire != nil {
		deliveries = d.wire(flight, from, to, frame)
	}
	for _, v := range deliveries {
		d.late[flight+v.Delay] = append(d.late[flight+v.Delay], message{from, to, v.Frame})
	}
}

func (d *driver) arrive(flight int) {
	for _, m := range d.late[flight] {
		key := [2]int{m.from, m.to}
		if d.streams[key] == nil {
			d.streams[key] = new(bytes.Buffer)
		}
		d.streams[key].Write(m.frame)
	}
}

// take reads what a party expects from the streams to it.
func (d *driver) take(to, flight int, sizes []int) [][]byte {
	if flight == 1 {
		return nil
	}
	in := make([][]byte, len(sizes))
	for from, size := range sizes {
		if s := d.streams[[2]int{from, to}]; size > 0 && s != nil && s.Len() >= size {
			in[from] = append([]byte(nil), s.Next(size)...)
		}
	}
	return in
}

func column(sent [][][]byte, to int) [][]byte {
	c := make([][]byte, len(sent))
	for from, frames := range sent {
		if frames != nil {
			c[from] = frames[to]
		}
	}
	return c
}
