// Package connector has one file for each kind of outside system that the record is
// filled from: each reads its own settings, strictly, and asks. It knows nothing of
// desks or calls; package customer asks it beside our own store, configs has it read
// its settings, and the composition root opens it. docs/integrations/new-connector.md
// shows how another is added.
package connector

import (
	"slices"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// Config is what a kind has read of its settings.
type Config interface {
	// Panels of the desk that it adds to.
	Panels() []string
	// Open reads secrets and files, and makes the connector. It asks nobody.
	Open() (customer.Connector, error)
}

// Settings are the keys of one source in the server file. Each asks for a key by its
// name; what nobody asks for is an unknown key. What is wrong is reported at its line
// and column, so that a reader need not stop: it gets the zero value.
type Settings interface {
	// Source is its name.
	Source() string
	// Text is a text, "" when it is not there. Must is one that must be there.
	Text(key string) string
	Must(key string) string
	// Texts are texts by key, of an object.
	Texts(key string) map[string]string
	// File is a path, resolved against the server file's folder.
	File(key string) string
	// Secret is a reference to the environment under the key, or a file under
	// key_file: nil when neither is there.
	Secret(key string) func() (string, error)
	// Section has the keys of an object; nil when it is not there.
	Section(key string) Settings
	// Wrong reports what stands under a key.
	Wrong(key, format string, args ...any)
}

// kinds by name: each file of the package adds its own.
var kinds = map[string]func(Settings) Config{}

// Kinds are the names of all kinds, sorted.
func Kinds() []string {
	out := make([]string, 0, len(kinds))
	for name := range kinds {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Read has a kind read its settings; false: there is no such kind.
func Read(kind string, s Settings) (Config, bool) {
	read, ok := kinds[kind]
	if !ok {
		return nil, false
	}
	return read(s), true
}
