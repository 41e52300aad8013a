// A client of Northgate with java.net.http. Its default version offers HTTP/2 on every plain
// connection.

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

public class Client {
    // The JDK has no JSON parser. These JSON lines are flat enough for patterns.
    static final Pattern TYPE = Pattern.compile("\"type\":\"([a-z_]+)\"");
    static final Pattern ID = Pattern.compile("\"id\":\"([^\"]+)\"");
    static final Pattern POSITION = Pattern.compile("\"position\":\"([^\"]+)\"");
    static final Pattern OUTCOME = Pattern.compile("\"outcome\":\"([^\"]+)\"");
    static final Pattern RETRY = Pattern.compile("retry_after_ms=(\\d+)");
    static final HttpClient HTTP = HttpClient.newHttpClient();

    static volatile boolean isHalted;
    static volatile String last;
    static int failures;

    static synchronized void tell(String line) {
        System.out.println(line);
        System.out.flush();
    }

    static String find(Pattern pattern, String text) {
        Matcher found = pattern.matcher(text);
        return found.find() ? found.group(1) : null;
    }

    static BodyPublisher asString(String body) {
        return BodyPublishers.ofString(body);
    }

    /** The length of a stream is unknown, so the client sends it in chunks. */
    static BodyPublisher asStream(String body) {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        return BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(bytes));
    }

    static HttpRequest.Builder request(String address) {
        return HttpRequest.newBuilder(URI.create(address)).timeout(Duration.ofSeconds(10));
    }

    static HttpRequest.Builder post(String address, BodyPublisher body) {
        return request(address).header("Content-Type", "application/json").POST(body);
    }

    static HttpResponse<String> send(HttpClient http, HttpRequest request) throws Exception {
        return http.send(request, BodyHandlers.ofString());
    }

    public static void main(String[] arguments) throws Exception {
        String address = arguments[1];
        switch (arguments[0]) {
            case "probe" -> probe(address);
            case "post-string" -> postUntilHalted(address, false);
            case "post-stream" -> postUntilHalted(address, true);
            case "ws" -> sockets(address.replaceFirst("^http", "ws"), arguments[2]);
            case "sse" -> lines(address, arguments[2]);
            default -> throw new IllegalArgumentException(arguments[0]);
        }
        // Threads of the HTTP client would keep the program alive.
        System.exit(failures == 0 ? 0 : 1);
    }

    // Single requests

    interface Asked {
        HttpResponse<String> ask() throws Exception;
    }

    static void check(String name, int status, Asked asked) {
        try {
            HttpResponse<String> answer = asked.ask();
            String connection = String.join(",", answer.headers().allValues("connection"));
            String why = null;
            if (answer.statusCode() != status) {
                why = "the status is " + answer.statusCode() + " instead of " + status + ": " + answer.body();
            } else if (answer.version() != HttpClient.Version.HTTP_1_1) {
                why = "the version is " + answer.version();
            } else if (connection.toLowerCase().contains("upgrade")) {
                why = "the answer has connection: " + connection;
            }
            report(name, why);
        } catch (Exception error) {
            report(name, error.toString());
        }
    }

    static void report(String name, String why) {
        if (why != null) {
            failures++;
        }
        tell(why == null ? "ok java: " + name : "FAILED java: " + name + ": " + why.replace('\n', ' '));
    }

    static void probe(String address) {
        String alert = "{\"message\": \"from Java\", \"location\": \"interop\"}";
        String alerts = address + "/alerts";
        // A new client opens a new connection. Its second request reuses the connection.
        for (String time : new String[] {"first", "second"}) {
            check("GET, " + time + " request of a connection", 200, () -> send(HTTP, request(alerts).build()));
        }
        HttpClient strings = HttpClient.newHttpClient();
        HttpClient streams = HttpClient.newHttpClient();
        HttpClient large = HttpClient.newHttpClient();
        for (String time : new String[] {"first", "second"}) {
            check("POST of a string, " + time + " request of a connection", 200,
                () -> send(strings, post(alerts, asString(alert)).build()));
            check("POST of a stream in chunks, " + time + " request of a connection", 200,
                () -> send(streams, post(alerts, asStream(alert)).build()));
        }
        String padded = alert.replace("}", ", \"pad\": \"" + "x".repeat(60_000) + "\"}");
        check("POST of a stream of 60 KB", 200, () -> send(large, post(alerts, asStream(padded)).build()));
        check("POST of a stream with Expect: 100-continue", 200,
            () -> send(HttpClient.newHttpClient(), post(alerts, asStream(alert)).expectContinue(true).build()));
        check("POST of an empty object as a string", 422,
            () -> send(HttpClient.newHttpClient(), post(alerts, asString("{}")).build()));
        check("POST of an empty object as a stream", 422,
            () -> send(HttpClient.newHttpClient(), post(alerts, asStream("{}")).build()));
        check("HEAD", 200,
            () -> send(HTTP, request(alerts).method("HEAD", BodyPublishers.noBody()).build()));
    }

    // Posting

    static void haltAtEndOfInput() {
        Thread listener = new Thread(() -> {
            try {
                while (System.in.read() >= 0) {
                    // Ignore the input and wait for its end.
                }
            } catch (IOException error) {
                // An error also counts as the end.
            }
            isHalted = true;
        });
        listener.setDaemon(true);
        listener.start();
    }

    static void postUntilHalted(String address, boolean isStream) throws Exception {
        haltAtEndOfInput();
        tell("ready");
        for (int number = 0; !isHalted && number < 2000; number++) {
            String body = "{\"message\": \"java " + isStream + " " + number + "\", \"location\": \"interop\"}";
            String key = UUID.randomUUID().toString();
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
            while (true) {
                if (System.nanoTime() > deadline) {
                    tell("error no 2xx for alert " + number + " within 20 s");
                    return;
                }
                try {
                    BodyPublisher publisher = isStream ? asStream(body) : asString(body);
                    HttpRequest request = post(address + "/alerts", publisher).header("Idempotency-Key", key).build();
                    HttpResponse<String> answer = send(HTTP, request);
                    if (answer.statusCode() == 200) {
                        tell("acked " + find(ID, answer.body()));
                        break;
                    }
                    tell("answer " + answer.statusCode());
                    if (answer.statusCode() != 503) {
                        tell("error alert " + number + " was answered " + answer.statusCode() + ": " + answer.body());
                        return;
                    }
                } catch (IOException error) {
                    tell("answer " + error.getClass().getSimpleName());
                }
                Thread.sleep(20);
            }
            Thread.sleep(20);
        }
    }

    // Streaming

    /** Reports one event on standard output. Returns true if it is the last event. */
    static boolean take(String event) {
        String type = find(TYPE, event);
        String position = find(POSITION, event);
        if ("resume".equals(type)) {
            if (!"complete".equals(find(OUTCOME, event))) {
                tell("error the server reported a gap, but no event is missing: " + event);
            }
            tell("ready");
        } else if ("alert".equals(type)) {
            tell("event " + find(ID, event) + " " + position);
        }
        if (position != null) {
            last = position;
        }
        return event.contains("\"message\":\"the end\"");
    }

    static void lines(String address, String after) throws Exception {
        last = after;
        while (true) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(address + "/events?types=alert&after=" + last))
                .header("Accept", "text/event-stream").build();
            try {
                HttpResponse<InputStream> answer = HTTP.send(request, BodyHandlers.ofInputStream());
                if (answer.statusCode() != 200) {
                    tell("error /events was answered " + answer.statusCode());
                    return;
                }
                try (BufferedReader reader = new BufferedReader(
                        new InputStreamReader(answer.body(), StandardCharsets.UTF_8))) {
                    String data = null;
                    for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                        if (line.startsWith("data: ")) {
                            data = line.substring(6);
                        } else if (line.isEmpty() && data != null) {
                            if (take(data)) {
                                return;
                            }
                            data = null;
                        }
                    }
                }
            } catch (IOException error) {
                tell("answer " + error.getClass().getSimpleName());
            }
            Thread.sleep(20);
        }
    }

    /** One connection. `ended` completes with the milliseconds before a reconnect, or with -1 after the last event. */
    static class Listener implements WebSocket.Listener {
        final CompletableFuture<Long> ended = new CompletableFuture<>();
        final StringBuilder message = new StringBuilder();

        @Override
        public CompletionStage<?> onText(WebSocket socket, CharSequence part, boolean isWhole) {
            message.append(part);
            if (isWhole) {
                boolean isLast = take(message.toString());
                message.setLength(0);
                if (isLast) {
                    ended.complete(-1L);
                    socket.abort();
                    return null;
                }
            }
            socket.request(1);
            return null;
        }

        @Override
        public CompletionStage<?> onClose(WebSocket socket, int code, String reason) {
            String wait = find(RETRY, reason);
            // java.net.http reports a broken connection as 1006.
            if (code != 1006 && (code != 1001 || wait == null)) {
                tell("error closed with " + code + " " + reason);
            }
            ended.complete(wait == null ? 20L : Math.min(Long.parseLong(wait), 5000L));
            return null;
        }

        @Override
        public void onError(WebSocket socket, Throwable error) {
            tell("answer " + error.getClass().getSimpleName());
            ended.complete(20L);
        }
    }

    static void sockets(String address, String after) throws Exception {
        last = after;
        while (true) {
            long wait = 20;
            Listener listener = new Listener();
            URI uri = URI.create(address + "/ws?types=alert&after=" + last);
            try {
                HTTP.newWebSocketBuilder().buildAsync(uri, listener).join();
                wait = listener.ended.join();
            } catch (CompletionException error) {
                tell("answer " + error.getCause().getClass().getSimpleName());
            }
            if (wait < 0) {
                return;
            }
            Thread.sleep(wait);
        }
    }
}
