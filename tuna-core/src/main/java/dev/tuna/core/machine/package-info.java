/**
 * The machines on which deployments outlive their host: made, used and removed, with deployments handed over to them and taken
 * back. What runs there is {@code dev.tuna.core.vm}.
 */
@NullMarked
package dev.tuna.core.machine;

import org.jspecify.annotations.NullMarked;
