/**
 * How other processes on this machine act through the one that controls a state directory: it answers on loopback to whoever
 * can read its token in the directory.
 *
 * <p>Start at {@link dev.tuna.core.remote.ControlServer} and {@link dev.tuna.core.remote.RemoteControlPlane}, which speak in
 * the records of the API ({@link dev.tuna.core.config.Wire}).
 */
@NullMarked
package dev.tuna.core.remote;

import org.jspecify.annotations.NullMarked;
