package dev.tuna.examples.architecture.planted.core.two;

final class ExitsAsAProgram {

    private ExitsAsAProgram() {}

    public static void main(String[] args) {
        System.exit(args.length);
    }
}
