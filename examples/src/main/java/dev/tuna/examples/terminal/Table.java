package dev.tuna.examples.terminal;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Text in columns that are as wide as their widest cell, or comma-separated. Not thread-safe. */
public final class Table {

    private static final String FIGURE = "|-|unknown|[$~]?-?[0-9][0-9.,:]*[a-z%]*(/h)?\\*?";

    /** A figure is none, nor is the mark of what is not there. */
    private static final String FORMULA = "(?s)(?!-?[0-9.]+$|-$)[=+@\\-\t\r].*";

    private final List<String> header;
    private final List<List<String>> rows = new ArrayList<>();

    /**
     * An empty table.
     *
     * @param header a title for each column
     */
    public Table(String... header) {
        this(List.of(header));
    }

    /**
     * An empty table.
     *
     * @param header a title for each column
     */
    public Table(List<String> header) {
        this.header = List.copyOf(header);
    }

    /**
     * Adds a row.
     *
     * @param cells one for each column
     * @return this
     */
    public Table row(String... cells) {
        return row(List.of(cells));
    }

    /**
     * Adds a row.
     *
     * @param cells one for each column
     * @return this
     */
    public Table row(List<String> cells) {
        if (cells.size() != header.size()) {
            throw new IllegalArgumentException(cells.size() + " cells for " + header.size() + " columns");
        }
        rows.add(List.copyOf(cells));
        return this;
    }

    /**
     * Whether there is nothing but a header.
     *
     * @return true without rows
     */
    public boolean isEmpty() {
        return rows.isEmpty();
    }

    /**
     * The table as text, the header first. Columns of figures are flush right. In cells what a terminal would obey is
     * replaced, and a line break is a blank.
     *
     * @return one line for each row
     */
    public List<String> lines() {
        var lines = new ArrayList<String>();
        lines.add(line(header));
        rows.forEach(row -> lines.add(line(row)));
        return lines;
    }

    /**
     * The table as comma-separated values (RFC 4180): the header in small letters with underscores, quotes where needed. A
     * cell that a spreadsheet would take for a formula has an apostrophe in front.
     *
     * @return one line for each row; a cell with a line break has one in its line
     */
    public List<String> csv() {
        var lines = new ArrayList<String>();
        lines.add(csv(header.stream()
                .map(title -> title.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "_"))
                .toList()));
        rows.forEach(row -> lines.add(csv(row)));
        return lines;
    }

    private static String csv(List<String> cells) {
        return String.join(",", cells.stream().map(Table::quoted).toList());
    }

    private static String quoted(String cell) {
        String guarded = cell.matches(FORMULA) ? "'" + cell : cell;
        return guarded.matches("(?s).*[\",\\p{Cntrl}].*") ? "\"" + guarded.replace("\"", "\"\"") + "\"" : guarded;
    }

    private String line(List<String> cells) {
        var line = new StringBuilder();
        for (int column = 0; column < cells.size(); column++) {
            String cell = Printable.line(cells.get(column));
            String padding = " ".repeat(width(column) - cell.length());
            line.append(column == 0 ? "" : "  ").append(figures(column) ? padding + cell : cell + padding);
        }
        return line.toString().stripTrailing();
    }

    private int width(int column) {
        return Math.max(
                header.get(column).length(),
                rows.stream()
                        .mapToInt(row -> Printable.line(row.get(column)).length())
                        .max()
                        .orElse(0));
    }

    private boolean figures(int column) {
        return !rows.isEmpty() && rows.stream().allMatch(row -> row.get(column).matches(FIGURE));
    }
}
