/** Main programs and what they share: the OpenAI client, the load that many clients make, listen addresses. */
@NullMarked
package dev.tuna.examples;

import org.jspecify.annotations.NullMarked;
