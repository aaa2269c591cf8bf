import java.util.Properties;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Sends a record to each of three partitions at an even pace, and prints each outcome: whether, where, when. */
public class Sender {
    public static void main(String[] args) throws Exception {
        Properties settings = new Properties();
        settings.put("bootstrap.servers", args[0]);
        settings.put("key.serializer", ByteArraySerializer.class.getName());
        settings.put("value.serializer", ByteArraySerializer.class.getName());
        settings.put("max.block.ms", "10");
        for (int i = 3; i < args.length; i++) {
            String[] setting = args[i].split("=", 2);
            settings.put(setting[0], setting[1]);
        }
        String topic = args[1];
        long pause = Long.parseLong(args[2]);
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings)) {
            while (true) {
                for (int i = 0; i < 3; i++) {
                    int partition = i;
                    producer.send(new ProducerRecord<>(topic, partition, null, "java".getBytes()), (metadata, failure) -> {
                        if (failure == null || !(failure instanceof org.apache.kafka.common.errors.TimeoutException)
                                || !failure.getMessage().contains("not present in metadata")) {
                            System.out.println((failure == null) + " " + partition + " " + System.currentTimeMillis());
                        }
                    });
                }
                Thread.sleep(pause);
            }
        }
    }
}
