/**
 * A stand-in for Modal: a {@code modal} executable that says what Modal's command line 1.5.4 says, and web addresses with
 * model servers behind.
 *
 * <p>Start at {@link dev.tuna.testkit.modal.ModalStandIn}.
 */
@NullMarked
package dev.tuna.testkit.modal;

import org.jspecify.annotations.NullMarked;
