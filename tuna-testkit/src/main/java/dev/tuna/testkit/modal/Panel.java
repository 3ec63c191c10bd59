package dev.tuna.testkit.modal;

/** The frames in which Modal's command line says what went wrong. Pure. */
final class Panel {

    private Panel() {}

    static String error(String message) {
        return of("Error", message);
    }

    static String of(String title, String message) {
        String[] lines = message.split("\n");
        int width = title.length() + 4;
        for (String line : lines) {
            width = Math.max(width, line.length() + 2);
        }
        StringBuilder panel = new StringBuilder();
        panel.append("\u256d\u2500 ").append(title).append(' ');
        panel.append("\u2500".repeat(width - title.length() - 3)).append("\u256e\n");
        for (String line : lines) {
            panel.append("\u2502 ").append(line);
            panel.append(" ".repeat(width - line.length() - 1)).append("\u2502\n");
        }
        return panel.append('\u2570')
                .append("\u2500".repeat(width))
                .append("\u256f\n")
                .toString();
    }
}
