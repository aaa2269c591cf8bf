package producer_test

import (
	"context"
	"net"
	"time"

	"github.com/epistle-kafka/epistle/brokertest"
	"github.com/epistle-kafka/epistle/producer"
	"github.com/epistle-kafka/epistle/protocol"
)

func withListeners() []fault {
	two := brokertest.Brokers(2)
	otherCluster := func(p *patient) {
		other := brokertest.New(p.t, brokertest.InMemory(), brokertest.Seed(2))
		p.at["other.example.com:9092"] = func(ctx context.Context) (net.Conn, error) {
			return other.DialContext(ctx, "tcp", other.Bootstrap()[0])
		}
		p.advertise(1, "other.example.com", 9092)
	}
	return []fault{
		{"a broker advertises localhost", nil, func(p *patient) {
			p.behind("kafka.example.com:9092")
			p.advertise(1, "localhost", 9092)
			p.at["localhost:9092"] = closedPort
		}, producer.CheckBrokers, false, []string{"connection refused", "advertises localhost", "each client looks for it on its own machine", "advertised.listeners"}},
		{"a broker advertises a container's name", nil, func(p *patient) {
			p.advertise(1, "kafka", 9092)
			p.at["kafka:9092"] = noSuchHost("kafka")
		}, producer.CheckBrokers, false, []string{"no such host", "name of a container", "advertised.listeners"}},
		{"a broker advertises a container's id", nil, func(p *patient) {
			p.advertise(1, "3f1b2c4d5e6a", 9092)
			p.at["3f1b2c4d5e6a:9092"] = noSuchHost("3f1b2c4d5e6a")
		}, producer.CheckBrokers, false, []string{"the id of a container"}},
		{"a broker advertises a name of Kubernetes", nil, func(p *patient) {
			p.advertise(1, "kafka-0.kafka.svc.cluster.local", 9092)
			p.at["kafka-0.kafka.svc.cluster.local:9092"] = noSuchHost("kafka-0.kafka.svc.cluster.local")
		}, producer.CheckBrokers, false, []string{"a name of Kubernetes", "advertised.listeners"}},
		{"a broker advertises a private address", nil, func(p *patient) {
			p.advertise(1, "10.0.3.7", 9092)
			p.at["10.0.3.7:9092"] = noAnswer
		}, producer.CheckBrokers, false, []string{"10.0.3.7 is a private address", "its own network", "VPN"}},
		{"a broker advertises a port that maps elsewhere", nil, func(p *patient) {
			p.behind("kafka.example.com:29092")
			p.advertise(1, "kafka.example.com", 9092)
			p.at["kafka.example.com:9092"] = closedPort
		}, producer.CheckBrokers, false, []string{"port 29092 of the same host", "advertises port 9092", "docker run -p"}},
		{"a port that maps to a web server", nil, func(p *patient) {
			p.behind("kafka.example.com:29092")
			p.advertise(1, "kafka.example.com", 8080)
			p.at["kafka.example.com:8080"] = web
		}, producer.CheckBrokers, false, []string{"HTTP", "maps elsewhere"}},
		{"no port at all", nil, func(p *patient) { p.advertise(1, "kafka.example.com", 70000) },
			producer.CheckBrokers, false, []string{"port 70000 is none", "advertised.listeners"}},
		{"a broker is down", []brokertest.Option{brokertest.Brokers(3)}, func(p *patient) { p.kafka.SetMinISR("t", 2); p.kafka.StopBroker(3) },
			producer.CheckMetadata, true, []string{"2 brokers", "1 broker more, which the controller does not let serve: 3", "look at their logs"}},
		{"a broker is silent", []brokertest.Option{two}, func(p *patient) { p.kafka.Pause(2) },
			producer.CheckBrokers, false, []string{"no success within 10s"}},
		{"an address leads to another broker", []brokertest.Option{two}, func(p *patient) { p.advertise(2, "192.0.2.1", 9092) },
			producer.CheckBrokers, false, []string{"another broker", "lead to itself"}},
		{"an address leads to another broker, of Kafka 3.9", []brokertest.Option{two, brokertest.Kafka3_9()}, func(p *patient) { p.advertise(2, "192.0.2.1", 9092) },
			producer.CheckBrokers, false, []string{"another broker than 2 answers there"}},
		{"an address leads to another cluster", nil, otherCluster,
			producer.CheckBrokers, false, []string{"another cluster", "lead to itself"}},
		{"an address leads to another cluster, and is not asked", nil, func(p *patient) {
			otherCluster(p)
			p.cfg.MetadataClusterCheck = false
		}, producer.CheckBrokers, false, []string{"another cluster answers there: its id is"}},
	}
}

func withTopics() []fault {
	return []fault{
		{"the topic is missing", nil, func(p *patient) { p.kafka.DeleteTopic("t") },
			producer.CheckTopic, false, []string{"it does not exist", "check the name, or create it", "do not create topics"}},
		{"the topic is misspelt", []brokertest.Option{brokertest.Topic("Ts", 1), brokertest.Topic("orders", 1)}, func(p *patient) { p.kafka.DeleteTopic("t"); p.topic = "order" },
			producer.CheckTopic, false, []string{"it does not exist", `there is a topic "orders": if that is meant, correct the name; else check the name, or create it`}},
		{"the topic is misspelt, and would be created", []brokertest.Option{brokertest.AutoCreate(true), brokertest.Topic("billing.invoices", 1)}, func(p *patient) { p.topic = "Billing-invoices" },
			producer.CheckTopic, true, []string{`there is a topic "billing.invoices": if that is meant`, "brokers create it with the first record"}},
		{"the topic is missing, and would be created", []brokertest.Option{brokertest.AutoCreate(true)}, func(p *patient) { p.kafka.DeleteTopic("t") },
			producer.CheckTopic, true, []string{"it does not exist", "brokers create it with the first record"}},
		{"a partition has no leader", nil, func(p *patient) { p.kafka.MoveLeader("t", 1, -1) },
			producer.CheckTopic, false, []string{"1 partition has no leader: partition 1", "start the brokers"}},
		{"a leader does not know it", nil, func(p *patient) {
			p.kafka.On(brokertest.ListOffsets).Always().Do(brokertest.Error(protocol.NotLeaderOrFollower))
		}, producer.CheckTopic, false, []string{"partition 0, 1", "NOT_LEADER_OR_FOLLOWER"}},
		{"a replica is behind", []brokertest.Option{brokertest.Brokers(3), brokertest.Versions(brokertest.DescribeCluster, 0, 1)},
			func(p *patient) { p.kafka.SetMinISR("t", 2); p.kafka.StopBroker(3) }, producer.CheckTopic, true, []string{"not all replicas are in sync"}},
	}
}

func withRights() []fault {
	transactional := func(p *patient) { p.cfg.TransactionalID = "billing-1" }
	return []fault{
		{"the topic may not be seen", nil, func(p *patient) { p.kafka.DenyTopic("t") },
			producer.CheckTopic, false, []string{"TOPIC_AUTHORIZATION_FAILED", "grant this client DESCRIBE and WRITE"}},
		{"the topic may not be written to", nil, func(p *patient) { p.kafka.DenyWrite("t") },
			producer.CheckRights, false, []string{"TOPIC_AUTHORIZATION_FAILED", "grant this client WRITE on the topic", "kafka-acls.sh"}},
		{"nothing may be written idempotently", nil, func(p *patient) { p.kafka.AllowIdempotentWrite(false) },
			producer.CheckIdempotence, false, []string{"CLUSTER_AUTHORIZATION_FAILED", "IDEMPOTENT_WRITE", "enable.idempotence=false"}},
		{"the transactional id may not be used", nil, func(p *patient) { transactional(p); p.kafka.AllowTransactionalID("billing-1", false) },
			producer.CheckTransactions, false, []string{"TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "grant this client DESCRIBE and WRITE on the transactional id"}},
		{"transactions may last too long", nil, func(p *patient) { transactional(p); p.cfg.TransactionTimeout = time.Hour },
			producer.CheckTransactions, false, []string{"transaction.timeout.ms is 3600000", "transaction.max.timeout.ms is 900000", "lower transaction.timeout.ms"}},
		{"settings may not be read", nil, func(p *patient) { p.kafka.AllowDescribeConfigs(false) },
			producer.CheckSettings, true, []string{"may not be read (TOPIC_AUTHORIZATION_FAILED)", "DESCRIBE_CONFIGS"}},
	}
}

func withSettings() []fault {
	set := func(key, value string) func(p *patient) {
		return func(p *patient) {
			if err := p.kafka.SetTopicConfig("t", key, value); err != nil {
				p.t.Error(err)
			}
		}
	}
	three := []brokertest.Option{brokertest.Brokers(3)}
	return []fault{
		{"too few replicas are in sync", three, func(p *patient) {
			set("min.insync.replicas", "3")(p)
			p.kafka.StopBroker(3)
		}, producer.CheckSettings, false, []string{"min.insync.replicas is 3", "NOT_ENOUGH_REPLICAS", "bring the brokers back"}},
		{"one replica is enough", three, set("min.insync.replicas", "1"),
			producer.CheckSettings, true, []string{"acks=all may mean one replica", "min.insync.replicas=2"}},
		{"every replica is needed", three, set("min.insync.replicas", "3"),
			producer.CheckSettings, true, []string{"every replica is needed", "whenever one broker restarts"}},
		{"batches are too large", nil, set("max.message.bytes", "1000"),
			producer.CheckSettings, false, []string{"max.message.bytes is 1000, and batch.size 16384", "MESSAGE_TOO_LARGE"}},
		{"some records are too large", nil, set("max.message.bytes", "100000"),
			producer.CheckSettings, true, []string{"max.message.bytes is 100000, less than max.request.size", "max.request.size=100000"}},
		{"the topic is compacted", nil, set("cleanup.policy", "compact,delete"),
			producer.CheckSettings, true, []string{"records without a key are refused", "give every record a key"}},
		{"the broker gives the time", nil, set("message.timestamp.type", "LogAppendTime"),
			producer.CheckSettings, true, []string{"LogAppendTime", "CreateTime"}},
		{"the broker compresses anew", nil, set("compression.type", "lz4"),
			producer.CheckSettings, true, []string{"compression.type is lz4", "compress every batch anew"}},
	}
}
