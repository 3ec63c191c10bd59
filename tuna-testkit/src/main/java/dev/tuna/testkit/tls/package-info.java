/** Backends that no public authority knows. Start at {@link dev.tuna.testkit.tls.TlsFront}. */
@NullMarked
package dev.tuna.testkit.tls;

import org.jspecify.annotations.NullMarked;
