/**
 * Going on with a broken stream on another backend: what may be continued, what is recorded for it, what the next backend
 * is asked, and how its stream is joined to the one before. Pure but for what is recorded; nothing here opens a channel.
 *
 * <p>In the order of use: {@link dev.tuna.router.stream.StreamRequest} decides whether a request can be continued,
 * {@link dev.tuna.router.stream.TokenRecorder} writes down its tokens as they pass,
 * {@link dev.tuna.router.stream.ResumeRequest} asks another backend to go on by one of the
 * {@linkplain dev.tuna.router.stream.Method methods}, and {@link dev.tuna.router.stream.SeamFilter} makes one stream of two.
 */
@NullMarked
package dev.tuna.router.stream;

import org.jspecify.annotations.NullMarked;
