package configs

import "time"

// Trace is what is kept of the SIP messages of the latest calls.
type Trace struct {
	Memory int           `key:"memory"` // in MiB; 0: none is kept
	Keep   time.Duration `key:"keep"`   // none longer
}

func (s *serverReader) trace(o *object) {
	t := &s.out.Trace
	t.Memory = s.integer(o.get("memory"), 0, 1024, 4)
	t.Keep = s.duration(o.get("keep"), time.Minute, 7*24*time.Hour, 24*time.Hour)
	o.close()
}
