package media_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/media/internal/wav"
)

// mouth sends RTP as it is told to.
type mouth struct {
	t    *testing.T
	port *media.Port
	conn *net.UDPConn
	to   netip.AddrPort
	sent uint64
}

func mouthTo(t *testing.T, p *media.Port) *mouth {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	p.SetRemote(conn.LocalAddr().(*net.UDPAddr).AddrPort())
	return &mouth{t: t, port: p, conn: conn, to: p.Local()}
}

func (m *mouth) says(pt byte, n int, payload []byte) {
	m.t.Helper()
	b := []byte{0x80, pt}
	b = binary.BigEndian.AppendUint16(b, uint16(n))
	b = binary.BigEndian.AppendUint32(b, uint32(77_000+160*n))
	b = binary.BigEndian.AppendUint32(b, 4711)
	if _, err := m.conn.WriteToUDPAddrPort(append(b, payload...), m.to); err != nil {
		m.t.Fatal(err)
	}
	if m.sent++; m.sent%50 == 0 {
		m.heard() // the socket's buffer has its bounds
	}
}

// heard waits until all that was said has come.
func (m *mouth) heard() {
	m.t.Helper()
	for late := within(m.t); m.port.Heard() < m.sent; {
		select {
		case <-late.Done():
			m.t.Fatalf("%d packets of %d", m.port.Heard(), m.sent)
		case <-time.After(time.Millisecond):
		}
	}
}

// speech is loud, and different in each packet.
func speech(n int) []byte { return bytes.Repeat([]byte{byte(n%100 + 1)}, 160) }

// tape takes what is written, after the gate (nil: none) opens, and fails from
// the nth write on.
type tape struct {
	mu     sync.Mutex
	got    []byte
	writes int
	failAt int
	gate   chan struct{}
	begun  chan struct{} // told of each write that waits for the gate
}

var errFull = errors.New("no space left on device")

func (t *tape) Write(b []byte) (int, error) {
	if t.gate != nil {
		select {
		case t.begun <- struct{}{}:
		default:
		}
		<-t.gate
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.writes++; t.writes == t.failAt {
		t.got = append(t.got, b[:1]...)
		return 1, errFull
	}
	t.got = append(t.got, b...)
	return len(b), nil
}

func record(t *testing.T, p *media.Port, to *tape, longest, silence time.Duration) (*media.Recording, chan media.Recorded) {
	t.Helper()
	ended := make(chan media.Recorded, 2)
	r, err := p.Record(media.RecordOptions{To: to, Longest: longest, Silence: silence, Ended: func(got media.Recorded) { ended <- got }})
	if err != nil {
		t.Fatal(err)
	}
	return r, ended
}

// What is said is written byte for byte; keys and comfort noise between are not.
func TestRecord(t *testing.T) {
	p := open(t, engine(t))
	m := mouthTo(t, p)
	to := &tape{}
	r, ended := record(t, p, to, time.Minute, time.Minute)
	var want []byte
	for n := range 100 {
		if n == 40 {
			m.says(101, n, []byte{11, 0x80, 1, 64})
			m.says(13, n, []byte{50})
		}
		m.says(8, n, speech(n))
		want = append(want, speech(n)...)
	}
	m.heard()
	r.Stop()
	r.Stop()
	got := <-ended
	if want := (media.Recorded{Why: media.RecordStopped, Codec: "PCMA", Samples: len(want), Said: true}); got != want {
		t.Errorf("recorded %+v, want %+v", got, want)
	}
	if !bytes.Equal(to.got, want) {
		t.Error("what is written is not what was said")
	}
	m.says(8, 100, speech(100))
	m.heard()
	if len(to.got) != len(want) || len(ended) > 0 {
		t.Error("a recording goes on after its end")
	}
}

// The longest length ends it to the sample, silence after a second of it, and a
// caller who sends nothing at all after the same time.
func TestRecordEnds(t *testing.T) {
	e := engine(t)
	t.Run("longest", func(t *testing.T) {
		p := open(t, e)
		m := mouthTo(t, p)
		_, ended := record(t, p, &tape{}, time.Second+time.Millisecond, time.Minute)
		for n := range 60 {
			m.says(0, n, speech(n))
		}
		if got, want := <-ended, (media.Recorded{Why: media.RecordLongest, Codec: "PCMU", Samples: 8008, Said: true}); got != want {
			t.Errorf("recorded %+v, want %+v", got, want)
		}
	})
	t.Run("silence", func(t *testing.T) {
		p := open(t, e)
		m := mouthTo(t, p)
		_, ended := record(t, p, &tape{}, time.Minute, 1500*time.Millisecond)
		for n := range 110 {
			said := speech(n)
			if n >= 20 {
				said = bytes.Repeat([]byte{0xff}, 160)
			}
			m.says(0, n, said)
		}
		if got, want := <-ended, (media.Recorded{Why: media.RecordSilence, Codec: "PCMU", Samples: 20*160 + 8000, Said: true}); got != want {
			t.Errorf("recorded %+v, want %+v", got, want)
		}
	})
	t.Run("no packets", func(t *testing.T) {
		p := open(t, e)
		_, ended := record(t, p, &tape{}, time.Minute, 300*time.Millisecond)
		if got, want := <-ended, (media.Recorded{Why: media.RecordSilence}); got != want {
			t.Errorf("recorded %+v, want %+v", got, want)
		}
	})
}

// What was written before the disk was full counts, to the sample.
func TestRecordDiskFull(t *testing.T) {
	p := open(t, engine(t))
	m := mouthTo(t, p)
	to := &tape{failAt: 1}
	_, ended := record(t, p, to, time.Minute, time.Minute)
	for n := range 100 {
		m.says(0, n, speech(n))
	}
	got := <-ended
	if got.Why != media.RecordFailed || !errors.Is(got.Err, errFull) || got.Samples != 1 || len(to.got) != 1 {
		t.Errorf("recorded %+v, %d written", got, len(to.got))
	}
}

// While the disk is slow no packet waits, memory is bounded, and what comes after
// the bound ends the recording: what it has is whole.
func TestRecordSlowDisk(t *testing.T) {
	p := open(t, engine(t))
	m := mouthTo(t, p)
	to := &tape{gate: make(chan struct{}), begun: make(chan struct{}, 1)}
	_, ended := record(t, p, to, time.Hour, time.Minute)
	var want []byte
	for n := range 1900 { // 38 s
		if n == 110 {
			<-to.begun
		}
		m.says(0, n, speech(n))
		want = append(want, speech(n)...)
	}
	close(to.gate)
	got := <-ended
	if got.Why != media.RecordFailed || !errors.Is(got.Err, media.ErrSlow) || got.Samples < 30*8000 || got.Samples > 36*8000 {
		t.Errorf("recorded %+v", got)
	}
	if !bytes.Equal(to.got, want[:got.Samples]) {
		t.Error("what is written has a hole")
	}
}

// A port that is closed takes no recording, and one that is ends at its Stop.
func TestRecordClosedPort(t *testing.T) {
	p := open(t, engine(t))
	r, ended := record(t, p, &tape{}, time.Minute, time.Minute)
	p.Close()
	if _, err := p.Record(media.RecordOptions{}); !errors.Is(err, media.ErrClosed) {
		t.Errorf("record on a closed port: %v", err)
	}
	r.Stop()
	if got := <-ended; got.Why != media.RecordStopped || got.Samples != 0 {
		t.Errorf("recorded %+v", got)
	}
}

// The file of a recording is one that we read too, and others: both laws, the
// chunks and sizes as they shall be.
func TestWAV(t *testing.T) {
	for _, codec := range []string{"PCMU", "PCMA"} {
		samples := media.Encode(codec, tone(440, wav.Rate, time.Second)[:7999])
		file := media.WAV(codec, samples)
		if size := binary.LittleEndian.Uint32(file[4:]); int(size) != len(file)-8 || len(file)%2 != 0 {
			t.Errorf("%s: %d octets, the file says %d", codec, len(file), size)
		}
		if !bytes.Equal(file[58:58+len(samples)], samples) {
			t.Errorf("%s: the samples are not what was given", codec)
		}
		pcm, err := wav.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		want := media.Decode(codec, samples)
		if len(pcm) != len(want) {
			t.Fatalf("%s: %d samples, want %d", codec, len(pcm), len(want))
		}
		for i := range pcm {
			if d := int(pcm[i]) - int(want[i]); d < -600 || d > 600 {
				t.Fatalf("%s: sample %d is %d, want %d", codec, i, pcm[i], want[i])
			}
		}
	}
}
