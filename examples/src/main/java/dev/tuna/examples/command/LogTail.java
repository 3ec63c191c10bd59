package dev.tuna.examples.command;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** The end of a log, however long that is. */
final class LogTail {

    private static final long MOST_BYTES = 4L << 20;

    private LogTail() {}

    /**
     * Reads from the end.
     *
     * @param log the file
     * @param from nothing before this byte
     * @param most lines at the most
     * @return its last lines that are not blank, oldest first
     */
    static List<String> lines(Path log, long from, int most) throws IOException {
        try (FileChannel channel = FileChannel.open(log)) {
            long size = channel.size();
            long begin = Math.max(Math.min(from, size), size - MOST_BYTES);
            var bytes = ByteBuffer.allocate((int) (size - begin));
            int read = 1;
            while (bytes.hasRemaining() && read > 0) {
                read = channel.read(bytes, begin + bytes.position());
            }
            List<String> lines = new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8)
                    .lines()
                    .skip(begin > from ? 1 : 0) // cut in the middle
                    .filter(line -> !line.isBlank())
                    .toList();
            return lines.subList(Math.max(0, lines.size() - most), lines.size());
        }
    }
}
