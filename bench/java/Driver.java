import com.sun.management.OperatingSystemMXBean;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The driver of Java's own client: send with a callback, or send and get. Its flags are those of the drivers in Go, see
 * driver/options.go; -set key=value sets a producer setting.
 */
public class Driver {
    static final Map<String, String> flags = new HashMap<>();
    static final Map<String, String> settings = new HashMap<>();
    static final LongAdder acked = new LongAdder(), failed = new LongAdder();
    static final AtomicReference<Exception> first = new AtomicReference<>();

    static KafkaProducer<byte[], byte[]> producer;
    static byte[][] values, keys;
    static String topic;

    public static void main(String[] args) throws Exception {
        parse(args);
        topic = flags.getOrDefault("topic", "load");
        values = ring(flags.get("values"), number("size", 100));
        keys = ring(flags.get("keys"), number("key", 0));
        producer = new KafkaProducer<>(config());
        warmUp();
        Latency.reset();
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long cpu = system.getProcessCpuTime(), from = System.nanoTime();
        long records = phase(duration("duration", "2s"), number("records", 0));
        double wall = (System.nanoTime() - from) / 1e9, used = (system.getProcessCpuTime() - cpu) / 1e9;
        producer.close();
        if (failed.sum() > 0) {
            throw new Exception(failed.sum() + " records failed, the first one with", first.get());
        }
        boolean timed = flags.containsKey("wait") || number("rate", 0) > 0;
        System.out.printf(Locale.ROOT, "{\"client\":\"java\",\"version\":\"%s\",\"records\":%d,\"errors\":%d,\"acknowledged\":%d,"
                + "\"wall_seconds\":%.6f,\"cpu_seconds\":%.6f,\"records_per_second\":%.1f,\"records_per_cpu_second\":%.1f,"
                + "\"allocations_per_record\":-1,\"bytes_per_record\":-1,\"peak_rss_bytes\":%d,"
                + "\"latency_p50_us\":%d,\"latency_p99_us\":%d,\"latency_p999_us\":%d}%n",
            version(), records, failed.sum(), acked.sum(), wall, used, records / wall, records / used, peakMemory(),
            timed ? Latency.quantile(0.5) : 0, timed ? Latency.quantile(0.99) : 0, timed ? Latency.quantile(0.999) : 0);
    }

    /**
     * The load before the measurement: for as long as -warmup says, and with -steady on, second by second, until what a second
     * of CPU gives has stopped to grow, for that long at most. The JVM compiles what it runs often, and better after a while.
     */
    static void warmUp() throws Exception {
        phase(duration("warmup", "1s"), 0);
        OperatingSystemMXBean system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        long until = System.nanoTime() + duration("steady", "0s");
        double best = 0;
        for (int without = 0; without < 3 && System.nanoTime() - until < 0;) {
            long cpu = system.getProcessCpuTime(), records = phase(1_000_000_000L, 0);
            double rate = (double) records / Math.max(system.getProcessCpuTime() - cpu, 1);
            without = rate > 1.05 * best ? 0 : without + 1;
            best = Math.max(best, rate);
        }
    }

    static void parse(String[] args) {
        for (int i = 0; i < args.length; i++) {
            String name = args[i].replaceFirst("^--?", "");
            if (name.equals("wait")) {
                flags.put(name, "");
            } else if (name.equals("set")) {
                String[] pair = args[++i].split("=", 2);
                settings.put(pair[0], pair[1]);
            } else {
                flags.put(name, args[++i]);
            }
        }
    }

    static Map<String, Object> config() {
        Map<String, Object> c = new HashMap<>(settings);
        c.put("bootstrap.servers", flags.get("b"));
        c.put("client.id", flags.getOrDefault("client", "java"));
        c.put("acks", "all");
        c.put("enable.idempotence", true);
        c.put("compression.type", flags.getOrDefault("codec", "none"));
        c.put("buffer.memory", (long) number("memory", 32 << 20));
        c.put("max.in.flight.requests.per.connection", number("inflight", 5));
        c.put("key.serializer", ByteArraySerializer.class);
        c.put("value.serializer", ByteArraySerializer.class);
        if (duration("linger", "-1s") >= 0) {
            c.put("linger.ms", duration("linger", "0s") / 1_000_000);
        }
        if (number("batch", 0) > 0) {
            c.put("batch.size", number("batch", 0));
            c.put("max.request.size", Math.max(1 << 20, 2 * number("batch", 0)));
        }
        return c;
    }

    static int number(String flag, int otherwise) {
        return Integer.parseInt(flags.getOrDefault(flag, Integer.toString(otherwise)));
    }

    /** Nanoseconds of a duration as Go writes it, of one unit alone. */
    static long duration(String flag, String otherwise) {
        String text = flags.getOrDefault(flag, otherwise);
        String unit = text.replaceFirst("^[-0-9.]+", "");
        double n = Double.parseDouble(text.substring(0, text.length() - unit.length()));
        Map<String, Double> units = Map.of("", 1.0, "ns", 1.0, "us", 1e3, "µs", 1e3, "ms", 1e6, "s", 1e9, "m", 60e9, "m0s", 60e9);
        return (long) (n * units.get(unit));
    }

    static byte[][] ring(String path, int size) throws Exception {
        if (size == 0) {
            return new byte[1][];
        }
        byte[] all = Files.readAllBytes(Path.of(path));
        byte[][] ring = new byte[all.length / size][size];
        for (int i = 0; i < ring.length; i++) {
            System.arraycopy(all, i * size, ring[i], 0, size);
        }
        return ring;
    }

    static void count(Exception e) {
        if (e == null) {
            acked.increment();
        } else {
            first.compareAndSet(null, e);
            failed.increment();
        }
    }

    /** Counts the outcome of a record that its callback has the number of. */
    static void count(int thread, long record, Exception e) {
        count(e == null ? null : new Exception("record " + record + " of thread " + thread, e));
    }

    /** Sends for that long, or that many records, and returns when all are acknowledged. */
    static long phase(long last, int records) throws Exception {
        if (last <= 0 && records == 0) {
            return 0;
        }
        long sent = number("rate", 0) > 0 ? paced(last) : together(last, records);
        producer.flush();
        return sent;
    }

    static long together(long last, int records) throws Exception {
        int threads = number("goroutines", 1);
        long until = System.nanoTime() + last;
        boolean wait = flags.containsKey("wait");
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        List<Future<Long>> parts = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            int index = i, part = (records + i) / threads;
            Callable<Long> send = () -> wait ? waiting(index, threads, until, part) : flood(index, threads, until, part);
            parts.add(pool.submit(send));
        }
        long sent = 0;
        for (Future<Long> part : parts) {
            sent += part.get();
        }
        pool.shutdown();
        return sent;
    }

    static long flood(int index, int threads, long until, int records) {
        int value = (int) ((long) index * values.length / threads), key = (int) ((long) index * keys.length / threads);
        for (long sent = 0;; sent++) {
            if (records > 0 ? sent == records : sent % 64 == 0 && System.nanoTime() - until > 0) {
                return sent;
            }
            long record = sent;
            producer.send(new ProducerRecord<>(topic, keys[key], values[value]), (metadata, e) -> count(index, record, e));
            value = value + 1 == values.length ? 0 : value + 1;
            key = key + 1 == keys.length ? 0 : key + 1;
        }
    }

    static long waiting(int index, int threads, long until, int records) throws InterruptedException {
        int value = (int) ((long) index * values.length / threads);
        long sent = 0, then = System.nanoTime();
        for (; records > 0 ? sent < records : then - until < 0; sent++) {
            try {
                producer.send(new ProducerRecord<>(topic, keys[0], values[value])).get();
                count(null);
            } catch (ExecutionException e) {
                count(e);
            }
            value = value + 1 == values.length ? 0 : value + 1;
            long now = System.nanoTime();
            Latency.add((now - then) / 1000);
            then = now;
        }
        return sent;
    }

    static long paced(long last) {
        long interval = 1_000_000_000L / number("rate", 0), start = System.nanoTime(), sent = 0;
        int value = 0;
        for (; sent * interval < last; sent++) {
            long due = start + sent * interval;
            for (long left; (left = due - System.nanoTime()) > 0;) {
                LockSupport.parkNanos(left);
            }
            producer.send(new ProducerRecord<>(topic, keys[0], values[value]), (metadata, e) -> {
                Latency.add((System.nanoTime() - due) / 1000);
                count(e);
            });
            value = value + 1 == values.length ? 0 : value + 1;
        }
        return sent;
    }

    static String version() throws Exception {
        Properties p = new Properties();
        try (InputStream in = KafkaProducer.class.getResourceAsStream("/kafka/kafka-version.properties")) {
            p.load(in);
        }
        return p.getProperty("version");
    }

    static long peakMemory() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) << 10;
            }
        }
        return 0;
    }

    /** Latencies in microseconds, to within 1.6 %, as in driver/histogram.go. */
    static class Latency {
        static final int EXACT = 64, BITS = 40;
        static AtomicLongArray counts = new AtomicLongArray(EXACT * (BITS - 5));

        static void add(long us) {
            us = Math.min(Math.max(us, 0), (1L << BITS) - 1);
            int shift = us < 2 * EXACT ? 0 : 64 - Long.numberOfLeadingZeros(us) - 7;
            counts.incrementAndGet(shift == 0 ? (int) us : shift * EXACT + (int) (us >> shift));
        }

        static void reset() {
            counts = new AtomicLongArray(EXACT * (BITS - 5));
        }

        static long quantile(double q) {
            long all = 0, seen = 0;
            for (int i = 0; i < counts.length(); i++) {
                all += counts.get(i);
            }
            long rank = Math.max((long) (q * all + 0.5), 1);
            for (int i = 0; i < counts.length(); i++) {
                seen += counts.get(i);
                if (seen >= rank && counts.get(i) > 0) {
                    int shift = i / EXACT - 1;
                    return i < 2 * EXACT ? i : ((long) (i - shift * EXACT + 1) << shift) - 1;
                }
            }
            return 0;
        }
    }
}
