//go:build !linux

package media

func newSockets(got receiver) (sockets, error) { return &netSockets{got: got}, nil }
