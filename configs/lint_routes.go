package configs

func (l *linter) lintReach()   {}
func (l *linter) lintRoutes()  {}
func (l *linter) lintHistory() {}

// History is calls that were.
type History struct{}
