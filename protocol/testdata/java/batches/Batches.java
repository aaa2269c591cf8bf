import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.internals.ByteBufferOutputStream;

/**
 * Writes record batches with Kafka's own classes, one JSON file each: the bytes, and what Kafka reads out of them.
 * Every field has a value that no other has, so that a swap shows.
 */
public final class Batches {
    private static final long TIME = 1_700_000_000_000L;

    public static void main(String[] args) throws Exception {
        Path out = Path.of(args[0]);
        for (CompressionType codec : CompressionType.values()) {
            write(out, "varied-" + codec.name, varied(codec));
            if (codec != CompressionType.NONE) {
                write(out, "large-" + codec.name, large(codec));
            }
        }
        write(out, "log-append-time", logAppendTime());
        write(out, "idempotent", idempotent());
        write(out, "transactional", transactional());
        write(out, "delete-horizon", deleteHorizon());
        write(out, "commit", marker(ControlRecordType.COMMIT));
        write(out, "abort", marker(ControlRecordType.ABORT));
        write(out, "several", several());
    }

    /** Null, empty and other keys, values and headers; offsets and timestamps of one, two and more bytes, also negative. */
    private static MemoryRecords varied(CompressionType codec) {
        try (MemoryRecordsBuilder b = new Builder(codec).baseOffset(7_000_000_001L).leaderEpoch(17).build()) {
            byte[] empty = {};
            b.appendWithOffset(7_000_000_001L, TIME, bytes("key"), bytes("value"), headers());
            b.appendWithOffset(7_000_000_002L, TIME + 5, null, bytes("no key"), headers("a", "1"));
            b.appendWithOffset(7_000_000_003L, TIME - 70, bytes("tombstone"), null, headers("b", null, "b", ""));
            b.appendWithOffset(7_000_000_004L, TIME + 63, (byte[]) null, null, headers());
            b.appendWithOffset(7_000_000_005L, TIME + 64, empty, empty, headers("", "empty key"));
            b.appendWithOffset(7_000_000_006L, TIME + 8191, bytes("κλειδί"), bytes("värde"), headers("заголовок", "значение"));
            b.appendWithOffset(7_000_000_064L, TIME + 8192, bytes("x".repeat(63)), bytes("y".repeat(64)), headers("z".repeat(64), "w".repeat(127)));
            b.appendWithOffset(7_000_000_065L, TIME + 40_000_000_000L, bytes("late"), bytes("q".repeat(9000)), headers());
            b.appendWithOffset(7_000_010_000L, 0, bytes("very early"), bytes("offsets may have holes"), headers());
            return b.build();
        }
    }

    /** More than the blocks of 32 and 64 KiB that snappy and lz4 are cut into. */
    private static MemoryRecords large(CompressionType codec) {
        try (MemoryRecordsBuilder b = new Builder(codec).build()) {
            for (int i = 0; i < 4; i++) {
                StringBuilder value = new StringBuilder();
                for (int line = 0; value.length() < 45_000; line++) {
                    value.append("line ").append(line * 7919 % 1000).append(" of value ").append(i).append('\n');
                }
                b.appendWithOffset(i, TIME + i, bytes("key-" + i), bytes(value.toString()), headers());
            }
            return b.build();
        }
    }

    private static MemoryRecords logAppendTime() {
        try (MemoryRecordsBuilder b = new Builder(CompressionType.NONE).logAppendTime(TIME + 1234).build()) {
            b.appendWithOffset(0, TIME, bytes("a"), bytes("1"), headers());
            b.appendWithOffset(1, TIME + 20, bytes("b"), bytes("2"), headers());
            return b.build();
        }
    }

    private static MemoryRecords idempotent() {
        try (MemoryRecordsBuilder b = new Builder(CompressionType.LZ4).producer(9_000_000_000_001L, (short) 32767, 2_147_483_646).build()) {
            for (int i = 0; i < 200; i++) {
                b.appendWithOffset(i, TIME + i, bytes("key-" + i), bytes("value-" + i), headers("n", "" + i));
            }
            return b.build();
        }
    }

    private static MemoryRecords transactional() {
        try (MemoryRecordsBuilder b = new Builder(CompressionType.ZSTD).producer(4001, (short) 3, 77).transactional().build()) {
            b.appendWithOffset(0, TIME, bytes("a"), bytes("in a transaction"), headers("h", "v"));
            return b.build();
        }
    }

    private static MemoryRecords deleteHorizon() {
        try (MemoryRecordsBuilder b = new Builder(CompressionType.NONE).deleteHorizon(TIME + 999).build()) {
            b.appendWithOffset(0, TIME, bytes("tombstone"), null, headers());
            return b.build();
        }
    }

    private static MemoryRecords marker(ControlRecordType type) {
        return MemoryRecords.withEndTransactionMarker(55, TIME, 6, 4001, (short) 3, new EndTransactionMarker(type, 21));
    }

    private static MemoryRecords several() {
        List<MemoryRecords> all = List.of(varied(CompressionType.SNAPPY), transactional(), marker(ControlRecordType.COMMIT));
        ByteBuffer buffer = ByteBuffer.allocate(all.stream().mapToInt(MemoryRecords::sizeInBytes).sum());
        all.forEach(r -> buffer.put(r.buffer()));
        return MemoryRecords.readableRecords(buffer.flip());
    }

    private static void write(Path out, String name, MemoryRecords records) throws IOException {
        byte[] bytes = new byte[records.sizeInBytes()];
        records.buffer().get(bytes);
        Files.writeString(out.resolve(name + ".json"), describe(bytes));
    }

    /** One batch after the other, as Kafka reads it. */
    static String describe(byte[] bytes) {
        List<String> batches = new ArrayList<>();
        for (MutableRecordBatch batch : MemoryRecords.readableRecords(ByteBuffer.wrap(bytes)).batches()) {
            batch.ensureValid();
            batches.add(describe((DefaultRecordBatch) batch));
        }
        return "{\n\"hex\": \"" + HexFormat.of().formatHex(bytes) + "\",\n\"batches\": [" + String.join(",", batches) + "]\n}\n";
    }

    private static String describe(DefaultRecordBatch b) {
        List<String> records = new ArrayList<>();
        for (Record r : b) {
            records.add(describe(r));
        }
        return String.format("{\n\"size\": %d, \"baseOffset\": %d, \"lastOffset\": %d, \"leaderEpoch\": %d, \"crc\": %d,%n"
                + "\"codec\": \"%s\", \"logAppendTime\": %b, \"transactional\": %b, \"control\": %b, \"deleteHorizon\": %b,%n"
                + "\"baseTimestamp\": %d, \"maxTimestamp\": %d, \"producerID\": %d, \"producerEpoch\": %d, \"baseSequence\": %d,%n"
                + "\"records\": [%s]}",
            b.sizeInBytes(), b.baseOffset(), b.lastOffset(), b.partitionLeaderEpoch(), b.checksum(),
            b.compressionType().name, b.timestampType() == TimestampType.LOG_APPEND_TIME, b.isTransactional(), b.isControlBatch(),
            b.deleteHorizonMs().isPresent(),
            b.baseTimestamp(), b.maxTimestamp(), b.producerId(), b.producerEpoch(), b.baseSequence(),
            String.join(",", records));
    }

    private static String describe(Record r) {
        List<String> headers = new ArrayList<>();
        for (Header h : r.headers()) {
            ByteBuffer value = h.value() == null ? null : ByteBuffer.wrap(h.value());
            headers.add("{\"key\": " + quote(ByteBuffer.wrap(bytes(h.key()))) + ", \"value\": " + quote(value) + "}");
        }
        return String.format("%n{\"offset\": %d, \"timestamp\": %d, \"key\": %s, \"value\": %s, \"headers\": [%s]}",
            r.offset(), r.timestamp(), quote(r.key()), quote(r.value()), String.join(", ", headers));
    }

    /** Hexadecimal digits, or the SHA-256 of what is too long to read. */
    private static String quote(ByteBuffer buffer) {
        if (buffer == null) {
            return "null";
        }
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        if (bytes.length <= 256) {
            return '"' + HexFormat.of().formatHex(bytes) + '"';
        }
        try {
            return "\"sha256:" + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes)) + '"';
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] bytes(String s) {
        return s.getBytes(StandardCharsets.UTF_8);
    }

    /** Keys and values in turn. */
    private static Header[] headers(String... words) {
        Header[] headers = new Header[words.length / 2];
        for (int i = 0; i < headers.length; i++) {
            String value = words[2 * i + 1];
            headers[i] = new RecordHeader(words[2 * i], value == null ? null : bytes(value));
        }
        return headers;
    }

    /** The arguments of a MemoryRecordsBuilder, by name. */
    private static final class Builder {
        private final CompressionType codec;
        private TimestampType timestampType = TimestampType.CREATE_TIME;
        private long baseOffset;
        private long logAppendTime = RecordBatch.NO_TIMESTAMP;
        private long producerId = RecordBatch.NO_PRODUCER_ID;
        private short producerEpoch = RecordBatch.NO_PRODUCER_EPOCH;
        private int baseSequence = RecordBatch.NO_SEQUENCE;
        private boolean transactional;
        private int leaderEpoch = RecordBatch.NO_PARTITION_LEADER_EPOCH;
        private long deleteHorizon = RecordBatch.NO_TIMESTAMP;

        Builder(CompressionType codec) {
            this.codec = codec;
        }

        Builder baseOffset(long offset) {
            baseOffset = offset;
            return this;
        }

        Builder leaderEpoch(int epoch) {
            leaderEpoch = epoch;
            return this;
        }

        Builder logAppendTime(long time) {
            timestampType = TimestampType.LOG_APPEND_TIME;
            logAppendTime = time;
            return this;
        }

        Builder producer(long id, short epoch, int sequence) {
            producerId = id;
            producerEpoch = epoch;
            baseSequence = sequence;
            return this;
        }

        Builder transactional() {
            transactional = true;
            return this;
        }

        Builder deleteHorizon(long time) {
            deleteHorizon = time;
            return this;
        }

        MemoryRecordsBuilder build() {
            return new MemoryRecordsBuilder(new ByteBufferOutputStream(1 << 20), RecordBatch.MAGIC_VALUE_V2, Compression.of(codec).build(),
                timestampType, baseOffset, logAppendTime, producerId, producerEpoch, baseSequence, transactional, false,
                leaderEpoch, 1 << 20, deleteHorizon);
        }
    }
}
