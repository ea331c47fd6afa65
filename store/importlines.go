package store

import (
	"bufio"
	"errors"
	"io"
)

const maxLine = 4 << 20 // bytes of one record

// lines cuts a file into lines.
type lines struct {
	in   *bufio.Reader
	size int64 // bytes read so far
}

// read reads a line of whatever length and keeps at most maxLine of it.
func (f *lines) read() (text []byte, long bool, err error) {
	for {
		piece, err := f.in.ReadSlice('\n')
		f.size += int64(len(piece))
		if len(text)+len(piece) > maxLine {
			long = true
		} else {
			text = append(text, piece...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && (len(text) > 0 || long):
			return text, long, nil
		}
		return text, long, err
	}
}
