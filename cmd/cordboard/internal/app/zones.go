package app

import (
	"bufio"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// zoneTables names the time-zone tables in use: the release of those of the
// system, else those of the program. Go looks in these folders, in this order
// (package time).
func zoneTables() string {
	folders := []string{"/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/usr/lib/locale/TZ", "/etc/zoneinfo"}
	if own := os.Getenv("ZONEINFO"); own != "" {
		folders = append([]string{own}, folders...)
	}
	for _, f := range folders {
		if st, err := os.Stat(f); err != nil || !st.IsDir() {
			continue
		}
		if release := zoneRelease(f); release != "" {
			return release
		}
		return "of the system"
	}
	return "of " + runtime.Version()
}

// zoneRelease reads the release from where distributions put it.
func zoneRelease(folder string) string {
	if b, err := os.ReadFile(filepath.Join(folder, "+VERSION")); err == nil && len(b) < 64 {
		return strings.TrimSpace(string(b))
	}
	f, err := os.Open(filepath.Join(folder, "tzdata.zi"))
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	line, err := bufio.NewReader(f).ReadString('\n')
	if release, ok := strings.CutPrefix(line, "# version "); ok && err == nil {
		return strings.TrimSpace(release)
	}
	return ""
}
