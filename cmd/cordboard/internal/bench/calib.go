package bench

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	calibRuns    = 5
	calibEntries = 1 << 20
	calibSends   = 50_000
	calibSyncs   = 50
)

// Calibrate prints what this machine takes for three small things that depend
// on no code of ours, median of five each: calib_map_ns, one entry of a walk
// over a map of a million; calib_sendto_us, one datagram of 200 bytes over
// loopback; calib_fsync_us, 4 KiB appended to a file in folder and synced.
func (r *Report) Calibrate(folder string) error {
	var walk, send, sync []float64
	for range calibRuns {
		walk = append(walk, mapWalk())
		one, err := SendTo()
		if err != nil {
			return fmt.Errorf("bench: calibrate: %w", err)
		}
		send = append(send, one)
		if one, err = syncLoop(folder); err != nil {
			return fmt.Errorf("bench: calibrate: %w", err)
		}
		sync = append(sync, one)
	}
	r.Runs("calib_map_ns", "ns", walk)
	r.Runs("calib_sendto_us", "us", send)
	r.Runs("calib_fsync_us", "us", sync)
	return nil
}

func mapWalk() float64 {
	m := make(map[int]int, calibEntries)
	for i := range calibEntries {
		m[i*2654435761] = i
	}
	begin, sum := time.Now(), 0
	for k, v := range m {
		sum += k ^ v
	}
	took := time.Since(begin)
	if sum == 42 { // the walk must not be optimised away
		took++
	}
	return float64(took.Nanoseconds()) / calibEntries
}

// SendTo is what a datagram of 200 bytes over loopback takes, in us: the mean of
// many, of which none is read.
func SendTo() (us float64, err error) {
	to, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, err
	}
	defer to.Close()
	from, err := net.DialUDP("udp4", nil, to.LocalAddr().(*net.UDPAddr))
	if err != nil {
		return 0, err
	}
	defer from.Close()
	datagram := make([]byte, 200)
	begin := time.Now()
	for range calibSends { // nobody reads: what overflows is dropped by the kernel
		if _, err := from.Write(datagram); err != nil {
			return 0, err
		}
	}
	return micros(time.Since(begin)) / calibSends, nil
}

func syncLoop(folder string) (us float64, err error) {
	f, err := os.CreateTemp(folder, "calib-*")
	if err != nil {
		return 0, err
	}
	defer func() {
		_ = f.Close()
		_ = os.Remove(filepath.Clean(f.Name()))
	}()
	page := make([]byte, 4096)
	begin := time.Now()
	for range calibSyncs {
		if _, err := f.Write(page); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
	}
	return micros(time.Since(begin)) / calibSyncs, nil
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
