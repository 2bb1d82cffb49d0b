//! The vault: what must not be readable in a dump of the database is sealed here.
//!
//! AES-256-GCM with the key's id in front and bound to one row, so that a sealed
//! number copied into another row cannot be opened there. Look-ups by number go
//! through an HMAC-SHA256 of it. Keys are rotated by putting a new one in front
//! of the ring: it seals from then on, and the older ones still open.
//!
//! ```text
//! length of the key id │ key id │ nonce (12 bytes) │ ciphertext │ tag (16 bytes)
//! ```

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use secrecy::{ExposeSecret, SecretBox};

use crate::Error;

/// A key of the ring: 256 bits under a name.
pub struct VaultKey {
    /// The name that is written in front of everything it seals: 1 to 255 bytes.
    pub id: String,
    /// The key.
    pub bytes: SecretBox<[u8; 32]>,
}

/// A ring of keys that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// There is no key to seal with.
    #[error("the vault needs at least one key")]
    NoKey,
    /// A name is empty, longer than 255 bytes, or used twice.
    #[error("the name of a vault key must be unique and have 1 to 255 bytes: {0:?}")]
    Name(String),
}

/// Seals and opens what only a few workers may read.
///
/// Cloning is cheap and shares the keys. `Debug` shows nothing of them.
#[derive(Clone)]
pub struct Vault {
    ring: Arc<Ring>,
}

struct Ring {
    /// The first one seals; all open.
    keys: Vec<(String, RandomizedNonceKey)>,
    lookup: hmac::Key,
}

impl Vault {
    /// A vault that seals with the first of `keys` and opens with all of them.
    ///
    /// `lookup` makes the digests of numbers. It must stay for ever: numbers that
    /// were stored under another one are not found any more.
    ///
    /// # Errors
    /// [`BadKey`] when there is no key, or a name cannot tell keys apart.
    ///
    /// # Panics
    /// Never: 32 bytes are an AES-256 key.
    pub fn new(keys: &[VaultKey], lookup: &SecretBox<[u8; 32]>) -> Result<Self, BadKey> {
        let mut ring: Vec<(String, RandomizedNonceKey)> = Vec::with_capacity(keys.len());
        for VaultKey { id, bytes } in keys {
            let taken = ring.iter().any(|(known, _)| known == id);
            if taken || !(1..=255).contains(&id.len()) {
                return Err(BadKey::Name(id.clone()));
            }
            let key = RandomizedNonceKey::new(&AES_256_GCM, bytes.expose_secret());
            ring.push((id.clone(), key.expect("32 bytes are an AES-256 key")));
        }
        if ring.is_empty() {
            return Err(BadKey::NoKey);
        }
        let lookup = hmac::Key::new(hmac::HMAC_SHA256, lookup.expose_secret());
        Ok(Self { ring: Arc::new(Ring { keys: ring, lookup }) })
    }

    /// Seals `plain` for one row, such as `bank_account:<id>`.
    ///
    /// # Panics
    /// When the machine has no randomness, or `plain` has more than 64 GiB.
    #[must_use]
    pub fn seal(&self, row: &str, plain: &[u8]) -> Vec<u8> {
        let (id, key) = &self.ring.keys[0];
        let mut box_of = plain.to_vec();
        let nonce = key
            .seal_in_place_append_tag(Aad::from(row.as_bytes()), &mut box_of)
            .expect("AES-GCM seals what fits into memory");
        let mut sealed = Vec::with_capacity(1 + id.len() + NONCE_LEN + box_of.len());
        sealed.push(u8::try_from(id.len()).expect("a key's name has at most 255 bytes"));
        sealed.extend_from_slice(id.as_bytes());
        sealed.extend_from_slice(nonce.as_ref());
        sealed.append(&mut box_of);
        sealed
    }

    /// Opens what [`seal`](Self::seal) sealed for the same row.
    ///
    /// # Errors
    /// [`Error::Unreadable`] when the key is not in the ring, the bytes were
    /// changed, or they belong to another row.
    pub fn open(&self, row: &str, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let unreadable = |why: &str| Error::Unreadable(format!("{row}: {why}"));
        let (name, rest) = sealed
            .split_first()
            .and_then(|(length, rest)| rest.split_at_checked(usize::from(*length)))
            .ok_or_else(|| unreadable("the sealed bytes are cut short"))?;
        let (nonce, box_of) = rest
            .split_first_chunk::<NONCE_LEN>()
            .ok_or_else(|| unreadable("the sealed bytes are cut short"))?;
        let (_, key) = self
            .ring
            .keys
            .iter()
            .find(|(id, _)| id.as_bytes() == name)
            .ok_or_else(|| unreadable("its key is not in the ring"))?;
        let mut plain = box_of.to_vec();
        let length = key
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(row.as_bytes()), &mut plain)
            .map_err(|_| unreadable("the seal is broken, or of another row"))?
            .len();
        plain.truncate(length);
        Ok(plain)
    }

    /// The digest by which a number is found without being readable.
    ///
    /// # Panics
    /// Never: an HMAC-SHA256 has 32 bytes.
    #[must_use]
    pub fn digest(&self, number: &str) -> [u8; 32] {
        let tag = hmac::sign(&self.ring.lookup, number.as_bytes());
        tag.as_ref().try_into().expect("HMAC-SHA256 has 32 bytes")
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(…)")
    }
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::{BadKey, SecretBox, Vault, VaultKey};
    use crate::Error;

    const NUMBER: &str = "6222020200112233445";

    fn key(id: &str, byte: u8) -> VaultKey {
        VaultKey { id: id.to_owned(), bytes: SecretBox::new(Box::new([byte; 32])) }
    }

    fn vault(keys: &[VaultKey]) -> Vault {
        Vault::new(keys, &SecretBox::new(Box::new([9; 32]))).unwrap()
    }

    #[test]
    fn a_number_opens_in_its_own_row_and_in_no_other() {
        let vault = vault(&[key("k1", 1)]);
        let sealed = vault.seal("bank_account:1", NUMBER.as_bytes());
        assert_eq!(vault.open("bank_account:1", &sealed).unwrap(), NUMBER.as_bytes());
        assert!(matches!(vault.open("bank_account:2", &sealed), Err(Error::Unreadable(_))));
    }

    #[test]
    fn what_is_sealed_shows_nothing_and_never_looks_the_same() {
        let vault = vault(&[key("k1", 1)]);
        let (one, other) = (vault.seal("row", NUMBER.as_bytes()), vault.seal("row", NUMBER.as_bytes()));
        assert_ne!(one, other);
        assert!(!one.windows(4).any(|part| NUMBER.as_bytes().windows(4).any(|digits| digits == part)));
    }

    #[test]
    fn every_changed_byte_breaks_the_seal() {
        let vault = vault(&[key("k1", 1)]);
        let sealed = vault.seal("row", b"0123456789");
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(vault.open("row", &changed).is_err(), "byte {place}");
            assert!(vault.open("row", &sealed[..place]).is_err(), "cut at {place}");
        }
    }

    #[test]
    fn after_a_rotation_the_new_key_seals_and_the_old_one_still_opens() {
        let before = vault(&[key("k1", 1)]);
        let after = vault(&[key("k2", 2), key("k1", 1)]);
        let old = before.seal("row", b"x");
        let new = after.seal("row", b"x");
        assert!(after.open("row", &old).is_ok());
        assert!(before.open("row", &new).is_err());
        assert_eq!(before.digest(NUMBER), after.digest(NUMBER));
    }

    #[test]
    fn a_ring_needs_keys_with_names_of_their_own() {
        let lookup = SecretBox::new(Box::new([9; 32]));
        for (keys, expected) in [
            (vec![], BadKey::NoKey),
            (vec![key("", 1)], BadKey::Name(String::new())),
            (vec![key("k", 1), key("k", 2)], BadKey::Name("k".to_owned())),
        ] {
            assert_eq!(Vault::new(&keys, &lookup).unwrap_err(), expected);
        }
    }

    #[test]
    fn debug_shows_nothing() {
        let shown = format!("{:?} {:?}", vault(&[key("k1", 1)]), key("k1", 1));
        assert_eq!(shown, "Vault(…) VaultKey(…)");
    }
}
