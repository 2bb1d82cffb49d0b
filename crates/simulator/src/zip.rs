//! A ZIP writer for statements.
//!
//! Alipay's archives carry member names as bare GBK bytes without the UTF-8 flag,
//! which general writers refuse; the format needed here is small.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// 1980-01-01, the format's oldest date: the same content is the same file.
const DATE: u16 = 0x0021;

/// An archive of members, each a name in raw bytes and its content.
pub(crate) fn archive(members: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in members {
        let offset = file.len();
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).expect("writing to memory does not fail");
        let packed = encoder.finish().expect("writing to memory does not fail");
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let facts = facts(name, crc.sum(), [packed.len(), content.len()]);
        put32(&mut file, LOCAL);
        file.extend_from_slice(&facts);
        file.extend_from_slice(name);
        file.extend_from_slice(&packed);
        put32(&mut directory, CENTRAL);
        put16(&mut directory, 20);
        directory.extend_from_slice(&facts);
        // Comment length, disk, internal and external attributes.
        directory.extend_from_slice(&[0; 10]);
        put32(&mut directory, size(offset));
        directory.extend_from_slice(name);
    }
    let offset = file.len();
    file.extend_from_slice(&directory);
    put32(&mut file, END);
    put32(&mut file, 0);
    for _ in 0..2 {
        put16(&mut file, u16::try_from(members.len()).expect("a statement has few members"));
    }
    put32(&mut file, size(directory.len()));
    put32(&mut file, size(offset));
    put16(&mut file, 0);
    file
}

/// The 26 bytes that a local and a central header share: version, no flags,
/// deflate, time, checksum, sizes, length of the name, no extra field.
fn facts(name: &[u8], crc: u32, sizes: [usize; 2]) -> Vec<u8> {
    let mut facts = Vec::new();
    for value in [20, 0, 8, 0, DATE] {
        put16(&mut facts, value);
    }
    put32(&mut facts, crc);
    for bytes in sizes {
        put32(&mut facts, size(bytes));
    }
    put16(&mut facts, u16::try_from(name.len()).expect("a member's name is short"));
    put16(&mut facts, 0);
    facts
}

fn size(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("a statement is below 4 GiB")
}

fn put16(file: &mut Vec<u8>, value: u16) {
    file.extend_from_slice(&value.to_le_bytes());
}

fn put32(file: &mut Vec<u8>, value: u32) {
    file.extend_from_slice(&value.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};

    use super::archive;

    #[test]
    fn another_reader_finds_the_members_with_their_raw_names() {
        let (name, _, _) = encoding_rs::GBK.encode("业务明细.csv");
        let content = "退款,".repeat(500).into_bytes();
        let members = [(name.to_vec(), content.clone()), (b"b".to_vec(), Vec::new())];
        let mut read = zip::ZipArchive::new(Cursor::new(archive(&members))).expect("an archive");
        assert_eq!(read.len(), 2);
        let mut member = read.by_index(0).expect("a member");
        assert_eq!(member.name_raw(), &*name);
        let mut unpacked = Vec::new();
        member.read_to_end(&mut unpacked).expect("the checksum fits");
        assert_eq!(unpacked, content);
    }
}
