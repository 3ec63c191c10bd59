package dev.tuna.core.config;

import dev.tuna.api.ConfigurationException;
import dev.tuna.api.ErrorCode;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Optional;
import java.util.Set;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.reader.ReaderException;

/**
 * YAML as a tree of nodes that know their lines. Nothing is constructed from tags and no alias is expanded, so a hostile
 * document costs no more than its size, which is bounded. Pure but for the reading of files.
 */
final class YamlText {

    /** Far above any file written by hand. */
    static final int MOST_BYTES = 256 * 1024;

    private YamlText() {}

    /**
     * The content of a file.
     *
     * @param subject what the file is, for the error
     * @throws ConfigurationException naming the file and what keeps it from being read
     */
    static String read(Path file, String subject) {
        try (InputStream content = Files.newInputStream(file)) {
            byte[] bytes = content.readNBytes(MOST_BYTES + 1);
            if (bytes.length > MOST_BYTES) {
                throw new IOException("longer than " + MOST_BYTES + " bytes; is it the right file?");
            }
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw unreadable(file, subject, "is not UTF-8 text; save it in that encoding", e);
        } catch (NoSuchFileException e) {
            throw unreadable(file, subject, "does not exist; give the path of a YAML file", e);
        } catch (AccessDeniedException e) {
            throw unreadable(file, subject, "cannot be read: permission denied; make it readable for this user", e);
        } catch (IOException e) {
            throw unreadable(file, subject, "cannot be read: " + e.getMessage(), e);
        }
    }

    /**
     * The only document of a text.
     *
     * @param problems where everything that is wrong is added; nothing is returned then
     * @return the root; empty if the text holds nothing but comments and blanks
     */
    static Optional<Node> parse(String text, FileProblems problems) {
        if (text.length() > MOST_BYTES) {
            problems.add("longer than " + MOST_BYTES + " characters; is it the right text?");
            return Optional.empty();
        }
        try {
            Iterator<Node> documents = new Yaml(new SafeConstructor(new LoaderOptions()))
                    .composeAll(new StringReader(text))
                    .iterator();
            Optional<Node> first = documents.hasNext() ? Optional.of(documents.next()) : Optional.empty();
            if (documents.hasNext()) {
                problems.add(line(documents.next()), "a second document begins here; keep one and remove the '---'");
                return Optional.empty();
            }
            return first.filter(root -> !root.getTag().equals(Tag.NULL));
        } catch (MarkedYAMLException e) {
            int line = e.getProblemMark() == null ? 1 : e.getProblemMark().getLine() + 1;
            problems.add(line, "not valid YAML: " + e.getProblem());
        } catch (ReaderException e) {
            long before = text.codePoints()
                    .limit(e.getPosition())
                    .filter(character -> character == '\n')
                    .count();
            problems.add(
                    (int) before + 1,
                    "character U+%04X is not allowed in YAML; is the file UTF-8 text?".formatted(e.getCodePoint()));
        } catch (YAMLException e) {
            problems.add("not valid YAML: " + e.getMessage());
        }
        return Optional.empty();
    }

    /** A node that is one value; empty for lists, mappings, nothing, truth values and dates. */
    static Optional<ScalarNode> scalar(Node node) {
        boolean isText = Set.of(Tag.STR, Tag.INT, Tag.FLOAT).contains(node.getTag());
        return isText && node instanceof ScalarNode scalar ? Optional.of(scalar) : Optional.empty();
    }

    static int line(Node node) {
        return node.getStartMark().getLine() + 1;
    }

    private static ConfigurationException unreadable(Path file, String subject, String why, IOException cause) {
        return new ConfigurationException(ErrorCode.INVALID_REQUEST, subject + " " + file + " " + why, cause);
    }
}
