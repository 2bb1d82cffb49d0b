//! Where a frame ends on three wires, and which frames decide something.

use tokio::net::tcp::OwnedReadHalf;

use super::read_some;

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// PostgreSQL's protocol, version 3, without TLS.
    Postgres,
    /// AMQP 0-9-1.
    Amqp,
    /// HTTP/1.1: whatever arrives together counts as a frame.
    Http,
}

/// AMQP's class `basic`, and its methods `publish` and `ack`.
const BASIC: u16 = 60;
const PUBLISH: u16 = 40;
const ACK: u16 = 80;

/// The code of PostgreSQL's request for TLS, which has no letter in front either.
const TLS_ASKED: &[u8] = &[0x04, 0xd2, 0x16, 0x2f];

/// The frames of a client.
pub(super) struct Frames {
    wire: Wire,
    buffer: Vec<u8>,
    /// The first frame has a form of its own on both binary wires.
    first: bool,
}

impl Frames {
    pub(super) fn of(wire: Wire) -> Self {
        Self { wire, buffer: Vec::new(), first: true }
    }

    /// The next frame; nothing when the client has gone.
    pub(super) async fn next(&mut self, from: &mut OwnedReadHalf) -> Option<Vec<u8>> {
        loop {
            if let Some(length) = self.length().filter(|it| *it <= self.buffer.len()) {
                let rest = self.buffer.split_off(length);
                let frame = std::mem::replace(&mut self.buffer, rest);
                // Whoever asks for TLS and gets none begins again.
                self.first &= frame.get(4..8) == Some(TLS_ASKED);
                return Some(frame);
            }
            if !read_some(from, &mut self.buffer).await {
                return None;
            }
        }
    }

    /// The length of the frame that the buffer begins with, as far as it is known.
    fn length(&self) -> Option<usize> {
        let number = |at: usize| -> Option<usize> {
            let bytes: [u8; 4] = self.buffer.get(at..at + 4)?.try_into().ok()?;
            usize::try_from(u32::from_be_bytes(bytes)).ok()
        };
        match self.wire {
            // The start-up message has no letter in front. AMQP begins with its name and version.
            Wire::Postgres if self.first => number(0),
            Wire::Postgres => Some(1 + number(1)?),
            Wire::Amqp if self.first => Some(8),
            // Type, channel and size in front, one byte behind.
            Wire::Amqp => Some(7 + number(3)? + 1),
            Wire::Http => (!self.buffer.is_empty()).then_some(self.buffer.len()),
        }
    }
}

/// Whether money or a message depends on the arrival of this frame.
pub(super) fn is_decisive(frame: &[u8], wire: Wire) -> bool {
    let number = |at: usize| {
        let bytes: Option<[u8; 2]> = frame.get(at..at + 2).and_then(|it| it.try_into().ok());
        bytes.map_or(0, u16::from_be_bytes)
    };
    match wire {
        Wire::Postgres => {
            frame.first() == Some(&b'Q') && frame.get(5..).is_some_and(|it| it.starts_with(b"COMMIT"))
        }
        Wire::Amqp => frame.first() == Some(&1) && number(7) == BASIC && [PUBLISH, ACK].contains(&number(9)),
        Wire::Http => frame.starts_with(b"POST"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Frames, Wire, is_decisive};

    fn begun(wire: Wire, bytes: &[u8]) -> Frames {
        Frames { wire, buffer: bytes.to_vec(), first: false }
    }

    #[test]
    fn a_frame_ends_where_its_length_says() {
        let commit = b"Q\0\0\0\x0bCOMMIT\0";
        let ack = b"\x01\0\x01\0\0\0\x0d\0\x3c\0\x50\0\0\0\0\0\0\0\x07\0\xce";
        for (wire, bytes, length) in [
            (Wire::Postgres, &commit[..], Some(12)),
            (Wire::Postgres, &commit[..4], None),
            (Wire::Amqp, &ack[..], Some(21)),
            (Wire::Amqp, &ack[..6], None),
            (Wire::Http, b"POST / HTTP/1.1", Some(15)),
            (Wire::Http, b"", None),
        ] {
            assert_eq!(begun(wire, bytes).length(), length, "{wire:?} {bytes:?}");
        }
        let start = Frames { first: true, ..begun(Wire::Postgres, b"\0\0\0\x08\x04\xd2\x16\x2f") };
        assert_eq!(start.length(), Some(8));
        assert!(is_decisive(commit, Wire::Postgres) && is_decisive(ack, Wire::Amqp));
        assert!(!is_decisive(b"Q\0\0\0\x0aBEGIN\0", Wire::Postgres));
        assert!(!is_decisive(b"\x08\0\0\0\0\0\0\xce", Wire::Amqp));
        assert!(!is_decisive(b"Q", Wire::Http));
    }
}
