package configs

// History is calls that were.
type History struct{}

func (l *linter) lintHistory() {}
