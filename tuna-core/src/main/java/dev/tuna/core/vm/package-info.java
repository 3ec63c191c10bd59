/**
 * Routers on machines of their own: the program that runs there, and how the host makes, uses and removes such machines and
 * hands deployments over to them.
 */
@NullMarked
package dev.tuna.core.vm;

import org.jspecify.annotations.NullMarked;
