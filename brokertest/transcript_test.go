package brokertest

import (
	"encoding/binary"
	"flag"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/epistle-kafka/epistle/protocol"
)

var (
	kafkaAddr = flag.String("kafka", "", "host:port of the one broker, or of all three, of a real Kafka, freshly made: compare with it")
	update    = flag.Bool("update", false, "with -kafka: write down what it answers")
)

const recorded = "testdata/kafka-4.4.0.txt"

// A fake that is kinder than Kafka proves nothing. So one long conversation, above all of requests that should be refused, was
// held with Kafka 4.4.0 and written down, and a broker of ours must say the same, word by word. It is held and written down
// anew by
//
//	withkafka -- sh -c 'go test ./brokertest -run AnswersAsKafka -kafka $KAFKA_BOOTSTRAP -update'
//
// and the same with three brokers. Without -update, Kafka is compared with what it said then.
func TestAnswersAsKafka(t *testing.T) {
	compare(t, recorded, converse(t, realOrOurs(t, 1)[0]))
}

// realOrOurs returns the addresses of n brokers: those of -kafka, or of a cluster of ours.
func realOrOurs(t *testing.T, n int) []string {
	if *kafkaAddr == "" {
		return New(t, Brokers(n)).Bootstrap()
	}
	addrs := strings.Split(*kafkaAddr, ",")
	if len(addrs) != n {
		t.Skipf("-kafka has %d brokers, this is for %d", len(addrs), n)
	}
	return addrs
}

// compare fails the test with every line in which a conversation differs from that in a file, or writes the file.
func compare(t *testing.T, name, got string) {
	if *kafkaAddr != "" && *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the transcript of Kafka is %s", name)
	for _, d := range differences(strings.Split(string(file), "\n"), strings.Split(got, "\n")) {
		t.Error(d)
	}
}

// differences tells which lines of want are missing from got, and which are too many, under the last line that both have.
func differences(want, got []string) (all []string) {
	// common[i][j] is the most lines that want[i:] and got[j:] have in common, in order.
	common := make([][]int, len(want)+1)
	for i := len(want); i >= 0; i-- {
		common[i] = make([]int, len(got)+1)
		for j := len(got) - 1; j >= 0 && i < len(want); j-- {
			common[i][j] = max(common[i+1][j], common[i][j+1])
			if want[i] == got[j] {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	i, j := 0, 0
	for i < len(want) || j < len(got) {
		switch {
		case i < len(want) && j < len(got) && want[i] == got[j]:
			i, j = i+1, j+1
		case j == len(got) || i < len(want) && common[i+1][j] >= common[i][j+1]:
			all = append(all, fmt.Sprintf("line %d: Kafka answers\n%s", i+1, want[i]))
			i++
		default:
			all = append(all, fmt.Sprintf("line %d: we answer\n%s", i+1, got[j]))
			j++
		}
	}
	return all
}

// conversation is what is said with one broker, and the notes of it.
type conversation struct {
	*client
	addr  string
	notes strings.Builder
	ids   map[string]protocol.UUID // of topics
	began time.Time
	lost  string // what came instead of the last answer that did not come
}

func converse(t *testing.T, addr string) string {
	c := &conversation{addr: addr, ids: map[string]protocol.UUID{}, began: time.Now()}
	c.client = &client{t: t}
	c.redial()
	for _, part := range []struct {
		title string
		talk  func()
	}{
		{"versions", c.versions}, {"topics", c.topics}, {"metadata", c.lookUps}, {"produce", c.produces},
		{"bad batches", c.badBatches}, {"idempotence", c.sequences}, {"producer IDs", c.producerIDs}, {"offsets", c.offsets},
		{"other requests", c.others},
	} {
		fmt.Fprintf(&c.notes, "# %s\n", part.title)
		part.talk()
	}
	return c.notes.String()
}

func (c *conversation) redial() {
	if c.conn != nil {
		c.conn.Close()
	}
	conn, err := net.Dial("tcp", c.addr)
	if err != nil {
		c.t.Fatal(err)
	}
	c.conn = conn
	c.t.Cleanup(func() { conn.Close() })
}

func (c *conversation) notef(format string, args ...any) { fmt.Fprintf(&c.notes, format+"\n", args...) }

// try sends a request and reads the answer. It reports false, and dials again, if none came: c.lost says how.
func (c *conversation) try(version int16, m protocol.Request, resp protocol.Response) bool {
	c.next++
	return c.tryFrame(protocol.AppendRequest(nil, protocol.RequestHeader{Version: version, CorrelationID: c.next}, m), version, resp)
}

func (c *conversation) tryFrame(frame []byte, version int16, resp protocol.Response) bool {
	c.t.Helper()
	c.conn.SetDeadline(time.Now().Add(8 * time.Second))
	if _, err := c.conn.Write(frame); err != nil {
		c.t.Fatal(err)
	}
	answer, err := c.frame()
	if err != nil {
		c.lost = "connection closed"
		if os.IsTimeout(err) {
			c.lost = "no answer"
		}
		c.redial()
		return false
	}
	if _, err := protocol.DecodeResponse(answer, version, resp); err != nil {
		c.t.Fatalf("decode: %v", err)
	}
	return true
}

// rawFrame is a request with any API key and version, under the plain header.
func rawFrame(apiKey, version int16, body ...byte) []byte {
	frame := make([]byte, 14, 14+len(body))
	binary.BigEndian.PutUint16(frame[4:], uint16(apiKey))
	binary.BigEndian.PutUint16(frame[6:], uint16(version))
	binary.BigEndian.PutUint32(frame[8:], 77)
	binary.BigEndian.PutUint16(frame[12:], 0xffff) // no client ID
	frame = append(frame, body...)
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	return frame
}

func (c *conversation) versions() {
	ours := kafka4_4()
	for v := int16(0); v <= 5; v++ {
		resp := &protocol.ApiVersionsResponse{}
		c.try(v, &protocol.ApiVersionsRequest{ClientSoftwareName: "test", ClientSoftwareVersion: "1.0", NodeID: -1}, resp)
		c.notef("ApiVersions v%d: %s, epoch known %t", v, resp.ErrorCode.Name(), resp.FinalizedFeaturesEpoch >= 0)
		slices.SortFunc(resp.SupportedFeatures, func(x, y protocol.SupportedFeature) int { return strings.Compare(x.Name, y.Name) })
		slices.SortFunc(resp.FinalizedFeatures, func(x, y protocol.FinalizedFeature) int { return strings.Compare(x.Name, y.Name) })
		for _, f := range resp.SupportedFeatures {
			c.notef("  supported %s %d-%d", f.Name, f.MinVersion, f.MaxVersion)
		}
		for _, f := range resp.FinalizedFeatures {
			c.notef("  finalized %s %d-%d", f.Name, f.MinVersionLevel, f.MaxVersionLevel)
		}
		if v != 5 {
			continue
		}
		for _, k := range resp.APIKeys {
			if _, ok := ours[k.APIKey]; ok {
				c.notef("  API %d %d-%d", k.APIKey, k.MinVersion, k.MaxVersion)
			}
		}
	}
	resp := &protocol.ApiVersionsResponse{}
	c.tryFrame(rawFrame(ApiVersions, 99, 0), 5, resp)
	c.notef("ApiVersions v99: %s %v", resp.ErrorCode.Name(), resp.APIKeys)
	md := &protocol.MetadataResponse{}
	c.try(13, &protocol.MetadataRequest{Topics: []protocol.MetadataRequestTopic{}}, md)
	cluster, node, other := md.ClusterID, md.Brokers[0].NodeID, "another-cluster"
	for _, m := range []*protocol.ApiVersionsRequest{
		{ClientSoftwareName: "", ClientSoftwareVersion: "1", NodeID: -1},
		{ClientSoftwareName: "has space", ClientSoftwareVersion: "1", NodeID: -1},
		{ClientSoftwareName: "test", ClientSoftwareVersion: "-", NodeID: -1},
		{ClientSoftwareName: "test", ClientSoftwareVersion: "1", ClusterID: &other, NodeID: -1},
		{ClientSoftwareName: "test", ClientSoftwareVersion: "1", NodeID: node},
		{ClientSoftwareName: "test", ClientSoftwareVersion: "1", ClusterID: cluster, NodeID: -1},
		{ClientSoftwareName: "test", ClientSoftwareVersion: "1", ClusterID: cluster, NodeID: node},
		{ClientSoftwareName: "test", ClientSoftwareVersion: "1", ClusterID: cluster, NodeID: node + 1},
		{ClientSoftwareName: "test", ClientSoftwareVersion: "1", ClusterID: &other, NodeID: node},
		{ClientSoftwareName: "test", ClientSoftwareVersion: "1", ClusterID: &other, NodeID: node + 1},
	} {
		resp := &protocol.ApiVersionsResponse{}
		ok := c.try(5, m, resp)
		c.notef("ApiVersions of %q %q for cluster known %t right %t node known %t right %t: answered %t %s, has keys %t",
			m.ClientSoftwareName, m.ClientSoftwareVersion, m.ClusterID != nil, m.ClusterID == cluster, m.NodeID >= 0, m.NodeID == node,
			ok, resp.ErrorCode.Name(), len(resp.APIKeys) > 0)
		c.redial()
	}
}

func config(pairs ...string) (configs []protocol.CreatableTopicConfig) {
	for i := 0; i < len(pairs); i += 2 {
		configs = append(configs, protocol.CreatableTopicConfig{Name: pairs[i], Value: &pairs[i+1]})
	}
	return configs
}

func (c *conversation) topics() {
	ask := func(version int16, topics ...protocol.CreatableTopic) {
		resp := &protocol.CreateTopicsResponse{}
		if !c.try(version, &protocol.CreateTopicsRequest{Topics: topics, Timeout: 10 * time.Second}, resp) {
			c.notef("CreateTopics v%d: %s", version, c.lost)
			return
		}
		for _, r := range resp.Topics {
			if r.ErrorCode == protocol.NoError {
				c.ids[r.Name] = r.TopicID
			}
			c.notef("CreateTopics v%d %q: %s partitions=%d replicas=%d ID %t: %s", version, r.Name, r.ErrorCode.Name(),
				r.NumPartitions, r.ReplicationFactor, r.TopicID != protocol.UUID{}, text(r.ErrorMessage))
		}
	}
	one := func(name string, configs ...string) protocol.CreatableTopic {
		return protocol.CreatableTopic{Name: name, NumPartitions: 1, ReplicationFactor: 1, Configs: config(configs...)}
	}
	for v := int16(2); v <= 7; v++ {
		ask(v, one(fmt.Sprintf("v%d", v)))
	}
	ask(7, one("plain"))
	ask(7, one("small", "max.message.bytes", "200"))
	ask(7, one("compacted", "cleanup.policy", "compact"))
	ask(7, one("appendtime", "message.timestamp.type", "LogAppendTime"))
	ask(7, one("recent", "message.timestamp.before.max.ms", "1000"))
	ask(7, one("safe", "min.insync.replicas", "2"))
	ask(7, one("sequences"))
	ask(7, one("offsets"))
	ask(7, protocol.CreatableTopic{Name: "default", NumPartitions: -1, ReplicationFactor: -1})
	ask(3, protocol.CreatableTopic{Name: "default3", NumPartitions: -1, ReplicationFactor: -1})
	ask(7, one("plain"))
	ask(7, one("bad name"))
	ask(7, one(""))
	ask(7, one(".."))
	ask(7, one(strings.Repeat("x", 250)))
	ask(7, one("twice"), one("twice"))
	ask(7, protocol.CreatableTopic{Name: "none", NumPartitions: 0, ReplicationFactor: 1})
	ask(7, protocol.CreatableTopic{Name: "zero", NumPartitions: 1, ReplicationFactor: 0})
	ask(7, protocol.CreatableTopic{Name: "many", NumPartitions: 1, ReplicationFactor: 5})
	ask(7, one("config", "no.such.config", "1"))
	ask(7, one("config", "max.message.bytes", "x"))
	ask(7, one("config", "cleanup.policy", "burn"))
	ask(7, one("config", "min.insync.replicas", "0"))
	ask(7, one("config", "message.timestamp.type", "Never"))
}

func text(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

func (c *conversation) lookUps() {
	ask := func(version int16, create bool, topics []protocol.MetadataRequestTopic) {
		resp := &protocol.MetadataResponse{}
		m := &protocol.MetadataRequest{Topics: topics, AllowAutoTopicCreation: create}
		if !c.try(version, m, resp) {
			c.notef("Metadata v%d: %s", version, c.lost)
			return
		}
		c.notef("Metadata v%d create=%t: %s, %d brokers, controller known %t, cluster ID %t", version, create,
			resp.ErrorCode.Name(), len(resp.Brokers), resp.ControllerID >= 0, resp.ClusterID != nil)
		if topics == nil {
			return
		}
		for _, t := range resp.Topics {
			c.notef("  %q ID %t internal %t: %s %d partitions, operations %d", text(t.Name), t.TopicID != protocol.UUID{}, t.IsInternal,
				t.ErrorCode.Name(), len(t.Partitions), t.TopicAuthorizedOperations)
			for _, p := range t.Partitions {
				c.notef("    %d: %s leader %t epoch %d replicas %d isr %d offline %d", p.PartitionIndex, p.ErrorCode.Name(), p.LeaderID > 0,
					p.LeaderEpoch, len(p.ReplicaNodes), len(p.ISRNodes), len(p.OfflineReplicas))
			}
		}
	}
	byName := func(name string) []protocol.MetadataRequestTopic {
		return []protocol.MetadataRequestTopic{{Name: &name}}
	}
	for v := int16(0); v <= 13; v++ {
		ask(v, false, byName("plain"))
	}
	ask(13, false, nil)
	ask(13, false, []protocol.MetadataRequestTopic{})
	ask(13, false, byName("missing"))
	ask(13, false, byName("bad name"))
	ask(13, true, byName("bad name"))
	ask(13, true, byName(""))
	ask(13, true, byName("made-by-asking"))
	time.Sleep(300 * time.Millisecond) // Kafka makes it meanwhile
	ask(13, true, byName("made-by-asking"))
	ask(13, true, []protocol.MetadataRequestTopic{{TopicID: c.ids["plain"]}})
	ask(12, true, []protocol.MetadataRequestTopic{{TopicID: protocol.UUID{1, 2, 3}}})
	ask(13, true, []protocol.MetadataRequestTopic{{TopicID: protocol.UUID{1, 2, 3}}})
	ask(10, true, []protocol.MetadataRequestTopic{{TopicID: protocol.UUID{1, 2, 3}}})
	ask(11, true, []protocol.MetadataRequestTopic{{TopicID: c.ids["plain"]}})
}
