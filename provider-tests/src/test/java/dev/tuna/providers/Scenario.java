package dev.tuna.providers;

import dev.tuna.api.DeployRequest;
import dev.tuna.api.ScalingPolicy;
import dev.tuna.api.SecretRef;
import java.time.Duration;
import java.util.Map;

/** What a controller is in the middle of when it is killed, and what must have come of it in the end. */
enum Scenario {
    /** A model is deployed, on serverless alone, or on one machine with serverless beside it. */
    DEPLOY(1) {
        @Override
        void prepare(VendorCase it) {}

        @Override
        void begin(VendorCase it) {
            it.deploy();
        }

        @Override
        void goOn(VendorCase it) {
            // Whoever deploys has had no answer, so asks again if nothing is there.
            if (it.phase().equals("NONE")) {
                it.deploy();
            }
        }
    },

    /** The deployment rolls over to another context length. */
    REDEPLOY(1) {
        @Override
        void begin(VendorCase it) {
            it.redeploy();
        }

        @Override
        void goOn(VendorCase it) {
            // What has been heard changes nothing any more.
            it.redeploy();
        }

        @Override
        boolean isDone(VendorCase it) {
            return super.isDone(it) && it.contextLength() == CHANGED;
        }
    },

    /** The only machine is given notice. */
    NOTICE(1) {
        @Override
        boolean fits(String vendor) {
            return rents(vendor);
        }

        @Override
        void begin(VendorCase it) {
            it.interrupt(NOTICE_TIME);
        }

        @Override
        void goOn(VendorCase it) {}

        @Override
        boolean isDone(VendorCase it) {
            // In this order: what is on its way out may be counted still while the controller knows nothing of it.
            return it.victimIsGone() && super.isDone(it);
        }
    },

    /** The only machine is taken without notice. */
    LOSS(1) {
        @Override
        boolean fits(String vendor) {
            return rents(vendor);
        }

        @Override
        void begin(VendorCase it) {
            it.lose();
        }

        @Override
        void goOn(VendorCase it) {}

        @Override
        boolean isDone(VendorCase it) {
            // In this order: what is on its way out may be counted still while the controller knows nothing of it.
            return it.victimIsGone() && super.isDone(it);
        }
    },

    /** The deployment is destroyed. */
    DESTROY(0) {
        @Override
        void begin(VendorCase it) {
            it.destroy();
        }

        @Override
        void goOn(VendorCase it) {
            if (it.phase().equals("ACTIVE")) {
                it.destroy();
            }
        }

        @Override
        boolean isDone(VendorCase it) {
            return it.phase().equals("NONE");
        }
    };

    static final String NAME = "chat";
    static final String MODEL = "Qwen/Qwen3-0.6B";
    private static final int CHANGED = 2048;
    private static final ScalingPolicy ONE_MACHINE = new ScalingPolicy(
            ScalingPolicy.Spot.builder().minReplicas(1).maxReplicas(2).build(),
            ScalingPolicy.Serverless.builder().build());
    private static final Duration NOTICE_TIME = Duration.ofSeconds(20);

    private final int wanted;

    Scenario(int wanted) {
        this.wanted = wanted;
    }

    private static boolean rents(String vendor) {
        return vendor.equals("aws");
    }

    /** Whether it can happen at a vendor. */
    boolean fits(String vendor) {
        return true;
    }

    /** Endpoints, or machines, in the end. */
    int wanted() {
        return wanted;
    }

    /** Brings everything to where the scenario begins: by default, to a deployment that serves. */
    void prepare(VendorCase it) {
        it.deploy();
        it.untilServing();
    }

    /** Begins it; the controller may be killed from here on. */
    abstract void begin(VendorCase it);

    /** What users do when they find another controller in the place of the one that was killed. */
    abstract void goOn(VendorCase it);

    /** Whether everything is as it must be. */
    boolean isDone(VendorCase it) {
        return it.serves();
    }

    static DeployRequest request(String vendor) {
        DeployRequest.Builder request = DeployRequest.builder(MODEL, "L4")
                .serviceName(NAME)
                .secrets(Map.of("HF_TOKEN", new SecretRef("hf-token")));
        return rents(vendor)
                ? request.serverlessProviders("runpod")
                        .spotCloud(vendor)
                        .spotRegions("us-east-1")
                        .scaling(ONE_MACHINE)
                        .build()
                : request.serverlessOnly(true).serverlessProviders(vendor).build();
    }

    static DeployRequest changed(String vendor) {
        return request(vendor).toBuilder().maxModelLen(CHANGED).build();
    }
}
