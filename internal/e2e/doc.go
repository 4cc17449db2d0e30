// Package e2e holds the tests that need everything at once: the real binary,
// every party a process of its own with its own identity, state and ports, a
// real DHT over UDP, a real Kubernetes API server. Where a claim is about
// processes (they are killed, they restart, they race), it is tested here.
package e2e
