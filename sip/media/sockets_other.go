//go:build !linux || !(amd64 || arm64)

package media

func newSockets(got receiver) (sockets, error) { return &netSockets{got: got}, nil }
