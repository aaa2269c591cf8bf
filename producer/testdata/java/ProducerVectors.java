import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.UUID;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.serialization.*;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes what the Java producer says of itself, for the tests of package producer to compare with:
 *
 *   java -cp kafka-clients-4.4.0.jar:slf4j-api.jar ProducerVectors.java ..
 */
public class ProducerVectors {
    public static void main(String[] args) throws Exception {
        Path dir = Path.of(args[0]);
        write(dir.resolve("java-producer-config-4.4.0.json"), settings());
        write(dir.resolve("java-properties.json"), properties());
        write(dir.resolve("java-resolved.json"), resolved());
        write(dir.resolve("java-serializers.json"), serializers());
    }

    /** Every key of ProducerConfig: type, default, what it takes. */
    static List<Object> settings() {
        List<Object> rows = new ArrayList<>();
        for (ConfigDef.ConfigKey k : new TreeMap<>(ProducerConfig.configDef().configKeys()).values()) {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("key", k.name);
            row.put("type", k.type.name());
            boolean required = k.defaultValue == ConfigDef.NO_DEFAULT_VALUE;
            row.put("required", required);
            row.put("default", required || k.defaultValue == null ? null : ConfigDef.convertToString(k.defaultValue, k.type));
            row.put("valid", k.validator == null ? "" : k.validator.toString().trim());
            row.put("importance", k.importance.name());
            rows.add(row);
        }
        return rows;
    }

    /** What java.util.Properties makes of awkward files. Input and strings are in ISO-8859-1 as it reads them. */
    static List<Object> properties() throws IOException {
        String[] inputs = {
            "", "a=b", "a:b", "a b", "a", "a=", "=b", ":b", " = b", "a = b", "a : b", "a\t=\tb", "a\f=\fb", "a  =  = b", "a = : b", "a:=b",
            "  a=b  ", "a=b \n", "a=b\r\nc=d\re=f\n", "#c\na=b", "!c\na=b", "  # c\n\t! c\na=b", "a=b#c", "a=b !c", "a#=b", "#c\\\na=b", "#\\\n#\\\na=b",
            "a=b\\\nc", "a=b\\\n   c", "a=b\\\\\nc=d", "a=b\\\\\\\nc=d", "a=b\\", "a\\", "a\\\\", "\\", "\\\n", "\\\n\\\na=b", "a=b\\\n\nc=d", "a=b\\\n  \nc=d", "a=b\\\n#c", "a=b\\\n  #c\nd=e",
            "a=b\\\r\nc", "a=b\\\rc", "a=b\\\n\r\nc=d", "\n\n\r\r\na=b\n\n", "   \n\t\na=b", "a\\\n=b", "a\\\n  b=c", "a\\\nb c",
            "a\\=b=c", "a\\:b:c", "a\\ b c", "a\\\tb=c", "\\#a=b", "\\!a=b", "a=\\tb\\nc\\rd\\fe", "a=\\b\\a\\z\\q\\'\\\"\\0", "a=\\\\n", "a=\\ b", "a= \\ b ",
            "a=\\u0041", "a=\\u00e9\\u00C9", "\\u0061=b", "a=\\ud83d\\ude00", "a=\\u004", "a=\\u00zz", "a=\\U0041", "a=\\u0041\\u", "a=\\u0020b", "\\u0020a=b", "a\\u003db=c", "a=\\\\u0041", "a=x\\u0041y",
            "a=\u00e9", "\u00e9=b", "a=1\na=2", "a=1\nb=2\na=3", "a=b\u0000c", "a=b\u000bc", "a\u000b=b", "a\u00a0b=c", "\\\n#c\na=b", "\\\n\n#c\na=b", " \\\n b=c", "\\\n  \\\n  a=b", "a=b\\\n\\\nc", "a=b\\\n   \\\n   c",
            "a=1\\\n\n\nb=2", "a=1\\\n!b=2\nc=3", "a=\\\nb", "a=\\\n\nb=c", "a \\\n = b", "a \\\n b", "\\ =b", "\\==b", "==", "::", " ", "#", "!", "#a=b", "a=b\n#", "a=b\\\n", "\\a=b", "\\u0023a=b",
        };
        List<Object> rows = new ArrayList<>();
        for (String input : inputs) {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("input", input);
            Properties p = new Properties();
            try {
                p.load(new ByteArrayInputStream(input.getBytes(StandardCharsets.ISO_8859_1)));
                row.put("properties", new TreeMap<Object, Object>(p));
            } catch (IllegalArgumentException e) {
                row.put("error", e.getMessage());
            }
            rows.add(row);
        }
        return rows;
    }

    /** The settings that Java ends up with where several depend on each other, or its refusal. */
    static List<Object> resolved() throws Exception {
        String[] cases = {
            "", "acks=-1", "acks= 1 ", "acks=0", "acks=1;enable.idempotence=true", "acks=1;enable.idempotence=false", "acks=1;max.in.flight.requests.per.connection=10",
            "retries=0", "retries=0;acks=0", "retries=0;enable.idempotence=true", "enable.idempotence=TRUE", "enable.idempotence=yes",
            "enable.idempotence=false;max.in.flight.requests.per.connection=10", "max.in.flight.requests.per.connection=6", "max.in.flight.requests.per.connection=0",
            "delivery.timeout.ms=1000", "delivery.timeout.ms=30004", "delivery.timeout.ms=30005", "request.timeout.ms=200000", "linger.ms=100000", "linger.ms=100000;request.timeout.ms=50000",
            "request.timeout.ms=2147483647", "linger.ms=-1", "linger.ms= 7 ", "linger.ms=+7", "linger.ms=7ms", "linger.ms=7.0", "batch.size=", "batch.size=2147483648", "batch.size=-1", "batch.size=0", "batch.size=2097152",
            "compression.type=LZ4", "compression.type= lz4", "compression.gzip.level=0", "compression.gzip.level=-1", "compression.gzip.level=10", "compression.lz4.level=17", "compression.lz4.level=18", "compression.zstd.level=-131072", "compression.zstd.level=23",
            "reconnect.backoff.ms=5000", "reconnect.backoff.ms=20", "reconnect.backoff.ms=5000;reconnect.backoff.max.ms=1000", "reconnect.backoff.ms=500;reconnect.backoff.max.ms=700",
            "metadata.recovery.strategy=None", "metadata.recovery.strategy=never", "metadata.max.idle.ms=4999", "metadata.max.idle.ms=5000", "client.id= x ", "client.dns.lookup=USE_ALL_DNS_IPS", "acks=ALL", "acks=2",
            "bootstrap.servers=a:1 , b:2", "bootstrap.servers=a:1,a:1", "bootstrap.servers=a:1,,b:2", "bootstrap.servers=", "buffer.memory=33554433", "connections.max.idle.ms=-5", "send.buffer.bytes=-1", "send.buffer.bytes=-2", "receive.buffer.bytes=-1",
            "partitioner.rack.aware=true", "partitioner.availability.timeout.ms=-1", "max.block.ms=9223372036854775807", "max.block.ms=9223372036854775808", "metrics.num.samples=0", "metrics.recording.level=info", "sasl.login.refresh.window.factor=0.4", "sasl.login.refresh.buffer.seconds=40000",
            "security.protocol=plaintext", "security.protocol=TLS", "transaction.timeout.ms=abc", "buffer.memory.allocation.strategy=Incremental", "enable.metrics.push=0",
            "transactional.id=orders", "transactional.id= orders ", "transactional.id=", "transactional.id= ", "transactional.id=x;enable.idempotence=true", "transactional.id=x;enable.idempotence=false", "transactional.id=x;acks=1", "transactional.id=x;acks=0;enable.idempotence=true",
            "transactional.id=x;retries=0", "transactional.id=x;max.in.flight.requests.per.connection=6", "transactional.id=x;transaction.timeout.ms=5000", "transaction.timeout.ms=5000", "transaction.timeout.ms=0", "transaction.timeout.ms=-1",
        };
        Method configureDeliveryTimeout = KafkaProducer.class.getDeclaredMethod("configureDeliveryTimeout", ProducerConfig.class, Logger.class);
        configureDeliveryTimeout.setAccessible(true);
        List<Object> rows = new ArrayList<>();
        for (String properties : cases) {
            Map<String, Object> row = new LinkedHashMap<>();
            Map<String, Object> in = new TreeMap<>();
            in.put("bootstrap.servers", "localhost:9092");
            for (String p : properties.split(";"))
                if (!p.isEmpty()) in.put(p.substring(0, p.indexOf('=')), p.substring(p.indexOf('=') + 1));
            row.put("properties", new TreeMap<>(in));
            in.put("key.serializer", ByteArraySerializer.class.getName());
            in.put("value.serializer", ByteArraySerializer.class.getName());
            try {
                ProducerConfig c = new ProducerConfig(in);
                Map<String, Object> out = new TreeMap<>();
                for (String key : List.of("batch.size", "bootstrap.servers", "buffer.memory", "client.id", "compression.gzip.level", "compression.lz4.level", "compression.type", "compression.zstd.level", "connections.max.idle.ms", "enable.idempotence", "linger.ms",
                        "max.block.ms", "max.in.flight.requests.per.connection", "metadata.max.idle.ms", "receive.buffer.bytes", "reconnect.backoff.max.ms", "request.timeout.ms", "retries", "send.buffer.bytes", "transaction.timeout.ms", "transactional.id"))
                    out.put(key, ConfigDef.convertToString(c.values().get(key), ProducerConfig.configDef().configKeys().get(key).type));
                out.put("acks", c.getString("acks"));
                out.put("metadata.recovery.strategy", c.getString("metadata.recovery.strategy").toLowerCase());
                out.put("delivery.timeout.ms", String.valueOf(configureDeliveryTimeout.invoke(null, c, LoggerFactory.getLogger("vectors"))));
                row.put("resolved", out);
            } catch (ConfigException e) {
                row.put("error", e.getMessage());
            } catch (InvocationTargetException e) {
                row.put("error", e.getCause().getMessage());
            }
            rows.add(row);
        }
        return rows;
    }

    static List<Object> serializers() {
        List<Object> rows = new ArrayList<>();
        for (boolean v : new boolean[] {true, false}) row(rows, "bool", String.valueOf(v), new BooleanSerializer().serialize("t", v));
        for (short v : new short[] {0, 1, -1, 258, Short.MIN_VALUE, Short.MAX_VALUE}) row(rows, "int16", String.valueOf(v), new ShortSerializer().serialize("t", v));
        for (int v : new int[] {0, 1, -1, 16909060, Integer.MIN_VALUE, Integer.MAX_VALUE}) row(rows, "int32", String.valueOf(v), new IntegerSerializer().serialize("t", v));
        for (long v : new long[] {0, 1, -1, 72623859790382856L, Long.MIN_VALUE, Long.MAX_VALUE}) row(rows, "int64", String.valueOf(v), new LongSerializer().serialize("t", v));
        for (float v : new float[] {0f, -0f, 1.5f, -3.25e10f, Float.MIN_VALUE, Float.MAX_VALUE, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.NaN}) row(rows, "float32", String.valueOf(v), new FloatSerializer().serialize("t", v));
        for (double v : new double[] {0, -0.0, 1.5, -3.25e100, Double.MIN_VALUE, Double.MAX_VALUE, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.NaN}) row(rows, "float64", String.valueOf(v), new DoubleSerializer().serialize("t", v));
        for (String v : new String[] {"", "a", "gr\u00fc\u00dfe", "\u65e5\u672c\u8a9e", "\ud83d\ude00", "a\u0000b"}) row(rows, "string", v, new StringSerializer().serialize("t", v));
        for (String v : new String[] {"00000000-0000-0000-0000-000000000000", "01234567-89ab-cdef-fedc-ba9876543210", "ffffffff-ffff-ffff-ffff-ffffffffffff"}) row(rows, "uuid", v, new UUIDSerializer().serialize("t", UUID.fromString(v)));
        row(rows, "bytes", "", new ByteArraySerializer().serialize("t", new byte[0]));
        row(rows, "bytes", "00ff10", new ByteArraySerializer().serialize("t", new BigInteger("00ff10", 16).toByteArray()));
        row(rows, "bytes", null, new ByteArraySerializer().serialize("t", null));
        row(rows, "string", null, new StringSerializer().serialize("t", null));
        row(rows, "int32", null, new IntegerSerializer().serialize("t", null));
        row(rows, "uuid", null, new UUIDSerializer().serialize("t", null));
        row(rows, "void", null, new VoidSerializer().serialize("t", null));
        return rows;
    }

    static void row(List<Object> rows, String type, String value, byte[] bytes) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("type", type);
        row.put("value", value);
        row.put("bytes", bytes == null ? null : HexFormat.of().formatHex(bytes));
        rows.add(row);
    }

    static void write(Path file, List<Object> rows) throws IOException {
        StringBuilder b = new StringBuilder("[\n");
        for (int i = 0; i < rows.size(); i++) {
            json(b, rows.get(i));
            b.append(i + 1 < rows.size() ? ",\n" : "\n");
        }
        Files.writeString(file, b.append("]\n"));
    }

    static void json(StringBuilder b, Object v) {
        if (v == null || v instanceof Boolean) {
            b.append(v);
        } else if (v instanceof Map<?, ?> m) {
            String separator = "{";
            for (Map.Entry<?, ?> e : m.entrySet()) {
                b.append(separator);
                json(b, e.getKey());
                b.append(": ");
                json(b, e.getValue());
                separator = ", ";
            }
            b.append(m.isEmpty() ? "{}" : "}");
        } else {
            b.append('"');
            for (char c : v.toString().toCharArray()) {
                if (c == '"' || c == '\\') b.append('\\').append(c);
                else if (c < ' ' || c > '~') b.append(String.format("\\u%04x", (int) c));
                else b.append(c);
            }
            b.append('"');
        }
    }
}
