package demo

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:generate sh -c "go run generate.go > events.jsonl"

// eventsFile is a week in an online shop, a JSON object on each line.
//
//go:embed events.jsonl
var eventsFile []byte

// event is one record to be sent. Nobody changes its bytes.
type event struct{ key, value []byte }

// events cuts the file, with the customer as the key.
func events() (list []event) {
	for line := range bytes.Lines(eventsFile) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		var fields struct{ Customer string }
		if err := json.Unmarshal(line, &fields); err != nil || fields.Customer == "" {
			panic(fmt.Sprintf("the embedded file has a line without a customer: %s (%v)", line, err))
		}
		list = append(list, event{key: []byte(fields.Customer), value: line})
	}
	return list
}

// customers counts the keys.
func customers(list []event) int {
	keys := make(map[string]bool)
	for _, e := range list {
		keys[string(e.key)] = true
	}
	return len(keys)
}
