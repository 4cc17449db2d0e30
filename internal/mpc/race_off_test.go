//go:build !race

package mpc

const underRace = false
