package configs

import _ "embed"

// The schema is made of the guide by `make schema`.
//
//go:embed routing.schema.json
var routingSchema []byte

// RoutingSchema is the JSON Schema (draft 2020-12) of a routing document, for
// editors: its keys, their types, and what each means. What it allows may still
// be refused: conditions, names and lint are check's.
func RoutingSchema() []byte { return routingSchema }
