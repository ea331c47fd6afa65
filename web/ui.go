package web

import (
	"embed"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
)

//go:embed all:ui/dist
var dist embed.FS

func embedded() fs.FS {
	f, err := fs.Sub(dist, "ui/dist")
	if err != nil {
		return dist // "ui/dist" is a valid path; fs.Sub has no other error
	}
	return f
}

// pages are the addresses of the one page.
var pages = []string{"/", "/login", "/in", "/board", "/requests", "/after-call", "/interest", "/answers", "/search", "/duplicates"}

// contentTypes of what a build holds; the machine's own table is not asked.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".woff2": "font/woff2", ".woff": "font/woff",
	".json": "application/json", ".webmanifest": "application/manifest+json", ".txt": "text/plain; charset=utf-8",
	".wav": "audio/wav", ".mp3": "audio/mpeg", ".map": "application/json",
}

const notBuilt = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Cordboard</title>
<h1>The desktop is not in this build</h1>
<p>Run <code>make ui</code>, then build the server again. The API and the desk socket work without it.</p></html>
`

// newUI serves the built desktop: hashed assets for ever, the page never from
// a cache.
func newUI(files fs.FS) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(r.URL.Path, "/")
		if slices.Contains(pages, r.URL.Path) {
			name = "index.html"
		}
		kind, known := contentTypes[path.Ext(name)]
		if !known || !fs.ValidPath(name) {
			http.NotFound(w, r)
			return
		}
		f, err := files.Open(name)
		if err != nil {
			if name == "index.html" {
				w.Header().Set("Content-Type", contentTypes[".html"])
				w.Header().Set("Cache-Control", "no-store")
				w.WriteHeader(http.StatusServiceUnavailable)
				_, _ = io.WriteString(w, notBuilt)
				return
			}
			http.NotFound(w, r)
			return
		}
		defer func() { _ = f.Close() }()
		st, err := f.Stat()
		content, seeks := f.(io.ReadSeeker)
		if err != nil || st.IsDir() || !seeks {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", kind)
		switch {
		case name == "index.html":
			h.Set("Cache-Control", "no-store")
		case strings.HasPrefix(name, "assets/"):
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		default:
			h.Set("Cache-Control", "no-cache")
		}
		http.ServeContent(w, r, name, st.ModTime(), content)
	})
}
