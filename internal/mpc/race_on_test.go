//go:build race

package mpc

// underRace is set where the race detector makes everything ten times slower:
// the tests then do the same things less often.
const underRace = true
