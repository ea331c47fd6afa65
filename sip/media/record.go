package media

import (
	"errors"
	"io"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// recordRoom is what a recording keeps in memory while its writer is slow: 32 s
	// of sound. More ends it.
	recordRoom = 32 * sampleRate
	// recordEvery is how often what has come is written, and the end looked for.
	recordEvery = 100 * time.Millisecond
)

// How a recording ended.
const (
	RecordStopped = "stopped" // by Stop
	RecordSilence = "silence" // nothing was said for so long
	RecordLongest = "longest" // as long as it may be
	RecordFailed  = "failed"  // it could not be written: Recorded.Err
)

// ErrSlow ends a recording whose writer does not keep up.
var ErrSlow = errors.New("media: a recording is not written as fast as it comes")

// RecordOptions is what a recording needs.
type RecordOptions struct {
	// To takes the samples in order, on a goroutine of the recording's own: it may
	// block.
	To io.Writer
	// Codec is that of the samples, PCMU or PCMA; "": that of the first packet. What
	// comes in the other is converted.
	Codec string
	// Longest and Silence end the recording: at so much sound, and after so long
	// without any.
	Longest, Silence time.Duration
	// Ended is called once, when all is written, on the recording's goroutine.
	Ended func(Recorded)
}

// Recorded is what became of a recording.
type Recorded struct {
	Why   string
	Codec string // PCMU or PCMA, "" when it was left to the first packet and none came
	// Samples is how many count, of those written: 8000 a second. After a silence
	// one second of it does.
	Samples int
	Said    bool  // somebody spoke, or there was a noise as loud
	Err     error // with RecordFailed
}

// Recording takes down what one port hears, as G.711 on the clock of its RTP
// (track). What it keeps in memory is bounded, and no goroutine but its own waits
// for the writer.
type Recording struct {
	port *Port
	opt  RecordOptions
	stop chan struct{}
	once sync.Once

	mu    sync.Mutex
	track track
	first time.Time // packet; zero: none yet
	last  time.Time
	out   []byte // to be written
	slow  bool

	written int // on the recording's goroutine
}

// Record begins to take down what the port hears. A second recording takes the
// place of the first, which has to be stopped all the same. The error is
// ErrClosed.
func (p *Port) Record(o RecordOptions) (*Recording, error) {
	r := &Recording{port: p, opt: o, stop: make(chan struct{}), last: time.Now()}
	r.track.codec = o.Codec
	r.track.most = int(o.Longest * sampleRate / time.Second)
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	p.recording.Store(r)
	p.mu.Unlock()
	go r.run()
	return r, nil
}

// Stop ends the recording; Ended is called when the rest is written. Further
// calls do nothing.
func (r *Recording) Stop() { r.once.Do(func() { close(r.stop) }) }

// heard takes a packet of the peer, on the goroutine that reads for many calls.
func (r *Recording) heard(h rtpHeader, codec string, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if codec == "" || r.slow || r.track.full() {
		return
	}
	if r.first.IsZero() {
		r.first = now
	}
	r.last = now
	done := r.track.put(h, codec, samplesIn(now.Sub(r.first)))
	if len(r.out)+len(done) > recordRoom {
		r.slow = true
		return
	}
	r.out = append(r.out, done...)
}

// run writes until the end.
func (r *Recording) run() {
	defer r.port.recovered("recording")
	every := time.NewTicker(recordEvery)
	defer every.Stop()
	for {
		why := ""
		select {
		case <-r.stop:
			why = RecordStopped
		case now := <-every.C:
			why = r.due(now)
		}
		if why != "" {
			r.finish(why)
			return
		}
		if err := r.write(r.take(nil)); err != nil {
			r.fail(err)
			return
		}
	}
}

// due is how the recording ends now, "" while it does not.
func (r *Recording) due(now time.Time) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	quiet := now.Sub(r.last) + time.Duration(r.track.end()-r.track.loud)*time.Second/sampleRate
	switch {
	case r.slow:
		return RecordFailed
	case r.track.full():
		return RecordLongest
	case quiet >= r.opt.Silence:
		return RecordSilence
	}
	return ""
}

// take takes what is to be written, and what more there is at the end.
func (r *Recording) take(more []byte) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := append(r.out, more...)
	r.out = nil
	return out
}

func (r *Recording) write(samples []byte) error {
	if len(samples) == 0 {
		return nil
	}
	n, err := r.opt.To.Write(samples)
	r.written += n
	return err
}

func (r *Recording) finish(why string) {
	r.port.recording.CompareAndSwap(r, nil)
	r.mu.Lock()
	rest := r.track.rest()
	slow := r.slow
	r.slow = true // what still comes is not taken
	r.mu.Unlock()
	if slow {
		rest = nil // there is a hole before it
	}
	if err := r.write(r.take(rest)); err != nil {
		r.fail(err)
		return
	}
	out := r.result(why)
	if why == RecordFailed {
		out.Err = ErrSlow
	}
	r.tell(out)
}

// fail ends a recording that cannot be written: what was, counts.
func (r *Recording) fail(err error) {
	r.port.recording.CompareAndSwap(r, nil)
	out := r.result(RecordFailed)
	out.Err = err
	r.tell(out)
}

func (r *Recording) result(why string) Recorded {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := &r.track
	out := Recorded{Why: why, Codec: t.codec, Samples: min(t.base, r.written), Said: t.loud > 0}
	if why == RecordSilence {
		out.Samples = min(out.Samples, t.loud+sampleRate)
	}
	return out
}

// tell calls Ended, whose panic is its own call's.
func (r *Recording) tell(out Recorded) {
	if out.Err != nil {
		r.port.engine.log.Debug("recording ended", zap.Error(out.Err))
	}
	r.opt.Ended(out)
}

// codecOf is the codec of a packet, "" for one that is no G.711.
func codecOf(pt uint8, f Format, known bool) string {
	switch {
	case known && (f.Name == "PCMU" || f.Name == "PCMA"):
		return f.Name
	case known:
	case pt == 0: // RFC 3551 section 6: what these mean need not be agreed on
		return "PCMU"
	case pt == 8:
		return "PCMA"
	}
	return ""
}

func samplesIn(d time.Duration) int { return int(d * sampleRate / time.Second) }
