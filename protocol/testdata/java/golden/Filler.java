import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.record.internal.MemoryRecords;

/**
 * Gives every field of one message that its schema has a value that no other field has. The order of the schema decides the values,
 * so that they are the same in each run.
 */
final class Filler {
    /** How much of a message is set. */
    enum Variant {
        /** Every field away from its default, arrays of two elements. */
        FULL,
        /**
         * Every other boolean set, every other nullable field null, every other tagged field absent, negative numbers, a string of
         * more than 127 bytes; arrays of one element, or, of structs, one bare and one filled.
         */
        MIXED,
        /** Nulls wherever the version allows them, else defaults and empty arrays. */
        EMPTY
    }

    /** The records that were set, in the order of the bytes: the client's JSON leaves them out. */
    final List<byte[]> records = new ArrayList<>();

    private final Variant variant;
    private final boolean unknownTags;
    private int number;
    private int booleans;
    private int nullables;
    private int tags;
    private boolean longStringDone;

    Filler(Variant variant, boolean unknownTags) {
        this.variant = variant;
        this.unknownTags = unknownTags;
    }

    void fill(Message message, Schema schema) throws ReflectiveOperationException {
        fill(message, schema, variant == Variant.EMPTY);
    }

    private void fill(Message message, Schema schema, boolean bare) throws ReflectiveOperationException {
        for (Field field : untagged(schema)) {
            set(message, field, bare, false);
        }
        for (Field field : tagged(schema)) {
            set(message, field, bare, true);
        }
        if (unknownTags && flexible(schema)) {
            addUnknownTags(message);
        }
    }

    private void set(Message message, Field field, boolean bare, boolean tagged) throws ReflectiveOperationException {
        Method setter = setter(message, field.name);
        boolean nullable = field.type.isNullable();
        if (bare) {
            if (nullable) {
                setter.invoke(message, new Object[] {null});
            }
            return;
        }
        if (variant == Variant.MIXED) {
            if (tagged && tags++ % 2 == 1) {
                return;
            }
            if (nullable && nullables++ % 2 == 0) {
                setter.invoke(message, new Object[] {null});
                return;
            }
        }
        Object old = message.getClass().getMethod(setter.getName().substring(3, 4).toLowerCase() + setter.getName().substring(4)).invoke(message);
        setter.invoke(message, value(field.name, setter.getGenericParameterTypes()[0], field.type, old));
    }

    private Object value(String name, Type type, org.apache.kafka.common.protocol.types.Type wire, Object old)
            throws ReflectiveOperationException {
        if (wire.isArray()) {
            return array(name, type, wire.arrayElementType().orElseThrow(), old);
        }
        if (type == boolean.class) {
            return variant == Variant.MIXED ? booleans++ % 2 == 0 : !((Boolean) old);
        }
        if (wire instanceof Schema schema) {
            Message nested = (Message) ((Class<?>) type).getConstructor().newInstance();
            fill(nested, schema, false);
            return nested;
        }
        number++;
        // Bytes that all differ show a wrong width or order; negative numbers, a lost sign.
        boolean negative = variant == Variant.MIXED && number % 2 == 0;
        if (type == byte.class || type == Byte.class) {
            return (byte) (negative ? -(number % 100) - 10 : number % 100 + 10);
        } else if (type == short.class) {
            return (short) (negative ? -0x0200 - number : 0x0100 + number);
        } else if (type == int.class || type == Integer.class) {
            return negative ? -0x03020100 - number : 0x01020300 + number;
        } else if (type == long.class) {
            // A count of milliseconds must also fit Go's 64 bits of nanoseconds.
            long base = name.endsWith("_ms") ? 0x0000010203040500L : 0x0102030405060700L;
            return negative ? -base - number : base + number;
        } else if (type == Uuid.class) {
            return new Uuid(0x1112131415161718L + number, 0x2122232425262728L - number);
        } else if (type == String.class) {
            return string(name);
        } else if (type == byte[].class) {
            return bytes();
        } else if (type == ByteBuffer.class) {
            return ByteBuffer.wrap(bytes());
        } else if (type.getTypeName().endsWith("BaseRecords")) {
            byte[] bytes = bytes();
            records.add(bytes);
            return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes));
        }
        throw new IllegalArgumentException("no value for " + name + " of " + type);
    }

    private String string(String name) {
        String text = name.replace('_', '-') + "-" + number;
        if (variant == Variant.MIXED && !longStringDone) {
            longStringDone = true;
            return text + "-é" + "x".repeat(128);
        }
        return text;
    }

    private byte[] bytes() {
        return ("bytes-" + number).getBytes(StandardCharsets.UTF_8);
    }

    private Object array(String name, Type type, org.apache.kafka.common.protocol.types.Type element, Object old)
            throws ReflectiveOperationException {
        Type elementType;
        Collection<Object> array;
        if (type instanceof ParameterizedType list) {
            elementType = list.getActualTypeArguments()[0];
            array = new ArrayList<>();
        } else {
            Class<?> collection = (Class<?>) type;
            elementType = ((ParameterizedType) collection.getGenericSuperclass()).getActualTypeArguments()[0];
            array = objects(collection.getConstructor().newInstance());
        }
        if (element instanceof Schema schema) {
            for (int i = 0; i < 2; i++) {
                Message nested = (Message) ((Class<?>) elementType).getConstructor().newInstance();
                fill(nested, schema, variant == Variant.MIXED && i == 0);
                array.add(nested);
            }
            return array;
        }
        for (int i = 0; i < (variant == Variant.MIXED ? 1 : 2); i++) {
            array.add(value(name, elementType, element, old));
        }
        return array;
    }

    @SuppressWarnings("unchecked")
    private static Collection<Object> objects(Object collection) {
        return (Collection<Object>) collection;
    }

    static void addUnknownTags(Message message) {
        message.unknownTaggedFields().add(new RawTaggedField(40, new byte[] {(byte) 0xfe, (byte) 0xff}));
        message.unknownTaggedFields().add(new RawTaggedField(1000, new byte[0]));
    }

    static boolean flexible(Schema schema) {
        for (BoundField field : schema.fields()) {
            if (field.def.type instanceof TaggedFields) {
                return true;
            }
        }
        return false;
    }

    static List<Field> untagged(Schema schema) {
        List<Field> fields = new ArrayList<>();
        for (BoundField field : schema.fields()) {
            if (!(field.def.type instanceof TaggedFields)) {
                fields.add(field.def);
            }
        }
        return fields;
    }

    static List<Field> tagged(Schema schema) {
        Map<Integer, Field> fields = new TreeMap<>();
        for (BoundField field : schema.fields()) {
            if (field.def.type instanceof TaggedFields section) {
                fields.putAll(section.fields());
            }
        }
        return new ArrayList<>(fields.values());
    }

    /** The schema spells a field topic_id, the class setTopicId. */
    static Method setter(Message message, String name) {
        String wanted = "set" + name.replace("_", "");
        for (Method method : message.getClass().getMethods()) {
            if (method.getName().equalsIgnoreCase(wanted) && method.getParameterCount() == 1) {
                return method;
            }
        }
        throw new IllegalArgumentException(message.getClass() + " has no setter for " + name);
    }
}
