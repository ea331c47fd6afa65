package stack

// Heard reports whether anything at all has come back to our INVITE, 100
// included: whether there is somebody at the other end.
func (d *Dialog) Heard() bool {
	d.mu.Lock()
	defer d.unlock()
	return d.call != nil && (d.call.provisional || d.phase != early)
}
