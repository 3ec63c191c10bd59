package dev.tuna.core.crash;

import dev.tuna.api.DeployRequest;
import dev.tuna.api.ScalingPolicy;
import java.time.Duration;

/** What a controller is in the middle of when it is killed, and what must have come of it in the end. */
enum Scenario {
    /** A model is deployed. */
    DEPLOY(1, 1) {
        @Override
        void prepare(Case it) {}

        @Override
        void begin(Case it) {
            it.deploy();
        }

        @Override
        void goOn(Case it) {
            // Whoever deploys has had no answer, so asks again if nothing is there.
            if (it.phase().equals("NONE")) {
                it.deploy();
            }
        }
    },

    /** Two requests are held where one is as many as a replica should work on. */
    SCALE_UP(2, 2) {
        @Override
        void begin(Case it) {
            it.comeClients(2);
        }
    },

    /** Both clients leave. */
    SCALE_DOWN(1, 2) {
        @Override
        void prepare(Case it) {
            super.prepare(it);
            it.comeClients(2);
            it.untilServing(2);
        }

        @Override
        void begin(Case it) {
            it.leaveClients();
        }

        @Override
        Duration downscaleDelay() {
            return Duration.ofMillis(300);
        }
    },

    /** The only replica is given notice. */
    NOTICE(1, 2) {
        @Override
        void begin(Case it) {
            it.interrupt(Duration.ofSeconds(6));
        }

        @Override
        boolean isDone(Case it) {
            return super.isDone(it) && it.victimIsGone();
        }
    },

    /** The only replica is lost without notice. */
    LOSS(1, 2) {
        @Override
        void begin(Case it) {
            it.lose();
        }
    },

    /** The only replica is lost while no controller is there; one starts on what another one left. */
    TAKEOVER(1, 2) {
        @Override
        void prepare(Case it) {
            super.prepare(it);
            it.loseUnseen();
        }

        @Override
        void begin(Case it) {
            it.takeOver();
        }
    },

    /** The deployment rolls over to another context length. */
    REDEPLOY(1, 2) {
        @Override
        void begin(Case it) {
            it.redeploy();
        }

        @Override
        void goOn(Case it) {
            // Whoever asked has had no answer, so asks again; what has been heard changes nothing any more.
            it.redeploy();
        }

        @Override
        boolean isDone(Case it) {
            return super.isDone(it) && it.contextLength() == changed().maxModelLen();
        }
    },

    /** The deployment is destroyed. */
    DESTROY(0, 1) {
        @Override
        void begin(Case it) {
            it.destroy();
        }

        @Override
        void goOn(Case it) {
            if (it.phase().equals("ACTIVE")) {
                it.destroy();
            }
        }

        @Override
        boolean isDone(Case it) {
            return it.phase().equals("NONE");
        }
    };

    static final String MODEL = "Qwen/Qwen3-0.6B";

    private final int wanted;
    private final int launches;

    Scenario(int wanted, int launches) {
        this.wanted = wanted;
        this.launches = launches;
    }

    /** Replicas in the end. */
    int wanted() {
        return wanted;
    }

    /** Replicas that are ever rented, from the first deploy on: each one more was for nothing. */
    int launches() {
        return launches;
    }

    /** Brings everything to where the scenario begins: by default, to a deployment that serves from one replica. */
    void prepare(Case it) {
        it.deploy();
        it.untilServing(1);
    }

    /** Begins it; the controller may be killed from here on. */
    abstract void begin(Case it);

    /** What users do when they find another controller in the place of the one that was killed. */
    void goOn(Case it) {}

    /** Whether everything is as it must be. */
    boolean isDone(Case it) {
        return it.serves(wanted);
    }

    /** What it is changed to. */
    DeployRequest changed() {
        return request().toBuilder().maxModelLen(2048).build();
    }

    /** Longer than clients need to find the next controller, unless this is about it. */
    Duration downscaleDelay() {
        return Duration.ofSeconds(30);
    }

    /** What is deployed: at once as many replicas as there are requests in flight, but never none. */
    DeployRequest request() {
        return DeployRequest.builder(MODEL, "L4")
                .serviceName("chat")
                .scaling(new ScalingPolicy(
                        ScalingPolicy.Spot.builder()
                                .minReplicas(1)
                                .maxReplicas(3)
                                .upscaleDelay(Duration.ofMillis(100))
                                .downscaleDelay(downscaleDelay())
                                .build(),
                        ScalingPolicy.Serverless.builder()
                                .concurrency(1)
                                .scaledownWindow(Duration.ofMillis(300))
                                .build()))
                .build();
    }
}
