/** Pages of the documentation that must agree with the code. */
package dev.tuna.examples.docs;
