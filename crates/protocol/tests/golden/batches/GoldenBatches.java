import java.io.*; import java.nio.*; import java.nio.file.*; import java.util.*;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.*;
import org.apache.kafka.common.record.internal.*;

/** Writes the java-*.bin files beside it, with kafka-clients 4.3.1 and its codecs on the class path:
 *  java -cp 'lib/*' GoldenBatches.java FOLDER */
public class GoldenBatches {
    static byte[] value(int i) { return ("value-" + i + "-" + "0123456789".repeat(i % 30)).getBytes(); }
    static void fill(MemoryRecordsBuilder b) {
        for (int i = 0; i < 300; i++) {
            byte[] key = i % 5 == 0 ? null : ("key-" + i % 11).getBytes();
            byte[] value = i % 7 == 3 ? null : value(i);
            Header[] headers = new Header[i % 3];
            for (int h = 0; h < headers.length; h++)
                headers[h] = new RecordHeader("h" + h, h == 1 ? null : new byte[] {(byte) i});
            b.append(1_700_000_000_000L + 37L * i - 1000L * (i % 4), key, value, headers);
        }
    }
    static void write(Path out, String name, MemoryRecords r) throws IOException {
        ByteBuffer b = r.buffer().duplicate(); byte[] bytes = new byte[b.remaining()]; b.get(bytes);
        Files.write(out.resolve(name), bytes);
    }
    public static void main(String[] args) throws IOException {
        Path out = Path.of(args[0]);
        for (CompressionType type : CompressionType.values()) {
            MemoryRecordsBuilder b = MemoryRecords.builder(ByteBuffer.allocate(1 << 20), (byte) 2,
                Compression.of(type).build(), TimestampType.CREATE_TIME, 0L, -1L, 7001L, (short) 3, 42, true, 5);
            fill(b);
            write(out, "java-" + type.name + ".bin", b.build());
        }
        write(out, "java-commit-marker.bin", MemoryRecords.withEndTransactionMarker(900L, 1_700_000_000_123L, 5,
            7001L, (short) 3, new EndTransactionMarker(ControlRecordType.COMMIT, 17)));
        MemoryRecordsBuilder b = MemoryRecords.builder(ByteBuffer.allocate(1 << 20), (byte) 2,
            Compression.NONE, TimestampType.LOG_APPEND_TIME, 1000L, 1_800_000_000_000L, -1L, (short) -1, -1, false, 6);
        for (int i = 0; i < 3; i++) b.append(1_700_000_000_000L + i, null, value(i));
        write(out, "java-log-append-time.bin", b.build());
    }
}
