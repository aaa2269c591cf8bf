import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BinaryNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.Schema;

/**
 * Writes one file of golden vectors for each message: what the Java client's own classes make of known field values, in every
 * version that we speak, together with those values as the Java client prints them.
 */
public final class Golden {
    /** What we speak. A vector is wanted for each version; the Go tests compare the ranges with the API table. */
    private record Range(ApiMessageType type, int min, int max) {}

    private static final List<Range> RANGES = List.of(
            new Range(ApiMessageType.PRODUCE, 3, 13),
            new Range(ApiMessageType.LIST_OFFSETS, 1, 11),
            new Range(ApiMessageType.METADATA, 0, 13),
            new Range(ApiMessageType.FIND_COORDINATOR, 0, 6),
            new Range(ApiMessageType.SASL_HANDSHAKE, 0, 1),
            new Range(ApiMessageType.API_VERSIONS, 0, 5),
            new Range(ApiMessageType.CREATE_TOPICS, 2, 7),
            new Range(ApiMessageType.INIT_PRODUCER_ID, 0, 5),
            new Range(ApiMessageType.ADD_PARTITIONS_TO_TXN, 0, 3),
            new Range(ApiMessageType.ADD_OFFSETS_TO_TXN, 0, 4),
            new Range(ApiMessageType.END_TXN, 0, 5),
            new Range(ApiMessageType.TXN_OFFSET_COMMIT, 0, 6),
            new Range(ApiMessageType.DESCRIBE_CONFIGS, 1, 4),
            new Range(ApiMessageType.SASL_AUTHENTICATE, 0, 2),
            new Range(ApiMessageType.DESCRIBE_CLUSTER, 0, 2),
            new Range(ApiMessageType.GET_TELEMETRY_SUBSCRIPTIONS, 0, 0),
            new Range(ApiMessageType.PUSH_TELEMETRY, 0, 0));

    public static void main(String[] args) throws Exception {
        Path directory = Path.of(args[0]);
        for (Range range : RANGES) {
            for (boolean request : new boolean[] {true, false}) {
                String name = range.type.name + (request ? "Request" : "Response");
                String file = range.type.name + (request ? ".request.json" : ".response.json");
                Files.writeString(directory.resolve(file), record(range, name, request));
            }
        }
    }

    private static String record(Range range, String name, boolean request) throws Exception {
        Schema[] all = request ? range.type.requestSchemas() : range.type.responseSchemas();
        List<Schema> schemas = Arrays.asList(all).subList(range.min, range.max + 1);
        StringBuilder out = new StringBuilder();
        out.append("{\n\"message\": \"").append(name).append("\",\n");
        out.append("\"apiKey\": ").append(range.type.apiKey()).append(",\n");
        out.append("\"defaults\": {");
        String separator = "\n";
        for (Map.Entry<String, ObjectNode> e : Defaults.of(newMessage(range.type, request), schemas).entrySet()) {
            out.append(separator).append("  \"").append(e.getKey()).append("\": ").append(e.getValue());
            separator = ",\n";
        }
        out.append("\n},\n\"vectors\": [");
        separator = "\n";
        for (int version = range.min; version <= range.max; version++) {
            for (Filler.Variant variant : Filler.Variant.values()) {
                out.append(separator).append(vector(range, (short) version, variant, request));
                separator = ",\n";
            }
        }
        return out.append("\n]\n}\n").toString();
    }

    private static String vector(Range range, short version, Filler.Variant variant, boolean request) throws Exception {
        Schema schema = (request ? range.type.requestSchemas() : range.type.responseSchemas())[version];
        ApiMessage plain = newMessage(range.type, request);
        Filler filler = new Filler(variant, false);
        filler.fill(plain, schema);

        int correlationId = 0x01020300 + 100 * version + variant.ordinal();
        String clientId = variant == Filler.Variant.EMPTY ? null : "client-" + version;
        StringBuilder out = new StringBuilder();
        out.append("{\"version\": ").append(version).append(", \"variant\": \"").append(variant.name().toLowerCase()).append("\",\n");
        out.append("  \"fields\": ").append(fields(plain, version, filler.records)).append(",\n");
        out.append("  \"correlationId\": ").append(correlationId);
        if (request) {
            out.append(", \"clientId\": ").append(clientId == null ? "null" : '"' + clientId + '"');
        }
        out.append(",\n  \"header\": \"").append(header(range.type, version, correlationId, clientId, request, false)).append("\",\n");
        out.append("  \"body\": \"").append(hex(plain, version)).append('"');
        if (Filler.flexible(schema)) {
            ApiMessage tagged = newMessage(range.type, request);
            new Filler(variant, true).fill(tagged, schema);
            out.append(",\n  \"unknownTagsHeader\": \"").append(header(range.type, version, correlationId, clientId, request, true));
            out.append("\",\n  \"unknownTagsBody\": \"").append(hex(tagged, version)).append('"');
        }
        return out.append('}').toString();
    }

    private static String header(ApiMessageType type, short version, int correlationId, String clientId, boolean request, boolean unknownTags) {
        short headerVersion = request ? type.requestHeaderVersion(version) : type.responseHeaderVersion(version);
        Message header = request
                ? new RequestHeaderData().setRequestApiKey(type.apiKey()).setRequestApiVersion(version)
                        .setCorrelationId(correlationId).setClientId(clientId)
                : new ResponseHeaderData().setCorrelationId(correlationId);
        Schema schema = (request ? RequestHeaderData.SCHEMAS : ResponseHeaderData.SCHEMAS)[headerVersion];
        if (unknownTags && Filler.flexible(schema)) {
            Filler.addUnknownTags(header);
        }
        return hex(header, headerVersion);
    }

    /** The client's own JSON, save that it prints the size of records, or nothing, in place of their bytes. */
    private static JsonNode fields(ApiMessage message, short version, List<byte[]> records) throws ReflectiveOperationException {
        Class<?> converter = Class.forName(message.getClass().getName() + "JsonConverter");
        JsonNode json = (JsonNode) converter.getMethod("write", message.getClass(), short.class).invoke(null, message, version);
        Iterator<byte[]> bytes = new ArrayList<>(records).iterator();
        putRecords(json, bytes);
        if (bytes.hasNext()) {
            throw new IllegalStateException("records without a place in the JSON: " + json);
        }
        return json;
    }

    private static void putRecords(JsonNode node, Iterator<byte[]> records) {
        if (node instanceof ArrayNode array) {
            array.forEach(element -> putRecords(element, records));
        } else if (node instanceof ObjectNode object) {
            if (object.hasNonNull("records")) {
                object.set("records", new BinaryNode(records.next()));
            }
            object.forEach(child -> putRecords(child, records));
        }
    }

    private static String hex(Message message, short version) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        if (buffer.hasRemaining()) {
            throw new IllegalStateException(message + ": size and bytes disagree");
        }
        return HexFormat.of().formatHex(buffer.array());
    }

    private static ApiMessage newMessage(ApiMessageType type, boolean request) {
        return request ? type.newRequest() : type.newResponse();
    }

    private Golden() {}
}
