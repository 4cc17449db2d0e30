// Package cli is the command line of Angler: flags and files come in here, words go out here.
//
// A command parses what a person or a script wrote, calls one package below (node, requester, control, identity, mpc) and
// draws what comes back. It decides nothing that those packages should decide.
//
// # Conventions
//
// Results go to stdout and nothing else does; talk (progress, notes, warnings, errors) goes to stderr. Styles are for
// terminals only, each stream looked at by itself, and NO_COLOR turns them off. Every command has an output format (-o): a
// text or table for people, json and yaml with the same keys for scripts, name for shell loops.
//
// A value comes from its flag, else from its ANGLER_ variable, else from the configuration file, else it has its default
// (settings.go). No secret is a setting: credentials live in files only, prices and quantities are flags of one command.
//
// Exit codes stand in one table (exit.go). A command returns an error; the table says which code it is.
package cli
