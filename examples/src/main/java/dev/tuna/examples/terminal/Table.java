package dev.tuna.examples.terminal;

import java.util.ArrayList;
import java.util.List;

/** Text in columns that are as wide as their widest cell. Not thread-safe. */
public final class Table {

    private final List<String> header;
    private final List<List<String>> rows = new ArrayList<>();

    /**
     * An empty table.
     *
     * @param header a title for each column
     */
    public Table(String... header) {
        this.header = List.of(header);
    }

    /**
     * Adds a row.
     *
     * @param cells one for each column
     * @return this
     */
    public Table row(String... cells) {
        if (cells.length != header.size()) {
            throw new IllegalArgumentException(cells.length + " cells for " + header.size() + " columns");
        }
        rows.add(List.of(cells));
        return this;
    }

    /**
     * The table as text, the header first. Columns of figures are flush right.
     *
     * @return one line for each row
     */
    public List<String> lines() {
        var lines = new ArrayList<String>();
        lines.add(line(header));
        rows.forEach(row -> lines.add(line(row)));
        return lines;
    }

    private String line(List<String> cells) {
        var line = new StringBuilder();
        for (int column = 0; column < cells.size(); column++) {
            String cell = cells.get(column);
            String padding = " ".repeat(width(column) - cell.length());
            line.append(column == 0 ? "" : "  ").append(figures(column) ? padding + cell : cell + padding);
        }
        return line.toString().stripTrailing();
    }

    private int width(int column) {
        return Math.max(
                header.get(column).length(),
                rows.stream().mapToInt(row -> row.get(column).length()).max().orElse(0));
    }

    private boolean figures(int column) {
        return !rows.isEmpty()
                && rows.stream().allMatch(row -> row.get(column).matches("|-|unknown|[$~]?[0-9][0-9.,:]*[a-z%]*"));
    }
}
