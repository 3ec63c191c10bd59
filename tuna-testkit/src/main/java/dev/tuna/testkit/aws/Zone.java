package dev.tuna.testkit.aws;

/**
 * An availability zone with its default subnet.
 *
 * @param name for instance {@code us-east-1a}
 * @param id for instance {@code use1-az6}, which is the same zone in every account while names are not
 * @param subnet id of the subnet
 * @param network first two numbers of its addresses, for instance {@code 127.16}
 * @param block third number of its addresses, a multiple of 16
 */
record Zone(String name, String id, String subnet, String network, int block) {

    /** How many addresses a /20 has, less those that AWS keeps. */
    static final int ADDRESSES = 4091;

    String cidr() {
        return network + "." + block + ".0/20";
    }

    /** The nth address that can be given away, from 0. */
    String address(int n) {
        int host = n + 4;
        return network + "." + (block + host / 256) + "." + host % 256;
    }
}
