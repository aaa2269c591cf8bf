import java.util.Properties;

import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;

/** Sends some records as Java's own producer does, lives for some seconds, and leaves: bootstrap servers, topic, records, seconds. */
public class Producer {
    public static void main(String[] args) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", args[0]);
        settings.put("client.id", "java");
        settings.put("key.serializer", StringSerializer.class.getName());
        settings.put("value.serializer", StringSerializer.class.getName());
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(settings)) {
            for (int i = 0; i < Integer.parseInt(args[2]); i++) {
                producer.send(new ProducerRecord<>(args[1], "value " + i)).get();
            }
            Thread.sleep(Integer.parseInt(args[3]) * 1000L);
        }
    }
}
