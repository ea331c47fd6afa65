// Package pbx holds what differs between kinds of telephone systems: one
// Dialect a kind, one file each. It is text in, text out; package sip asks it
// when it writes an INVITE.
package pbx

// Header is one header field.
type Header struct{ Name, Value string }

// Dialect is how one kind of PBX or phone likes to be spoken to.
type Dialect interface {
	// AutoAnswer returns the headers that make the phone pick up by itself.
	// host is our own host as the phone sees it.
	AutoAnswer(host string) []Header
}
