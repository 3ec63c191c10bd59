package dev.tuna.examples;

import dev.tuna.examples.command.Interrupts;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;

/**
 * Ctrl-C by way of {@code sun.misc.Signal}, which every usual JVM has (module {@code jdk.unsupported}) and no compiler likes to
 * see. Where there is none Ctrl-C ends the process, as ever.
 */
final class SignalInterrupts implements Interrupts {

    private static final String SIGNAL = "INT";

    @Override
    public Asking instead(Runnable action) {
        try {
            Object before = handle(handler(action));
            return () -> restore(before);
        } catch (ReflectiveOperationException | RuntimeException e) {
            return () -> {};
        }
    }

    private static void restore(Object before) {
        try {
            Object unused = handle(before);
        } catch (ReflectiveOperationException | RuntimeException e) {
            // Then the next Ctrl-C asks for what nobody waits for any more; SIGTERM still ends the process.
            return;
        }
    }

    private static Object handler(Runnable action) throws ReflectiveOperationException {
        Class<?> type = Class.forName("sun.misc.SignalHandler");
        InvocationHandler run = (proxy, method, arguments) -> {
            if (method.getName().equals("handle")) {
                action.run();
                return null;
            }
            return method.getName().equals("equals")
                    ? (Object) (proxy == arguments[0])
                    : method.getName().equals("hashCode") ? (Object) System.identityHashCode(proxy) : SIGNAL;
        };
        return Proxy.newProxyInstance(SignalInterrupts.class.getClassLoader(), new Class<?>[] {type}, run);
    }

    private static Object handle(Object handler) throws ReflectiveOperationException {
        Class<?> signal = Class.forName("sun.misc.Signal");
        Class<?> type = Class.forName("sun.misc.SignalHandler");
        return signal.getMethod("handle", signal, type)
                .invoke(null, signal.getConstructor(String.class).newInstance(SIGNAL), handler);
    }
}
