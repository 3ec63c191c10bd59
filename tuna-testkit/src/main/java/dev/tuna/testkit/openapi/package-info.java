/**
 * Checks what went over the wire against a vendor's OpenAPI document. Needs the optional dependency
 * {@code com.networknt:json-schema-validator}.
 *
 * <p>Start at {@link dev.tuna.testkit.openapi.OpenApiDocument}.
 */
@NullMarked
package dev.tuna.testkit.openapi;

import org.jspecify.annotations.NullMarked;
