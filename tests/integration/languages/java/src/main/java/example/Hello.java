package example;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import java.util.Map;

public class Hello implements RequestHandler<Map<String, Object>, Map<String, String>> {
    static {
        if ("init".equals(System.getenv("FAIL"))) {
            throw new IllegalStateException("no start");
        }
    }

    @Override
    public Map<String, String> handleRequest(Map<String, Object> event, Context context) {
        switch (String.valueOf(event.get("do"))) {
            case "fail" -> throw new IllegalStateException("on purpose");
            case "exit" -> System.exit(3);
            case "hang" -> sleep();
            default -> { }
        }
        return Map.of("message", "Hello, " + event.getOrDefault("name", "World"));
    }

    private static void sleep() {
        try {
            Thread.sleep(30_000);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
