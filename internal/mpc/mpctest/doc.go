// Package mpctest is what the tests of the protocol stand on: functions to
// compute, seeded randomness, base OTs from a dealer, and a driver that moves
// frames between parties in lock-step, where a test can change, hold back or
// repeat them and where rushing cheats see a flight before they send theirs.
package mpctest
