// Package matchtest is a small market on loopback for tests of what providers
// and requesters do with each other. Everything in it is the real thing: mesh
// nodes on 127.0.0.1, bbolt ledgers, identities and memberships of a pool, the
// computation itself. Only the Kubernetes cluster is an ideal one ([Cluster]),
// so that it can be made to fail at will.
package matchtest
