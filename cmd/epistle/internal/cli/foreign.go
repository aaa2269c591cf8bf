package cli

import (
	"strings"
)

// Foreign is a flag of another tool, and what it is called here.
type Foreign struct {
	Names string // with their dashes, separated by blanks
	Takes Arity

	// What it is here: one of these.
	Flag    string                               // the name of our flag that gets the value
	Setting string                               // one of the producer's settings, by Java's name; with Flag, for commands without that
	Plain   bool                                 // its value becomes an argument without a flag
	Drop    bool                                 // it is dropped: what it asks for is the case anyway
	Instead string                               // there is no such flag; this says what to do instead
	Rewrite func(value string) ([]string, error) // words of ours; an error is a usage error

	Never bool   // with Instead: no command here does such a thing
	Note  string // what the user is to know of a flag that is taken
}

// Arity is how many values a flag has.
type Arity int

// Arities.
const (
	Nothing  Arity = iota
	One            // the next word, or what is attached
	Optional       // the next word, unless it is a flag
	Several        // all words up to the next flag
)

func (f *Foreign) named(name string) bool {
	for n := range strings.FieldsSeq(f.Names) {
		if n == name {
			return true
		}
	}
	return false
}

// find returns the flag of another tool that has a name, or nil.
func (w *words) find(name string) *Foreign {
	for i := range w.foreign {
		if w.foreign[i].named(name) {
			return &w.foreign[i]
		}
	}
	return nil
}

// take reads a flag of another tool.
func (w *words) take(f *Foreign, name, value string, attached bool) {
	switch {
	case attached:
	case f.Takes == One && len(w.rest) == 0 && f.Instead == "":
		w.mistake = Usagef("%s needs an argument", name)
		return
	case f.Takes == One && len(w.rest) > 0:
		value = w.value(name)
	case f.Takes == Optional && len(w.rest) > 0 && !strings.HasPrefix(w.rest[0], "-"):
		value = w.next()
	case f.Takes == Several:
		for len(w.rest) > 0 && !strings.HasPrefix(w.rest[0], "-") && w.mistake == nil {
			w.become(f, name, w.next())
		}
		return
	}
	w.become(f, name, value)
}

// become replaces another tool's flag by ours.
func (w *words) become(f *Foreign, name, value string) {
	switch {
	case f.Instead != "":
		w.mistake, w.never = Usagef("%s: %s", name, f.Instead), f.Never
		return
	case f.Rewrite != nil:
		args, err := f.Rewrite(value)
		if err != nil {
			w.mistake = Usagef("%s: %v", name, err)
			return
		}
		w.flags = append(w.flags, args...)
	case f.Flag != "" && (f.Setting == "" || w.fs.Lookup(f.Flag) != nil):
		w.asTyped(f.Flag, name)
		if f.Takes == Nothing {
			w.flags = append(w.flags, "--"+f.Flag)
			break
		}
		w.flags = append(w.flags, "--"+f.Flag+"="+value)
	case f.Setting != "":
		w.flags = append(w.flags, "--property="+f.Setting+"="+value)
	case f.Plain:
		w.plain = append(w.plain, value)
	}
	if f.Note != "" {
		w.notes = append(w.notes, name+": "+f.Note)
	}
}

// ForeignSettings are the flags by which other tools name the cluster and the producer's settings.
var ForeignSettings = []Foreign{
	{Names: "--bootstrap-server --bootstrap-servers --bootstrap.servers --broker-list --brokers --broker --metadata.broker.list --server --servers", Takes: One, Flag: "bootstrap"},
	{Names: "--producer.config --producer-config --command-config --command.config --config-file", Takes: One, Flag: "config"},
	{Names: "--producer-property --command-property --producer.property", Takes: One, Flag: "property"},
	{Names: "--producer-props", Takes: Several, Flag: "property"},
	{Names: "-F", Takes: One, Flag: "config"},
	{Names: "--topics --topic-name", Takes: One, Flag: "topic"},
	{Names: "--compression-codec", Takes: Optional, Rewrite: codec},
	{Names: "-z --compression --compression-type --compression.type --codec", Takes: One, Flag: "compression", Setting: "compression.type"},
	{Names: "--request-timeout-ms --request-timeout --request.timeout.ms", Takes: One, Setting: "request.timeout.ms"},
	{Names: "--request-required-acks --required-acks", Takes: One, Setting: "acks"},
	{Names: "--message-send-max-retries --retries", Takes: One, Setting: "retries"},
	{Names: "--retry-backoff-ms --retry.backoff.ms", Takes: One, Setting: "retry.backoff.ms"},
	{Names: "--metadata-expiry-ms", Takes: One, Setting: "metadata.max.age.ms"},
	{Names: "--max-block-ms --max.block.ms", Takes: One, Setting: "max.block.ms"},
	{Names: "--max-memory-bytes --buffer-memory --buffer.memory", Takes: One, Setting: "buffer.memory"},
	{Names: "--batch-size --max-partition-memory-bytes --batch.size", Takes: One, Setting: "batch.size"},
	{Names: "--linger-ms --linger.ms", Takes: One, Setting: "linger.ms"},
	{Names: "--socket-buffer-size", Takes: One, Setting: "send.buffer.bytes"},
	{Names: "--max-message-bytes --max-request-size --max.request.size", Takes: One, Setting: "max.request.size"},
	{Names: "--delivery-timeout-ms --delivery.timeout.ms", Takes: One, Setting: "delivery.timeout.ms"},
	{Names: "--delivery-timeout", Takes: One, Setting: "delivery.timeout.ms", Note: "in milliseconds, as delivery.timeout.ms"},
	{Names: "--client-id --client.id", Takes: One, Setting: "client.id"},
	{Names: "--transactional-id --transactional.id", Takes: One, Flag: "transactional-id", Setting: "transactional.id"},
	{Names: "--enable-idempotence --enable.idempotence --idempotence --idempotent", Takes: Optional, Rewrite: idempotence},
	{Names: "--allow-auto-topic-creation", Drop: true},
	{Names: "--partitioner", Takes: One, Instead: "records with a key go where the Java client puts them, the others to partitions that keep up; in a program, Config.Partitioner has other choices"},
	{Names: "--tls --tls-enabled --ssl", Takes: Nothing, Rewrite: func(string) ([]string, error) { return []string{"--property=security.protocol=SSL"}, nil }},
	{Names: "--username --sasl-username", Takes: One, Flag: "user"},
	{Names: "--sasl-mechanism --sasl.mechanism --sasl.mechanisms", Takes: One, Setting: "sasl.mechanism"},
	{Names: "--password --pass --sasl-password", Takes: One, Instead: "on the command line everybody could read it; --user NAME asks for it, or takes it from --password-file FILE or from " + PasswordVariable},
	{Names: "--version -V", Takes: Nothing, Never: true, Instead: "`epistle version` prints it"},
	{Names: "-C --consumer --consume", Takes: Nothing, Never: true, Instead: notConsumed},
	{Names: "--from-beginning --skip-message-on-error", Takes: Nothing, Never: true, Instead: notConsumed},
	{Names: "--consumer.config --consumer-config --consumer-property --consumer-group --group --group-id --max-messages --offset --offsets --isolation-level --formatter --formatter-config --formatter-property --key-deserializer --value-deserializer", Takes: One, Never: true, Instead: notConsumed},
	{Names: "-L --list", Takes: Nothing, Never: true, Instead: "epistle produces; it lists no brokers and no topics"},
	{Names: "-G", Takes: One, Never: true, Instead: notConsumed},
	{Names: "-M -Q", Takes: Nothing, Never: true, Instead: "epistle produces only"},
	{Names: "-d --debug", Takes: Optional, Instead: "there are no debug switches; what goes wrong is told on standard error"},
	{Names: "-v --verbose", Takes: Nothing, Drop: true},
	{Names: "-r --schema-registry --registry", Takes: One, Instead: "there is no schema registry here: lines are sent as they are"},
	{Names: "--schema-id --schema-key-id", Takes: One, Instead: "there is no schema registry here: lines are sent as they are"},
	{Names: "--key-serializer --value-serializer", Takes: One, Instead: "a Java class cannot run here; keys and values are sent as they are"},
}

// notConsumed answers the flags of consumers.
const notConsumed = "epistle produces and does not consume"

// codec is for --compression-codec, which means gzip if it has no value.
func codec(value string) ([]string, error) {
	if value == "" {
		value = "gzip"
	}
	return []string{"--property=compression.type=" + value}, nil
}

func idempotence(value string) ([]string, error) {
	if value == "" {
		value = "true"
	}
	return []string{"--property=enable.idempotence=" + value}, nil
}
