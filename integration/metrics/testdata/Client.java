import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;

import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Java's own producer, which does what it is told on standard input, a command in a line, and answers in lines, of which the last
 * is "done": open KEY=VALUE…, send TOPIC FIRST LAST, flush, metrics, close. Words are apart by tabs. Its argument is the file of
 * the records, which load_test.go describes.
 */
public class Client {
    record Message(int partition, long timestamp, byte[] key, byte[] value) { }

    static final List<Message> messages = new ArrayList<>();
    static LongAdder acknowledged, failed;
    static KafkaProducer<byte[], byte[]> producer;

    public static void main(String[] args) throws Exception {
        read(args[0]);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            String[] words = line.split("\t");
            switch (words[0]) {
                case "open" -> open(words);
                case "send" -> send(words[1], Long.parseLong(words[2]), Long.parseLong(words[3]));
                case "flush" -> {
                    producer.flush();
                    System.out.println(acknowledged.sum() + "\t" + failed.sum());
                }
                case "metrics" -> producer.metrics().forEach(Client::print);
                case "close" -> producer.close();
                default -> throw new IllegalArgumentException(line);
            }
            System.out.println("done");
        }
    }

    static void read(String file) throws Exception {
        try (DataInputStream in = new DataInputStream(Files.newInputStream(Path.of(file)))) {
            for (int left = in.readInt(); left > 0; left--) {
                messages.add(new Message(in.readInt(), in.readLong(), bytes(in), bytes(in)));
            }
        }
    }

    static byte[] bytes(DataInputStream in) throws Exception {
        int size = in.readInt();
        if (size < 0) {
            return null;
        }
        byte[] b = new byte[size];
        in.readFully(b);
        return b;
    }

    static void open(String[] words) {
        Properties settings = new Properties();
        for (int i = 1; i < words.length; i++) {
            String[] pair = words[i].split("=", 2);
            settings.put(pair[0], pair[1]);
        }
        acknowledged = new LongAdder();
        failed = new LongAdder();
        producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    static void send(String topic, long first, long last) {
        LongAdder acknowledged = Client.acknowledged, failed = Client.failed;
        for (long n = first; n < last; n++) {
            Message m = messages.get((int) (n % messages.size()));
            byte[] value = m.value.clone();
            ByteBuffer.wrap(value).putLong(n);
            producer.send(new ProducerRecord<>(topic, m.partition < 0 ? null : m.partition, m.timestamp, m.key, value), (metadata, e) -> {
                if (e == null) {
                    acknowledged.increment();
                } else {
                    failed.increment();
                }
            });
        }
    }

    static void print(MetricName name, Metric metric) {
        TreeMap<String, String> tags = new TreeMap<>(name.tags());
        tags.remove("client-id");
        if (metric.metricValue() instanceof Number value) {
            System.out.println(String.join("\t", "metric", name.group(), name.name(), tags.toString(), String.valueOf(value.doubleValue())));
        }
    }
}
