package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/ladder"
	"github.com/cordboard/cordboard/cmd/cordboard/internal/why"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
)

// The commands of this machine ask a running server by a socket in the journal's
// folder, which nobody but the server's own account can enter: whoever may read
// the ledger's files may ask it.

// localSocket is where that socket is.
func localSocket(journal string) string { return filepath.Join(journal, "cordboard.sock") }

// listenLocal takes the socket. Without it the server serves all the same.
func (a *App) listenLocal() {
	path := localSocket(a.opt.Server.Store.Journal)
	// One that a server left behind which was killed. The journal has one server.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		a.log.Warn("the commands' socket cannot be taken: cordboard trace will not reach this server", zap.Error(err))
		return
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		a.log.Warn("the commands' socket cannot be taken: cordboard trace will not reach this server", zap.Error(err))
		return
	}
	if err := os.Chmod(path, 0o600); err != nil {
		a.log.Warn("the commands' socket stays as it is", zap.Error(err))
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /trace", a.localTrace)
	mux.HandleFunc("POST /erase", a.localErase)
	mux.HandleFunc("POST /export", a.localExport)
	a.local, a.localListener = newServer(mux, a.log), l
}

func (a *App) localTrace(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	whole, who := q.Get("messages") == "1", "command line: "+q.Get("who")
	var out *ladder.Trace
	var err error
	if id := q.Get("call_id"); id != "" {
		out, err = a.tracer.dialog(id, whole, who)
	} else if n, bad := strconv.ParseInt(q.Get("call"), 10, 64); bad == nil {
		out, err = a.tracer.call(r.Context(), routing.CallID(n), whole, who)
	} else {
		err = bad
	}
	switch {
	case errors.Is(err, why.ErrNoCall):
		http.Error(w, err.Error(), http.StatusNotFound)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(out)
	}
}

// ErrNotRunning says that no server answers for a server file.
var ErrNotRunning = errors.New("no server is running with this server file")

// Trace asks the running server for a call, by its number in the ledger or by a
// Call-ID of SIP.
func Trace(ctx context.Context, s *configs.Server, call string, whole bool, who string) (*ladder.Trace, error) {
	q := url.Values{"who": {who}}
	if _, err := strconv.ParseInt(call, 10, 64); err == nil {
		q.Set("call", call)
	} else {
		q.Set("call_id", call)
	}
	if whole {
		q.Set("messages", "1")
	}
	var out ladder.Trace
	return &out, askLocal(ctx, s, http.MethodGet, "/trace?"+q.Encode(), nil, &out)
}

// Running says whether a server runs with this file.
func Running(ctx context.Context, s *configs.Server) bool {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", localSocket(s.Store.Journal))
	if err != nil {
		return false
	}
	return c.Close() == nil
}

// askLocal asks the running server.
func askLocal(ctx context.Context, s *configs.Server, method, path string, body io.Reader, out any) error {
	socket := localSocket(s.Store.Journal)
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		c, err := d.DialContext(ctx, "unix", socket)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrNotRunning, err)
		}
		return c, nil
	}
	client := http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(ctx, method, "http://cordboard"+path, body)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return errors.Unwrap(err) // without the URL
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
		return json.NewDecoder(res.Body).Decode(out)
	case http.StatusNotFound:
		return why.ErrNoCall
	}
	text := make([]byte, 400)
	n, _ := res.Body.Read(text)
	return fmt.Errorf("the server says: %s", text[:n])
}
