/** The program on a router's machine; how hosts make such machines is in {@code dev.tuna.core.machine}. */
@NullMarked
package dev.tuna.core.vm;

import org.jspecify.annotations.NullMarked;
