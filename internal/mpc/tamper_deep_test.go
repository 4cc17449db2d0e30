package mpc

import (
	"math/rand/v2"
	"slices"

	"github.com/angler-dex/angler/internal/mpc/auth"
	"github.com/angler-dex/angler/internal/mpc/block"
	"github.com/angler-dex/angler/internal/mpc/oracle"
	"github.com/angler-dex/angler/internal/mpc/ot"
	"github.com/angler-dex/angler/internal/mpc/triple"
)

// before and after make a cheat with one hook.
func before(flight int, f func(c *cheat)) *cheat {
	return &cheat{pre: map[int]func(*cheat){flight: f}}
}

func after(flight int, f func(c *cheat, out outgoing)) *cheat {
	return &cheat{post: map[int]func(*cheat, outgoing){flight: f}}
}

// one cheat is party 2, as a rule.
func single(f func(seed uint64) *cheat) func(uint64) map[int]*cheat {
	return func(seed uint64) map[int]*cheat { return map[int]*cheat{2: f(seed)} }
}

// errorBlock is a nonzero difference that keeps the lowest bit.
func errorBlock(seed uint64) block.Block {
	rng := rand.New(rand.NewPCG(seed, 'e'))
	return block.Block{Lo: rng.Uint64() &^ 1, Hi: rng.Uint64() | 1}
}

// deepKinds are cheats that stay consistent with what they sent.
func deepKinds() []kind {
	return slices.Concat(setupKinds(), tripleKinds(), commitmentKinds(), onlineKinds())
}

// deltaTo makes the cheat use Δ ⊕ e towards one party, from base OTs on.
func deltaTo(victim int, seed uint64) *cheat {
	return after(1, func(c *cheat, out outgoing) { c.rechoose(out, victim, c.delta.Xor(errorBlock(seed))) })
}

// rechoose makes the base OTs with a peer again, with another choice.
func (c *cheat) rechoose(out outgoing, peer int, choice block.Block) {
	b, err := ot.NewBaseOT(c.sid, c.self, peer, choice, c.cfg.Rand)
	if err != nil {
		panic(err)
	}
	c.baseOT[peer], out[peer][fBase] = b, b.Message()
}

func setupKinds() []kind {
	return []kind{
		{name: "base OT: wrong seed in one column to one peer", runs: 4, cheats: single(func(seed uint64) *cheat {
			return before(2, func(c *cheat) { c.base[1].Sender.Pairs[5][1].Lo ^= 1 })
		})},
		{name: "x: a region A bit differs to one peer", sure: true, cheats: single(func(seed uint64) *cheat {
			return before(2, func(c *cheat) { auth.Bits(c.choices[0]).Flip(int(3*(seed%40)), 1) })
		})},
		{name: "x: the mask of region A differs to one peer", sure: true, cheats: single(func(seed uint64) *cheat {
			return before(2, func(c *cheat) { auth.Bits(c.choices[0]).Flip(c.shapes[2].RowsA()-1-int(seed%128), 1) })
		})},
		{name: "x: a y or an r differs to one peer", sure: true, cheats: single(func(seed uint64) *cheat {
			return before(2, func(c *cheat) {
				auth.Bits(c.choices[0]).Flip(c.shapes[2].Rows()+int(seed%2)*c.shapes[2].Pairs()+int(3*(seed%40)), 1)
			})
		})},
		{name: "x: the mask of the narrow rows differs to one peer", sure: true, cheats: single(func(seed uint64) *cheat {
			return before(2, func(c *cheat) {
				auth.Bits(c.choices[0]).Flip(c.shapes[2].Rows()+(1+int(seed%2))*c.shapes[2].Pairs()-1-int(seed%128), 1)
			})
		})},
		{name: "delta: another one to one peer, cold", cold: true, sure: true, cheats: single(func(seed uint64) *cheat { return deltaTo(0, seed) })},
		{name: "delta: another one to one peer, warm", sure: true, cheats: single(func(seed uint64) *cheat {
			return after(2, func(c *cheat, out outgoing) {
				out[0][fOffset] = encode([]block.Block{block.FromBytes(out[0][fOffset]).Xor(errorBlock(seed))})
			})
		})},
		{name: "delta: of the evaluator, to one peer", cold: true, sure: true, cheats: func(seed uint64) map[int]*cheat {
			return map[int]*cheat{0: deltaTo(1, seed)}
		}},
		{name: "delta: wrong lowest bit, the same to all", sure: true, cheats: single(func(uint64) *cheat {
			return before(2, func(c *cheat) { c.delta.Lo |= 1 })
		})},
		{name: "delta: zero-sum among two cheats", n: 4, cold: true, sure: true, cheats: func(seed uint64) map[int]*cheat {
			return map[int]*cheat{2: deltaTo(0, seed), 3: deltaTo(0, seed)}
		}},
		{name: "zero shares: another seed than was sent", sure: true, cheats: single(func(seed uint64) *cheat {
			return after(2, func(c *cheat, _ outgoing) { c.seeds[0].Lo ^= 1 << (seed % 64) })
		})},
		{name: "cached set: another id", sure: true, cheats: single(func(uint64) *cheat {
			return before(2, func(c *cheat) { c.base[1].Sender.ID[0] ^= 1 })
		})},
	}
}

func tripleKinds() []kind {
	// rows makes a cheat that adds e to leaky AND t of its rows to some peers.
	rows := func(to func(j int) bool) func(uint64) map[int]*cheat {
		return single(func(seed uint64) *cheat {
			return after(3, func(c *cheat, out outgoing) {
				t, e := int(seed*37)%c.leakyANDs(), encode([]block.Block{errorBlock(seed)})[:triple.WindowBytes]
				for j := range out {
					if j == c.self || !to(j) {
						continue
					}
					g := slices.Clone(out[j][fRows])
					for k := range e {
						g[triple.WindowBytes*t+k] ^= e[k]
					}
					out[j][fRows] = g
					h := triple.RowHash(c.sid, c.self, j, g)
					copy(out[j][fRowHash][j*digest:], h[:]) // one slice for all recipients
				}
			})
		})
	}
	return []kind{
		{name: "leaky row to one peer, hashed as sent", cheats: rows(func(j int) bool { return j == 0 })},
		{name: "leaky row to all peers, hashed as sent", cheats: rows(func(int) bool { return true })},
		{name: "leaky row to one peer, made up for in alpha", cheats: single(func(seed uint64) *cheat {
			e := block.Block{Lo: errorBlock(seed).Lo & (1<<(8*triple.WindowBytes) - 1)}
			c := rows(func(j int) bool { return j == 0 })(seed)[2]
			c.post[5] = func(c *cheat, out outgoing) {
				t := int(seed*37) % c.leakyANDs()
				chi := make([]block.Block, t+1)
				block.NewPRG(triple.Coefficients(c.sid, c.joint, c.column(3, fRowHash), c.column(4, fS))).Blocks(chi)
				block.FromBytes(c.alpha[salt:]).Xor(block.Mul(chi[t], e)).Put(c.alpha[salt:])
				out.broadcast(fComAlpha, c.commit("alpha", c.alpha))
			}
			return c
		})},
		{name: "s: a lie to all", sure: true, cheats: single(func(seed uint64) *cheat {
			return after(4, func(c *cheat, out outgoing) { out.broadcast(fS, flipped(out[0][fS], int(seed*41))) })
		})},
		{name: "y: a lie to all", sure: true, cheats: single(func(seed uint64) *cheat {
			return after(3, func(c *cheat, out outgoing) {
				y := decode(out[0][fY])
				y[seed%3] = y[seed%3].Xor(errorBlock(seed))
				out.broadcast(fY, encode(y))
			})
		})},
		{name: "z: a lie, committed to", sure: true, cheats: single(func(seed uint64) *cheat {
			return after(4, func(c *cheat, out outgoing) {
				z := decode(c.z[salt:])
				z[seed%3] = z[seed%3].Xor(errorBlock(seed))
				copy(c.z[salt:], encode(z))
				out.broadcast(fComZ, c.commit("z", c.z))
			})
		})},
		{name: "z: changed after the commitment", sure: true, cheats: single(func(seed uint64) *cheat {
			return after(5, func(c *cheat, out outgoing) { out.broadcast(fZ, flipped(out[0][fZ], 8*salt+int(seed))) })
		})},
		{name: "alpha: a lie, committed to", sure: true, cheats: single(func(seed uint64) *cheat {
			return after(5, func(c *cheat, out outgoing) {
				c.alpha[salt+seed%16] ^= 1
				out.broadcast(fComAlpha, c.commit("alpha", c.alpha))
			})
		})},
		{name: "coin: changed after the commitment", sure: true, cheats: single(func(seed uint64) *cheat {
			return after(4, func(c *cheat, out outgoing) { out.broadcast(fCoin, flipped(out[0][fCoin], int(seed))) })
		})},
		{name: "e, f, g: a lie to all with the digest of the truth", sure: true, cheats: single(func(seed uint64) *cheat {
			return after(6, func(c *cheat, out outgoing) {
				out.broadcast(fOpened, flipped(out[0][fOpened], int(seed*7)%c.openedBits()))
			})
		})},
	}
}

// commitmentKinds copy party 0's commitment, and later its opening.
func commitmentKinds() []kind {
	copied := func(name string, committed int, commitment field, opened int, opening field) kind {
		take := func(flight int, f field) func(c *cheat, out outgoing) {
			return func(c *cheat, out outgoing) {
				if b := c.peekField(flight, 0, f); b != nil {
					out.broadcast(f, b)
				}
			}
		}
		return kind{name: name + ": copied commitment", sure: true, cheats: single(func(uint64) *cheat {
			return &cheat{post: map[int]func(*cheat, outgoing){committed: take(committed, commitment), opened: take(opened, opening)}}
		})}
	}
	return []kind{
		copied("coin", 2, fComCoin, 4, fCoin),
		copied("z", 4, fComZ, 5, fZ),
		copied("alpha", 5, fComAlpha, 6, fAlpha),
	}
}

func onlineKinds() []kind {
	return []kind{
		{name: "garbled row of a random gate and slot, to a garbler", cheats: single(func(seed uint64) *cheat {
			return after(7, func(c *cheat, out outgoing) { out[1][fGarbled] = flipped(out[1][fGarbled], int(seed*1931)) })
		})},
		{name: "garbled row of a random gate and slot, to party 0", cheats: single(func(seed uint64) *cheat {
			return after(7, func(c *cheat, out outgoing) { out[0][fHalves] = flipped(out[0][fHalves], int(seed*1931)) })
		})},
		{name: "a garbler's row moved by its Δ", cheats: single(func(seed uint64) *cheat {
			return after(7, func(c *cheat, out outgoing) {
				rows := decode(out[1][fGarbled])
				rows[seed%uint64(len(rows))] = rows[seed%uint64(len(rows))].Xor(c.delta)
				out[1][fGarbled] = encode(rows)
			})
		})},
		{name: "input: the other masked bit and label, MAC of the truth", sure: true, cheats: single(func(uint64) *cheat {
			return after(8, func(c *cheat, out outgoing) { out[0][fInputS] = flipped(out[0][fInputS], 0) })
		})},
		{name: "input: another active label for one garbler", cheats: single(func(seed uint64) *cheat {
			return after(8, func(c *cheat, out outgoing) { out[0][fLabels] = flipped(out[0][fLabels], int(seed*131)) })
		})},
		{name: "F9: a bit of the signature", signed: true, runs: 2, cheats: func(seed uint64) map[int]*cheat {
			return map[int]*cheat{0: after(9, func(c *cheat, out outgoing) {
				for j := 1; j < c.n; j++ {
					out[j][fSignature] = flipped(out[j][fSignature], int(seed*97))
				}
			})}
		}},
		{name: "F9: party 0 claims a false win", signed: true, cheats: func(seed uint64) map[int]*cheat {
			return map[int]*cheat{0: after(9, func(c *cheat, out outgoing) {
				out[1][fMasked] = flipped(out[1][fMasked], 0)
				out[1][fOutLabels] = flipped(out[1][fOutLabels], int(seed%128))
			})}
		}},
		{name: "F9: party 0 gives the noise of a loser to the winner", signed: true, cheats: func(uint64) map[int]*cheat {
			return map[int]*cheat{0: after(9, func(c *cheat, out outgoing) {
				for j := range out {
					h := oracle.Sum("noise", []byte{byte(j)})
					out[j][fSignature] = append(h[:], h[:]...)
				}
			})}
		}},
		{name: "F9: party 0 signs another price", signed: true, cheats: func(uint64) map[int]*cheat {
			return map[int]*cheat{0: before(9, func(c *cheat) { c.params = c.withTerms("another price") })}
		}},
		{name: "F9: party 0 gives one provider what is another's", signed: true, cheats: func(uint64) map[int]*cheat {
			return map[int]*cheat{0: after(9, func(c *cheat, out outgoing) { out[1], out[2] = out[2], out[1] })}
		}},
		{name: "F9: a provider mixes up the MACs of two classes", signed: true, sure: true, cheats: func(uint64) map[int]*cheat {
			return map[int]*cheat{2: after(9, func(c *cheat, out outgoing) {
				out[1][fLambdaMAC], out[1][fDisclosedMAC] = out[1][fDisclosedMAC], out[1][fLambdaMAC]
			})}
		}},
		{name: "F9: a provider opens conditional outputs as private ones", signed: true, sure: true, cheats: func(uint64) map[int]*cheat {
			return map[int]*cheat{2: after(9, func(c *cheat, out outgoing) {
				as := conditional
				as.what = openedMasks
				c.open(&out[1], 1, as)
			})}
		}},
		{name: "F9: a provider gives one its shares for another", n: 4, signed: true, sure: true, cheats: func(uint64) map[int]*cheat {
			return map[int]*cheat{2: after(9, func(c *cheat, out outgoing) {
				out[1][fDisclosed], out[1][fDisclosedMAC] = out[3][fDisclosed], out[3][fDisclosedMAC]
			})}
		}},
		{name: "F9: a provider lies about its share of another's mask", cheats: func(uint64) map[int]*cheat {
			return map[int]*cheat{2: after(9, func(c *cheat, out outgoing) {
				out[1][fLambda] = flipped(out[1][fLambda], 0)
			})}
		}},
	}
}

// withTerms is the party's parameters with a function that claims something
// else.
func (c *cheat) withTerms(terms string) *params {
	m := *c.params
	m.function = otherTerms{m.function, []byte(terms)}
	return &m
}

type otherTerms struct {
	Function
	terms []byte
}

func (f otherTerms) Claims(in, out []bool) map[int][]byte {
	claims := f.Function.Claims(in, out)
	for d := range claims {
		claims[d] = f.terms
	}
	return claims
}
