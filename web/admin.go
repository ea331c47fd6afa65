package web

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"
)

// Admin serves metrics and health, for a loopback listener.
func (s *Server) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.opt.Registry, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4, Timeout: 10 * time.Second,
	}))
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "healthy\n")
	})
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if s.opt.Ready != nil {
			if err := s.opt.Ready(ctx); err != nil {
				s.log.Warn("not ready", zap.Error(err))
				http.Error(w, "not ready", http.StatusServiceUnavailable)
				return
			}
		}
		text := "ready\n"
		if s.opt.Degraded != nil {
			if what := s.opt.Degraded(ctx); len(what) > 0 {
				text = "ready, degraded: " + strings.Join(what, ", ") + "\n"
			}
		}
		_, _ = io.WriteString(w, text)
	})
	return mux
}
