package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/epistle-kafka/epistle/protocol"
)

// The keys of requests that are judged.
const (
	keyProduce         int16 = 0
	keyMetadata        int16 = 3
	keyFindCoordinator int16 = 10
	keyAPIVersions     int16 = 18
	keyInitProducerID  int16 = 22
	keyAddPartitions   int16 = 24
	keyEndTxn          int16 = 26
)

// offeredMax is the newest version of a request that a broker says it speaks, -1 if it does not know the request.
func offeredMax(offered []protocol.ApiVersion, key int16) int16 {
	i := slices.IndexFunc(offered, func(v protocol.ApiVersion) bool { return v.APIKey == key })
	if i < 0 {
		return -1
	}
	return offered[i].MaxVersion
}

// releases has the versions of Produce by which Apache Kafka can be told, the newest first.
var releases = []struct {
	produce int16
	name    string
}{
	{13, "4.1 to 4.3"}, {12, "4.0"}, {11, "3.8 or 3.9"}, {10, "3.7"}, {9, "2.8 to 3.6"}, {8, "2.4 to 2.7"}, {7, "2.1 to 2.3"},
	{6, "2.0"}, {5, "1.0 or 1.1"}, {3, "0.11"}, {2, "0.10"},
}

// softwareOf says what the broker is, as far as the versions that it speaks tell. Others than Apache Kafka speak some of them.
func softwareOf(offered []protocol.ApiVersion) string {
	if offeredMax(offered, keyAPIVersions) >= 5 && offeredMax(offered, keyProduce) >= 13 {
		return "Apache Kafka 4.4 or newer"
	}
	for _, r := range releases {
		if offeredMax(offered, keyProduce) >= r.produce {
			return "Apache Kafka " + r.name
		}
	}
	return "something older than Apache Kafka 0.10"
}

// lacksOf lists what a broker cannot do that a newer one can, by what it means for a producer.
func lacksOf(offered []protocol.ApiVersion, features map[string]int16) (lacks []string) {
	produce, metadata := offeredMax(offered, keyProduce), offeredMax(offered, keyMetadata)
	for _, l := range []struct {
		lacking bool
		what    string
	}{
		{produce < 7, "zstd"},
		{metadata < 10, "ids of topics (that a topic was made again is not noticed)"},
		{metadata >= 10 && produce < 13, "ids of topics in Produce (that a topic was made again is noticed later)"},
		{produce < 10, "word of the new leader in its answers (a move takes one look-up more)"},
		{offeredMax(offered, keyInitProducerID) < 0, "idempotence"},
		{features["transaction.version"] < 2, "the newer protocol of transactions"},
	} {
		if l.lacking {
			lacks = append(lacks, l.what)
		}
	}
	return lacks
}

// needed lists the requests that a producer with these settings cannot do without, as the keys that it asks.
func needed(o *Options, features map[string]int16) (keys []int16) {
	keys = []int16{keyMetadata, keyProduce}
	if o.Idempotent || o.TransactionalID != "" {
		keys = append(keys, keyInitProducerID)
	}
	if o.TransactionalID != "" {
		keys = append(keys, keyFindCoordinator, keyEndTxn)
		if features["transaction.version"] < 2 {
			keys = append(keys, keyAddPartitions)
		}
	}
	return keys
}

// missing says for each request that is needed and that no version is in common of what that is.
func missing(offered []protocol.ApiVersion, features map[string]int16, o *Options) (texts []string) {
	for _, key := range needed(o, features) {
		api, _ := protocol.APIByKey(key)
		most := api.Max
		if limit, ok := o.MaxVersions[key]; ok {
			most = min(most, limit)
		}
		i := slices.IndexFunc(offered, func(v protocol.ApiVersion) bool { return v.APIKey == key })
		switch {
		case i < 0:
			texts = append(texts, fmt.Sprintf("it does not know %s (want version %d to %d)", api.Name, api.Min, most))
		case offered[i].MaxVersion < api.Min || offered[i].MinVersion > most:
			texts = append(texts, fmt.Sprintf("no version of %s in common: it has %d to %d, want %d to %d",
				api.Name, offered[i].MinVersion, offered[i].MaxVersion, api.Min, most))
		}
	}
	return texts
}

// judgeVersions says what the broker is, what it lacks, and whether a producer with these settings can work with it.
func judgeVersions(c Check, offered []protocol.ApiVersion, features map[string]int16, o *Options) Check {
	c.Stage, c.Verdict = Versions, OK
	c.Text = "it speaks as " + softwareOf(offered) + " does"
	if lacks := lacksOf(offered, features); len(lacks) > 0 {
		c.Text += "; it lacks " + strings.Join(lacks, ", ")
	}
	lacking := missing(offered, features, o)
	switch {
	case len(lacking) > 0:
		c.Verdict = Failed
		c.Text += "; " + strings.Join(lacking, "; ")
		c.Advice = "use a newer broker, or do without what needs this request" + withoutWhat(lacking, o)
	case o.Codec == protocol.CodecZstd && offeredMax(offered, keyProduce) < 7:
		c.Verdict = Failed
		c.Text += "; zstd needs Produce from version 7 on"
		c.Advice = "set compression.type to lz4, snappy, gzip or none, or use brokers of Kafka 2.1 or newer"
	}
	return c
}

// withoutWhat says how to do without.
func withoutWhat(lacking []string, o *Options) string {
	text := strings.Join(lacking, " ")
	if len(o.MaxVersions) > 0 && !strings.Contains(text, "does not know") {
		return ": max.api.versions caps them, too"
	}
	if strings.Contains(text, "InitProducerId") && o.TransactionalID == "" {
		return ": enable.idempotence=false, which may write a record twice after a retry"
	}
	return ""
}
