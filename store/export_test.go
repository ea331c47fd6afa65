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

// GroupSize is how many customers one transaction of an import takes.
func (s *Store) GroupSize() int { return s.groupSize() }
