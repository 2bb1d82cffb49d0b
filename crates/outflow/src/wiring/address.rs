//! Addresses of servers as errors name them: without user and password.

use reqwest::Url;

/// What an error of the database is about.
pub(super) fn database(url: &str) -> String {
    format!("connecting to the database at {}", server(url, 5432))
}

/// What an error of the broker is about, with what mistakes of its address look like.
pub(super) fn broker(url: &str) -> String {
    let plain = url.starts_with("amqp://");
    let server = server(url, if plain { 5672 } else { 5671 });
    // A port that speaks TLS ends a plain connection without a word.
    let tls =
        if plain { "without TLS (if it speaks TLS, its address begins with amqps://)" } else { "with TLS" };
    // Other clients take this for the usual one.
    let nameless = Url::parse(url).is_ok_and(|it| it.path() == "/");
    let host = if nameless {
        "; its path names a virtual host without a name, and the usual one is /%2f"
    } else {
        ""
    };
    format!("connecting to the broker at {server}, {tls}{host}")
}

/// Host and port.
fn server(url: &str, usual_port: u16) -> String {
    let url = Url::parse(url).ok();
    let host = url.as_ref().and_then(Url::host_str).filter(|it| !it.is_empty());
    let port = url.as_ref().and_then(Url::port).unwrap_or(usual_port);
    // A socket's folder stands in the query.
    host.map_or_else(|| "the address of the settings".to_owned(), |it| format!("{it}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::{broker, database};

    #[test]
    fn an_address_is_told_without_its_password() {
        for (url, told) in [
            ("postgres://outflow:k4-Zq@db.internal/outflow", "db.internal:5432"),
            ("postgres://outflow:k4-Zq@[::1]:6432/outflow?sslmode=require", "[::1]:6432"),
            ("postgres:///outflow?host=/run/postgresql&password=k4-Zq", "the address of the settings"),
            ("no address k4-Zq", "the address of the settings"),
        ] {
            assert_eq!(database(url), format!("connecting to the database at {told}"));
        }
    }

    #[test]
    fn what_is_often_wrong_with_a_brokers_address_is_told_with_it() {
        for (url, at, tls, nameless) in [
            ("amqp://outflow:k4-Zq@mq.internal/outflow", "mq.internal:5672", "if it speaks TLS", false),
            ("amqp://outflow:k4-Zq@127.0.0.1:1/", "127.0.0.1:1", "if it speaks TLS", true),
            ("amqp://outflow:k4-Zq@127.0.0.1:1/%2f", "127.0.0.1:1", "if it speaks TLS", false),
            ("amqp://outflow:k4-Zq@127.0.0.1:1", "127.0.0.1:1", "if it speaks TLS", false),
            ("amqps://outflow:k4-Zq@mq.internal/outflow", "mq.internal:5671", "with TLS", false),
        ] {
            let said = broker(url);
            assert!(said.contains(at) && said.contains(tls) && !said.contains("k4-Zq"), "{said}");
            assert_eq!(said.contains("/%2f"), nameless, "{said}");
        }
    }
}
