package doctor

import (
	"encoding/json"
	"io"
	"time"

	"github.com/epistle-kafka/epistle/producer"
)

// report is a diagnosis in the form of --json. Times are in milliseconds. The names of fields do not change.
type report struct {
	Healthy      bool     `json:"healthy"`
	Interrupted  string   `json:"interrupted,omitempty"`
	TookMS       float64  `json:"took_ms"`
	FirstFailure *check   `json:"first_failure"` // null: nothing failed
	Checks       []check  `json:"checks"`
	ClusterID    string   `json:"cluster_id"`
	Controller   int32    `json:"controller"` // -1: unknown
	Servers      []broker `json:"bootstrap_servers"`
	Brokers      []broker `json:"brokers"`
	Topics       []topic  `json:"topics"`
	Record       *record  `json:"record"` // null: none was written
}

type check struct {
	Stage   string  `json:"stage"`
	Of      string  `json:"of"`
	Verdict string  `json:"verdict"`
	TookMS  float64 `json:"took_ms"`
	Text    string  `json:"text"`
	Advice  string  `json:"advice"`
}

type broker struct {
	ID        int32            `json:"id"` // -1: a bootstrap server
	Addr      string           `json:"address"`
	Rack      string           `json:"rack"`
	Reached   bool             `json:"reached"`
	Addresses []string         `json:"resolved"`
	Remote    string           `json:"remote"`
	Software  string           `json:"software"`
	Lacks     []string         `json:"lacks"`
	Features  map[string]int16 `json:"features"`
	TLS       *tls             `json:"tls"` // null: plaintext, or it did not get so far
	SessionMS float64          `json:"session_ms"`
	TripsMS   []float64        `json:"round_trips_ms"`
	MedianMS  float64          `json:"round_trip_median_ms"`
}

type tls struct {
	Version      string        `json:"version"`
	CipherSuite  string        `json:"cipher_suite"`
	Verified     bool          `json:"verified"`
	Certificates []certificate `json:"certificates"`
}

type certificate struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	Names     []string  `json:"names"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	Days      int       `json:"expires_in_days"`
}

type topic struct {
	Name       string            `json:"name"`
	Exists     bool              `json:"exists"`
	MayWrite   *bool             `json:"may_write"` // null: not told
	Settings   map[string]string `json:"settings"`  // null: they may not be read
	Partitions []partition       `json:"partitions"`
}

type partition struct {
	Partition int32 `json:"partition"`
	Leader    int32 `json:"leader"` // -1: none
	Replicas  int   `json:"replicas"`
	InSync    int   `json:"in_sync"`
	EndOffset int64 `json:"end_offset"` // -1: not known
}

type record struct {
	Topic     string    `json:"topic"`
	Partition int32     `json:"partition"`
	Offset    int64     `json:"offset"`
	Timestamp time.Time `json:"timestamp"`
	TookMS    float64   `json:"took_ms"`
}

// writeJSON writes a diagnosis as one object in one line.
func writeJSON(w io.Writer, d *producer.Diagnosis) error {
	r := report{
		Healthy: d.Healthy(), TookMS: millis(d.Took), Checks: []check{}, ClusterID: d.ClusterID, Controller: d.Controller,
		Servers: brokersOf(d.Servers), Brokers: brokersOf(d.Brokers), Topics: []topic{},
	}
	if d.Interrupted != nil {
		r.Interrupted = d.Interrupted.Error()
	}
	if first := d.FirstFailure(); first != nil {
		c := checkOf(first)
		r.FirstFailure = &c
	}
	for i := range d.Checks {
		r.Checks = append(r.Checks, checkOf(&d.Checks[i]))
	}
	for _, t := range d.Topics {
		shown := topic{Name: t.Name, Exists: t.Exists, MayWrite: t.MayWrite, Settings: t.Settings, Partitions: []partition{}}
		for _, p := range t.Partitions {
			shown.Partitions = append(shown.Partitions, partition(p))
		}
		r.Topics = append(r.Topics, shown)
	}
	if l := d.Record; l != nil {
		r.Record = &record{l.Topic, l.Partition, l.Offset, l.Timestamp, millis(l.Took)}
	}
	return json.NewEncoder(w).Encode(r)
}

func checkOf(c *producer.Check) check {
	return check{string(c.Stage), c.Of, string(c.Verdict), millis(c.Took), c.Text, c.Advice}
}

func brokersOf(found []producer.DiagnosedBroker) []broker {
	brokers := []broker{}
	for _, b := range found {
		shown := broker{
			ID: b.ID, Addr: b.Addr, Rack: b.Rack, Reached: b.Reached, Addresses: orNone(b.Addresses), Remote: b.Remote,
			Software: b.Software, Lacks: orNone(b.Lacks), Features: b.Features, TLS: tlsOf(b.TLS), SessionMS: millis(b.Session),
			TripsMS: []float64{}, MedianMS: millis(b.Median),
		}
		for _, d := range b.RoundTrips {
			shown.TripsMS = append(shown.TripsMS, millis(d))
		}
		brokers = append(brokers, shown)
	}
	return brokers
}

func tlsOf(state *producer.DiagnosedTLS) *tls {
	if state == nil {
		return nil
	}
	shown := &tls{state.Version, state.CipherSuite, state.Verified, []certificate{}}
	for _, c := range state.Certificates {
		days := int(time.Until(c.NotAfter) / (24 * time.Hour))
		shown.Certificates = append(shown.Certificates, certificate{c.Subject, c.Issuer, orNone(c.Names), c.NotBefore, c.NotAfter, days})
	}
	return shown
}

// orNone makes an empty list of none, so that a field is always a list.
func orNone(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// millis is a time in milliseconds, to the microsecond.
func millis(d time.Duration) float64 {
	return float64(d.Microseconds()) / 1000
}
