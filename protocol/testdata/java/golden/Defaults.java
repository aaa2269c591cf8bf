import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.Type;

/**
 * What a field holds that its version does not carry: the values of a new message and of each struct within it, by the path of the
 * struct ("" is the message itself). Only fields that some version of the range has.
 */
final class Defaults {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private final Map<String, ObjectNode> structs = new TreeMap<>();

    static Map<String, ObjectNode> of(Message message, List<Schema> schemas) throws ReflectiveOperationException {
        Defaults defaults = new Defaults();
        for (Schema schema : schemas) {
            defaults.add("", message, schema);
        }
        return defaults.structs;
    }

    private void add(String path, Message message, Schema schema) throws ReflectiveOperationException {
        ObjectNode struct = structs.computeIfAbsent(path, p -> JSON.objectNode());
        List<Field> fields = Filler.untagged(schema);
        fields.addAll(Filler.tagged(schema));
        for (Field field : fields) {
            Method setter = Filler.setter(message, field.name);
            String name = setter.getName().substring(3, 4).toLowerCase() + setter.getName().substring(4);
            struct.set(name, json(message.getClass().getMethod(name).invoke(message)));
            Type type = field.type.arrayElementType().orElse(field.type);
            if (type instanceof Schema nested) {
                String below = path.isEmpty() ? name : path + "." + name;
                add(below, (Message) structClass(setter).getConstructor().newInstance(), nested);
            }
        }
    }

    private static Class<?> structClass(Method setter) {
        java.lang.reflect.Type type = setter.getGenericParameterTypes()[0];
        if (type instanceof Class<?> plain && Message.class.isAssignableFrom(plain)) {
            return plain;
        }
        if (type instanceof Class<?> collection) {
            type = collection.getGenericSuperclass();
        }
        return (Class<?>) ((ParameterizedType) type).getActualTypeArguments()[0];
    }

    private static JsonNode json(Object value) {
        if (value == null) {
            return JSON.nullNode();
        } else if (value instanceof Boolean bool) {
            return JSON.booleanNode(bool);
        } else if (value instanceof Number number) {
            return JSON.numberNode(number.longValue());
        } else if (value instanceof String || value instanceof Uuid) {
            return JSON.textNode(value.toString());
        } else if (value instanceof Iterable) {
            return JSON.arrayNode();
        } else if (value instanceof byte[] || value instanceof java.nio.ByteBuffer) {
            return JSON.textNode("");
        } else if (value instanceof Message) {
            return JSON.objectNode();
        }
        throw new IllegalArgumentException("no JSON for " + value.getClass());
    }
}
