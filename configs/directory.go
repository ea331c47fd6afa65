package configs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"

	"github.com/cordboard/cordboard/agents"
)

// maxDirectorySize bounds a directory: 100,000 agents with a line of 300 bytes
// each.
const maxDirectorySize = 32 << 20

// DirectoryFile is a directory as it was read: the agents of a routing document
// that lists none itself.
type DirectoryFile struct {
	Name   string // stands in findings
	Text   []byte
	SHA256 string // of Text, in hex
}

// NewDirectory is a directory of that text, which is not looked into yet: it
// means something only beside a document, which declares skills, teams and
// sites.
func NewDirectory(name string, text []byte) *DirectoryFile {
	sum := sha256.Sum256(text)
	return &DirectoryFile{Name: name, Text: text, SHA256: hex.EncodeToString(sum[:])}
}

// ReadDirectory reads the directory at path.
func ReadDirectory(path string) (*DirectoryFile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read directory: %w", err)
	}
	if info.Size() > maxDirectorySize {
		return nil, fmt.Errorf("read directory: %s is larger than %d MiB", path, maxDirectorySize>>20)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read directory: %w", err)
	}
	return NewDirectory(path, b), nil
}

// Directory gives a document the agents of a file of their own: it may list none
// itself then, and every agent it names must stand there. Findings in the
// directory carry its name. Nil gives nothing.
func Directory(f *DirectoryFile) Option {
	return func(c *compiler) {
		if f != nil {
			c.dir = &directory{DirectoryFile: f, reader: &reader{file: f.Name, limit: maxDirectorySize}}
		}
	}
}

// directory is the directory of one compilation.
type directory struct {
	*DirectoryFile
	*reader
	root   *node // nil: there is none that can be read
	agents *node // likewise
	shifts map[agents.ID][]shift
}

// open parses the directory as far as the agents' ids.
func (d *directory) open() {
	if d.root = d.parse(d.Text); d.root == nil {
		return
	}
	o := d.object(d.root)
	d.agents = o.must("agents")
	o.close()
	switch {
	case d.agents == nil:
	case d.agents.kind != kindMapping:
		d.wrong(d.agents, "want agents by their ids")
		d.agents = nil
	case len(d.agents.pairs) == 0:
		// An export that went wrong would sign everybody out.
		d.errorf(d.agents, CodeMissing, "agents: the directory lists nobody")
		d.agents = nil
	}
}

// elsewhere is the compiler for what stands in the directory: names and policy
// are the document's, findings the directory's.
func (c *compiler) elsewhere() *compiler {
	own := *c
	own.reader = c.dir.reader
	return &own
}

// findings are all of a document and its directory, the document's first.
func (c *compiler) result() []Finding {
	out := c.reader.result()
	if c.dir != nil {
		out = append(out, c.dir.result()...)
	}
	return out
}

// faultless says that nothing was found in the document or its directory.
func (c *compiler) faultless() bool {
	return len(c.findings) == 0 && (c.dir == nil || len(c.dir.findings) == 0)
}

// agents reads the people who take calls: they stand in the document or in the
// directory, never in both.
func (c *compiler) agents(o *object) {
	n := o.get("agents")
	c.hasStaff(o)
	switch {
	case c.dir == nil && n != nil:
		c.policy.Agents = c.people(n)
	case c.dir == nil:
	case o.has("agents"):
		o.conflict("agents", "agents stand in the directory %s: there or here, never both", c.dir.Name)
	case c.dir.agents != nil:
		c.dir.shifts = map[agents.ID][]shift{}
		c.policy.Agents = c.elsewhere().people(c.dir.agents)
		c.policy.Directory = c.dir.SHA256
	}
}

func (c *compiler) people(n *node) map[agents.ID]agents.Agent {
	out := map[agents.ID]agents.Agent{}
	all := c.object(n)
	for _, p := range all.pairs {
		if len(out) == maxAgents {
			break
		}
		id := agents.ID(p.key)
		out[id] = c.agent(id, p.value.in("agent "+p.key))
	}
	return out
}
