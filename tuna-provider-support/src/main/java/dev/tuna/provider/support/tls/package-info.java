/**
 * Certificates for machines that no public authority knows: an authority of one's own, kept as a secret. Start at {@link
 * dev.tuna.provider.support.tls.CertificateAuthority}.
 */
@NullMarked
package dev.tuna.provider.support.tls;

import org.jspecify.annotations.NullMarked;
