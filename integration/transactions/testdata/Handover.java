import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads a topic for a program that writes transactions, and hands over its records by lines: Handover BOOTSTRAP TOPIC GROUP. */
public class Handover {
    public static void main(String[] args) throws Exception {
        Properties config = new Properties();
        config.put("bootstrap.servers", args[0]);
        config.put("group.id", args[2]);
        config.put("isolation.level", "read_committed");
        config.put("enable.auto.commit", "false");
        config.put("auto.offset.reset", "earliest");
        config.put("max.poll.records", "10");
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(args[1]));
            for (String answer = "true"; answer != null && !answer.equals("end"); ) {
                ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(200));
                if (records.isEmpty()) {
                    continue;
                }
                System.out.println(batch(consumer.groupMetadata(), records)); // to the program that has the producer
                answer = in.readLine();
                if ("false".equals(answer)) { // it was not committed
                    for (TopicPartition p : records.partitions()) {
                        consumer.seek(p, records.records(p).get(0).offset());
                    }
                }
            }
        }
    }

    static String batch(ConsumerGroupMetadata group, ConsumerRecords<byte[], byte[]> records) {
        String list = StreamSupport.stream(records.spliterator(), false).map(Handover::record).collect(Collectors.joining(","));
        return String.format("{\"group\":\"%s\",\"generation\":%d,\"member\":\"%s\",\"instance\":\"%s\",\"records\":[%s]}",
            group.groupId(), group.generationId(), group.memberId(), group.groupInstanceId().orElse(""), list);
    }

    static String record(ConsumerRecord<byte[], byte[]> r) {
        return String.format("{\"topic\":\"%s\",\"partition\":%d,\"offset\":%d,\"leaderEpoch\":%d,\"value\":\"%s\"}",
            r.topic(), r.partition(), r.offset(), r.leaderEpoch().orElse(0), Base64.getEncoder().encodeToString(r.value()));
    }
}
