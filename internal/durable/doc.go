// Package durable puts files on disk so that a crash, a full disk or a reader
// at the same moment finds the old file or the new one, never half of either.
//
// A file is written beside its place under a name of its own, synced, and moved
// there in one step; then the folder is synced, since a rename is an entry in
// it. Files have mode 0600: what is kept this way holds keys, credentials and
// deals.
//
// A process that dies in between leaves its unfinished file behind. Nothing
// reads it; [Unfinished] tells such files apart, for who cleans up.
package durable
