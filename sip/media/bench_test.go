package media_test

import (
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/cordboard/cordboard/sip/media"
)

// BenchmarkPlay500 plays to 500 callers and reports the processor time a
// stream costs a second, and the packets sent of those due. One iteration is a
// second.
func BenchmarkPlay500(b *testing.B) {
	const streams = 500
	e := engine(b)
	sink, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer sink.Close() // nobody reads it: the kernel drops, which costs the least
	if err := sink.SetReadBuffer(4096); err != nil {
		b.Fatal(err)
	}
	to := sink.LocalAddr().(*net.UDPAddr).AddrPort()
	var ports []*media.Port
	for range streams {
		p := open(b, e)
		if err := p.Play(media.DefaultMusic, true, to, pcmu, nil); err != nil {
			b.Fatal(err)
		}
		ports = append(ports, p)
	}
	before, sent, start := cpu(b), total(ports), time.Now()
	for b.Loop() {
		time.Sleep(time.Second)
	}
	wall := time.Since(start).Seconds()
	b.ReportMetric((cpu(b)-before).Seconds()*1e6/wall/streams, "cpu-us/s/stream")
	b.ReportMetric(100*float64(total(ports)-sent)/(50*wall*streams), "%sent")
}

func total(ports []*media.Port) (n uint64) {
	for _, p := range ports {
		n += p.Sent()
	}
	return n
}

func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkOpenClose is what a call pays for a port pair: opened, and closed
// after no sound.
func BenchmarkOpenClose(b *testing.B) {
	e := engine(b)
	b.ReportAllocs()
	before := cpu(b)
	for b.Loop() {
		open(b, e).Close()
	}
	b.ReportMetric(float64((cpu(b)-before).Nanoseconds())/1000/float64(b.N), "cpu-us/op")
}

// BenchmarkRelay is what a packet of a joined call pays: received on one port,
// sent from the other.
func BenchmarkRelay(b *testing.B) {
	e := engine(b)
	var pa, pb = open(b, e), open(b, e)
	from, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer from.Close()
	sink, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer sink.Close()
	pa.SetRemote(from.LocalAddr().(*net.UDPAddr).AddrPort())
	pb.SetRemote(sink.LocalAddr().(*net.UDPAddr).AddrPort())
	if err := e.Relay(pa, pb); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	before, pkt, got := cpu(b), make([]byte, 172), make([]byte, 1500)
	pkt[0] = 0x80
	for b.Loop() {
		if _, err := from.WriteToUDPAddrPort(pkt, pa.Local()); err != nil {
			b.Fatal(err)
		}
		if _, err := sink.Read(got); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpu(b)-before).Nanoseconds())/1000/float64(b.N), "cpu-us/op")
}
