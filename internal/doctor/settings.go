package doctor

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/epistle-kafka/epistle/protocol"
	"github.com/epistle-kafka/epistle/wire"
)

// topicKeys are the settings of a topic that a producer meets.
var topicKeys = []string{
	"cleanup.policy", "compression.type", "max.message.bytes", "message.timestamp.type", "min.insync.replicas",
}

// topicSettings is the stage Settings.
func (r *run) topicSettings(t *topic) {
	link := r.anyLink()
	switch {
	case t.found == nil || t.found.ErrorCode != protocol.NoError:
		r.withoutTopic(Settings, t)
		return
	case link == nil || r.over():
		r.blocked(Settings, t.of)
		return
	}
	began := r.t.Now()
	resp := new(protocol.DescribeConfigsResponse)
	err := link.Ask(r.ctx, &protocol.DescribeConfigsRequest{Resources: []protocol.DescribeConfigsResource{{
		ResourceType: protocol.ResourceTopic, ResourceName: t.name, ConfigurationKeys: topicKeys,
	}}}, resp)
	c := Check{Stage: Settings, Of: t.of, Took: r.since(began)}
	var result *protocol.DescribeConfigsResult
	if err == nil && len(resp.Results) > 0 {
		result = &resp.Results[0]
	}
	switch {
	case errors.As(err, new(*wire.UnsupportedVersionError)) || err == nil && result == nil:
		c.Verdict, c.Text = Skipped, "the broker does not tell the settings of topics"
	case err != nil:
		c.Verdict, c.Err, c.Text, c.Advice = Failed, err, wholeTextOf(err), adviceOf(err)
	case result.ErrorCode != protocol.NoError:
		c = codeCheck(c, "DescribeConfigs", result.ErrorCode)
		c.Verdict = Notice
		c.Text = fmt.Sprintf("the settings of the topic may not be read (%s), so nothing is known of min.insync.replicas and max.message.bytes", result.ErrorCode.Name())
		c.Advice = "grant this client DESCRIBE_CONFIGS on the topic if they are to be looked at; a producer does without"
	default:
		t.state.Settings = valuesOf(result.Configs)
		c = judgeSettings(c, t.state.Settings, t.state.Partitions, r.o)
	}
	r.add(c)
}

// judgeSettings says which settings of a topic hurt a producer with these options.
func judgeSettings(c Check, settings map[string]string, partitions []PartitionState, o *Options) Check {
	c.Verdict = OK
	var shown []string
	for _, key := range topicKeys {
		if value, ok := settings[key]; ok {
			shown = append(shown, key+"="+protocol.Shown(value))
		}
	}
	c.Text = strings.Join(shown, ", ")
	if len(shown) == 0 {
		c.Text = "the broker tells none that concerns a producer"
	}
	for _, judge := range []func(map[string]string, []PartitionState, *Options) trouble{replicasInSync, messageSize, cleanup, timestamps, recompression} {
		t := judge(settings, partitions, o)
		if t.verdict == "" {
			continue
		}
		if t.verdict == Failed && c.Verdict != Failed {
			c.Text, c.Advice = t.text, t.advice // what fails comes first, and alone
		} else if t.verdict == Failed || c.Verdict != Failed {
			c.Text += "; " + t.text
			c.Advice = strings.TrimPrefix(c.Advice+"; "+t.advice, "; ")
		}
		if c.Verdict != Failed {
			c.Verdict = t.verdict
		}
	}
	return c
}

// trouble is what is wrong with one setting; the zero value is nothing.
type trouble struct {
	verdict      Verdict
	text, advice string
}

// replicasInSync compares min.insync.replicas with the replicas that are in sync now. Newer brokers never ask for more than there
// are.
func replicasInSync(settings map[string]string, partitions []PartitionState, o *Options) trouble {
	least, err := strconv.Atoi(settings["min.insync.replicas"])
	if err != nil || o.Acks != -1 || len(partitions) == 0 {
		return trouble{}
	}
	var few, brittle []int32
	least, most := max(least, 1), 0
	for _, p := range partitions {
		most = max(most, p.Replicas)
		if p.Leader < 0 {
			continue
		}
		switch asked := min(least, p.Replicas); {
		case p.InSync < asked:
			few = append(few, p.Partition)
		case p.Replicas > 1 && p.Replicas <= least:
			brittle = append(brittle, p.Partition)
		}
	}
	switch {
	case len(few) > 0:
		return trouble{Failed,
			fmt.Sprintf("acks=all is refused: min.insync.replicas is %d, and fewer replicas are in sync: %s: %v", least, whichPartitions(few), protocol.NotEnoughReplicas),
			"bring the brokers back that have the other replicas (kafka-topics.sh --describe --under-min-isr-partitions); until then records wait, and fail after delivery.timeout.ms"}
	case least > most:
		return trouble{Notice, fmt.Sprintf("min.insync.replicas is %d, and the topic has %s", least, count(most, "replica")),
			"brokers older than Kafka 3.7 refuse acks=all then: add replicas, or lower it"}
	case len(brittle) > 0:
		return trouble{Notice, fmt.Sprintf("with min.insync.replicas=%d every replica is needed", least),
			"acks=all is refused whenever one broker restarts: have one replica more than min.insync.replicas"}
	case least == 1 && most > 1:
		return trouble{Notice, "with min.insync.replicas=1 acks=all may mean one replica",
			"set min.insync.replicas=2 if acknowledged records are to survive the loss of a broker"}
	}
	return trouble{}
}

// messageSize compares max.message.bytes with what the producer may send.
func messageSize(settings map[string]string, _ []PartitionState, o *Options) trouble {
	most, err := strconv.Atoi(settings["max.message.bytes"])
	switch {
	case err != nil || most >= o.MaxRequestSize:
		return trouble{}
	case most < o.BatchSize:
		return trouble{Failed, fmt.Sprintf("max.message.bytes is %d, and batch.size %d: every full batch is refused, and sent again in parts: %v", most, o.BatchSize, protocol.MessageTooLarge),
			fmt.Sprintf("raise max.message.bytes of the topic (by default 1048588), or lower batch.size to %d and max.request.size to %d", most*9/10, most)}
	}
	return trouble{Notice, fmt.Sprintf("max.message.bytes is %d, less than max.request.size, %d", most, o.MaxRequestSize),
		fmt.Sprintf("records between the two are taken, and then refused: set max.request.size=%d, or raise max.message.bytes", most)}
}

// cleanup says what a compacted topic wants.
func cleanup(settings map[string]string, _ []PartitionState, _ *Options) trouble {
	policies := strings.Split(settings["cleanup.policy"], ",")
	if !slices.ContainsFunc(policies, func(p string) bool { return strings.TrimSpace(p) == "compact" }) {
		return trouble{}
	}
	return trouble{Notice, "the topic is compacted: records without a key are refused, and of each key the last record stays",
		"give every record a key"}
}

// timestamps says whose time records get.
func timestamps(settings map[string]string, _ []PartitionState, _ *Options) trouble {
	if settings["message.timestamp.type"] != "LogAppendTime" {
		return trouble{}
	}
	return trouble{Notice, "message.timestamp.type is LogAppendTime: the broker's clock replaces the timestamps of records",
		"set message.timestamp.type=CreateTime if a record's own timestamp is to be kept"}
}

// recompression says that the broker does the work once more.
func recompression(settings map[string]string, _ []PartitionState, o *Options) trouble {
	names := map[string]protocol.Codec{
		"uncompressed": protocol.CodecNone, "gzip": protocol.CodecGzip, "snappy": protocol.CodecSnappy, "lz4": protocol.CodecLZ4, "zstd": protocol.CodecZstd,
	}
	wanted, ok := names[settings["compression.type"]]
	if !ok || wanted == o.Codec {
		return trouble{}
	}
	return trouble{Notice, fmt.Sprintf("the topic's compression.type is %s, so brokers compress every batch anew", settings["compression.type"]),
		"set the producer's compression.type to the same, or the topic's to producer"}
}
