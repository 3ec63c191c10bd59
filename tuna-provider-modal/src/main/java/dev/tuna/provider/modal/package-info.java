/**
 * Serverless endpoints on Modal, through its own command line, the only way in that Modal supports.
 *
 * <p>Start at {@link dev.tuna.provider.modal.ModalProvider}; {@code docs/providers/modal.md} is for users.
 */
@NullMarked
package dev.tuna.provider.modal;

import org.jspecify.annotations.NullMarked;
