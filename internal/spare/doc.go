// Package spare keeps one-time sets of base OTs on disk, between the match that
// minted them and the one that they will serve. Two parties that have met skip
// the base OTs of their next match by them (package mpc, "warm").
//
// A set must never serve twice: two global keys masked by the same choices
// would tell their difference. So a set is given out by Newest or Take, and
// before it is given out
//
//  1. its file is claimed by a rename, which one process alone can win,
//  2. it is read through a descriptor that was opened before,
//  3. the file is deleted, and the folder synced.
//
// A crash in between loses the set, not the secret. Sets are bound to the boot
// of the machine that wrote them ([Host]) and to its owner's identity: files of
// another boot, machine or identity, as a restored backup or cache has them,
// are deleted and never used. Hence sets need not survive a crash, and are not
// synced when they are written.
//
// What is not claimed: forward secrecy, for a file system may keep freed pages;
// and safety from a folder that is copied and put back within one boot, or from
// a machine that is resumed twice from one image of its memory. Then the other
// end's copy, which is gone, is what keeps an honest pair from using a set
// twice.
//
// Idle peers make sets outside matches, too ([Make]).
//
// # File
//
// One set a file, mode 0600, named PEER-ID.set: the peer's id in its text form,
// the set's in hex. Exactly fileSize bytes:
//
//	magic (16) ‖ host (32) ‖ own id (32) ‖ peer id (32)
//	‖ receiver: id (32) ‖ choice (16) ‖ 128 × seed (16)
//	‖ sender: id (32) ‖ 128 × 2 seeds (32)
//	‖ SHA-256 of all before (32)
//
// Other names in the folder: .new-* is being written; *.taken is being claimed.
package spare
