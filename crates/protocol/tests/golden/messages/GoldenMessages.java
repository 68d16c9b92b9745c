import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.nio.ByteBuffer;
import java.util.*;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.*;
import org.apache.kafka.common.protocol.types.*;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.common.record.internal.MemoryRecords;

/** Prints a message of every kind and version as Kafka writes it: name, version, bytes in hex. With kafka-clients,
 *  kafka-group-coordinator (both 4.3.1) and slf4j-api on the class path:
 *  java -cp 'lib/*' GoldenMessages.java > messages.txt
 *  A further argument of any kind adds the values, field by field. */
public class GoldenMessages {
    static final Random random = new Random();
    static StringBuilder values;

    static String plain(String name) { return name.replace("_", "").toLowerCase(Locale.ROOT); }

    static Method setter(Class<?> owner, String field) {
        for (Method method : owner.getDeclaredMethods())
            if (method.getParameterCount() == 1 && method.getReturnType() == owner && plain(method.getName()).equals("set" + plain(field)))
                return method;
        throw new IllegalStateException(owner + " has no " + field);
    }

    static Class<?> elementClass(Class<?> collection, java.lang.reflect.Type declared) {
        java.lang.reflect.Type generic = declared instanceof ParameterizedType ? declared : collection.getGenericSuperclass();
        return (Class<?>) ((ParameterizedType) generic).getActualTypeArguments()[0];
    }

    /** Sets what the schema of a version has, and nothing else. */
    static Object fill(Object message, Schema schema) throws Exception {
        for (BoundField bound : schema.fields()) {
            if (bound.def.type instanceof TaggedFields tagged) {
                for (Field field : tagged.fields().values()) fill(message, field.name, field.type);
            } else {
                fill(message, bound.def.name, bound.def.type);
            }
        }
        return message;
    }

    static void fill(Object message, String name, Type type) throws Exception {
        Method setter = setter(message.getClass(), name);
        values.append(' ').append(plain(name)).append('=');
        setter.invoke(message, value(type, setter.getParameterTypes()[0], setter.getGenericParameterTypes()[0]));
    }

    static Object value(Type type, Class<?> wanted, java.lang.reflect.Type declared) throws Exception {
        if (type.isNullable() && random.nextInt(4) == 0) {
            values.append("null");
            return null;
        }
        if (type instanceof Schema schema) return fill(wanted.getDeclaredConstructor().newInstance(), schema);
        if (type.arrayElementType().isPresent()) return array(type.arrayElementType().get(), wanted, declared);
        Object value = scalar(wanted);
        if (value instanceof byte[] bytes) values.append(HexFormat.of().formatHex(bytes));
        else if (value instanceof ByteBuffer buffer) values.append(HexFormat.of().formatHex(buffer.array()));
        else if (value instanceof MemoryRecords records) values.append(HexFormat.of().formatHex(records.buffer().array()));
        else values.append(value);
        return value;
    }

    static Object array(Type element, Class<?> wanted, java.lang.reflect.Type declared) throws Exception {
        Class<?> of = elementClass(wanted, declared);
        @SuppressWarnings("unchecked")
        Collection<Object> all = wanted == List.class ? new ArrayList<>() : (Collection<Object>) wanted.getDeclaredConstructor().newInstance();
        int count = random.nextInt(6) == 0 ? 0 : 1 + random.nextInt(2);
        values.append(count);
        for (int i = 0; i < count; i++) {
            values.append(' ').append(i).append(':');
            all.add(value(element, of, of));
        }
        return all;
    }

    static Object scalar(Class<?> wanted) {
        if (wanted == boolean.class) return random.nextBoolean();
        if (wanted == byte.class || wanted == Byte.class) return (byte) random.nextInt();
        if (wanted == short.class || wanted == Short.class) return (short) random.nextInt();
        if (wanted == int.class || wanted == Integer.class) return random.nextInt() & 0xffff;
        if (wanted == long.class || wanted == Long.class) return random.nextLong();
        if (wanted == double.class) return random.nextInt() / 4.0;
        if (wanted == Uuid.class) return new Uuid(random.nextLong(), random.nextLong());
        if (wanted == String.class) return "ä" + Integer.toString(random.nextInt(1 << 20), 36);
        byte[] bytes = new byte[random.nextInt(5)];
        random.nextBytes(bytes);
        if (wanted == byte[].class) return bytes;
        if (wanted == ByteBuffer.class) return ByteBuffer.wrap(bytes);
        return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes));
    }

    static void print(String name, String className, int first, int last, boolean withValues) throws Exception {
        Class<?> of = Class.forName(className);
        Schema[] schemas = (Schema[]) of.getField("SCHEMAS").get(null);
        for (short version = (short) first; version <= last; version++) {
            random.setSeed(name.hashCode() * 31L + version);
            values = new StringBuilder();
            Message message = (Message) fill(of.getDeclaredConstructor().newInstance(), schemas[version]);
            ByteBuffer bytes = MessageUtil.toByteBufferAccessor(message, version).buffer();
            byte[] written = new byte[bytes.remaining()];
            bytes.get(written);
            System.out.println(name + " " + version + " " + HexFormat.of().formatHex(written) + (withValues ? values : ""));
        }
    }

    public static void main(String[] args) throws Exception {
        boolean withValues = args.length > 0;
        for (ApiMessageType api : ApiMessageType.values()) {
            int key = api.apiKey();
            boolean forClients = key <= 3 || (key >= 8 && key <= 51) || key == 55 || key == 57 || (key >= 60 && key <= 61)
                || (key >= 64 && key <= 66) || (key >= 68 && key <= 69) || (key >= 71 && key <= 72) || (key >= 74 && key <= 81) || key >= 88;
            if (!forClients) continue;
            int first = api.lowestSupportedVersion(), last = api.highestSupportedVersion(true);
            for (String side : List.of("Request", "Response"))
                print(api.name + side, "org.apache.kafka.common.message." + api.name + side + "Data", first, last, withValues);
        }
        String clients = "org.apache.kafka.common.message.", groups = "org.apache.kafka.coordinator.group.generated.";
        print("ConsumerProtocolSubscription", clients + "ConsumerProtocolSubscription", 0, 3, withValues);
        print("ConsumerProtocolAssignment", clients + "ConsumerProtocolAssignment", 0, 3, withValues);
        print("OffsetCommitKey", groups + "OffsetCommitKey", 0, 0, withValues);
        print("OffsetCommitValue", groups + "OffsetCommitValue", 0, 4, withValues);
        print("GroupMetadataKey", groups + "GroupMetadataKey", 0, 0, withValues);
        print("GroupMetadataValue", groups + "GroupMetadataValue", 0, 4, withValues);
    }
}
