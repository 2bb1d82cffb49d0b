//! Asking a server whether it is ready, in its own language.
//!
//! An open port is not enough: both servers listen before they let anyone in.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long one question may take; the caller asks again.
const PATIENCE: Duration = Duration::from_secs(2);

/// `Some` when PostgreSQL lets `user` in.
///
/// During its start and its repair it answers with an error instead.
pub(crate) async fn postgres(port: u16, user: &str) -> Option<()> {
    let mut body = 196_608_u32.to_be_bytes().to_vec(); // protocol 3.0
    for text in ["user", user, "database", "postgres", ""] {
        body.extend(text.as_bytes());
        body.push(0);
    }
    let length = u32::try_from(body.len() + 4).expect("a short message");
    let question = [length.to_be_bytes().to_vec(), body].concat();
    let answer = ask(port, &question).await?;
    // `R` is the answer about authentication, `E` an error.
    (answer.first() == Some(&b'R')).then_some(())
}

/// The version of a RabbitMQ that answers an AMQP header.
pub(crate) async fn rabbitmq(port: u16) -> Option<String> {
    let answer = ask(port, b"AMQP\x00\x00\x09\x01").await?;
    // A method frame (1) on channel 0, with class 10 and method 10: `connection.start`.
    let is_start = answer.first() == Some(&1) && answer.get(7..11) == Some([0, 10, 0, 10].as_slice());
    is_start.then(|| version(&answer).unwrap_or_else(|| "of an unknown version".to_owned()))
}

/// The field `version` of the server's properties: a name, `S`, a length, a text.
fn version(frame: &[u8]) -> Option<String> {
    let name = b"\x07versionS";
    let at = frame.windows(name.len()).position(|window| window == name)? + name.len();
    let length = u32::from_be_bytes(frame.get(at..at + 4)?.try_into().ok()?);
    let text = frame.get(at + 4..at + 4 + usize::try_from(length).ok()?)?;
    String::from_utf8(text.to_vec()).ok()
}

/// Sends `question` and returns the first piece of the answer.
async fn ask(port: u16, question: &[u8]) -> Option<Vec<u8>> {
    let talk = async {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.write_all(question).await?;
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await?;
        answer.truncate(length);
        std::io::Result::Ok(answer)
    };
    timeout(PATIENCE, talk).await.ok()?.ok()
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn the_version_is_read_from_the_brokers_properties() {
        let frame = b"\x07productS\0\0\0\x08RabbitMQ\x07versionS\0\0\0\x063.10.8\x08platform";
        assert_eq!(version(frame).as_deref(), Some("3.10.8"));
        assert_eq!(version(b"\x07versionS\0\0\0\xffshort"), None);
        assert_eq!(version(b"nothing of the kind"), None);
    }
}
