package dev.tuna.core.replay;

/** Rents nothing: containers carry everything. */
final class AllServerless extends RoutedPolicy {

    @Override
    public String name() {
        return "all serverless";
    }

    @Override
    public void tick(World world) {}
}
