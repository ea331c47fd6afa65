package app

import (
	"bytes"
	"os"
	"time"
)

// watcher sees that a file has changed: when it has been the same for one look
// again, so that half a file is not read.
type watcher struct {
	path       string
	on         bool
	read, seen stamp
}

type stamp struct {
	at   time.Time
	size int64
}

// look takes the file for read, when it still says what the server began with:
// opening a large database may have taken minutes since.
func (w *watcher) look(began []byte) {
	if !w.on {
		return
	}
	w.seen = w.stamp()
	text, err := os.ReadFile(w.path)
	if err == nil && bytes.Equal(text, began) {
		w.read = w.seen
	}
}

func (w *watcher) changed() bool {
	if !w.on {
		return false
	}
	now := w.stamp()
	still := now == w.seen
	w.seen = now
	if !still || now == w.read || now == (stamp{}) {
		return false
	}
	w.read = now
	return true
}

// stamp is zero while the file is not there.
func (w *watcher) stamp() stamp {
	st, err := os.Stat(w.path)
	if err != nil {
		return stamp{}
	}
	return stamp{st.ModTime(), st.Size()}
}
