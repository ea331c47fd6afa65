package store

// Abandon leaves the store as a killed process would: nothing more is written,
// no number is given back.
func Abandon(s *Store) {
	s.closing.Do(func() {
		s.w.mu.Lock()
		s.w.queue = nil
		s.w.mu.Unlock()
		_ = s.w.stop(0)
		_ = s.release()
	})
}

// SetGroupSize says how many customers one transaction of an import takes.
func (s *Store) SetGroupSize(n int) { s.opts.group = n }
